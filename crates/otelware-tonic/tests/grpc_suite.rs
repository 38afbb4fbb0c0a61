//! The layers pass the suite for gRPC, with the server's methods listed and learned.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use otelware::opentelemetry::propagation::TextMapPropagator;
use otelware::propagation::CompositePropagator;
use otelware_testing::suites::grpc::shapes::shapes_server::ShapesServer;
use otelware_testing::suites::grpc::{GrpcUnderTest, Handlers};
use otelware_testing::{Capture, Scope};
use otelware_tonic::{Channel, GrpcClientLayer, GrpcServerLayer};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tower_layer::Layer;

fn scope() -> Scope {
    Scope::new(
        "otelware-tonic",
        env!("CARGO_PKG_VERSION"),
        otelware::semconv::SCHEMA_URL,
    )
}

fn server(telemetry: &Capture) -> GrpcServerLayer {
    GrpcServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_calls()
}

fn client(telemetry: &Capture) -> GrpcClientLayer {
    GrpcClientLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_calls()
}

async fn serve(listener: TcpListener, layer: GrpcServerLayer, shapes: ShapesServer<Handlers>) {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .layer(layer)
        .add_service(shapes)
        .serve_with_incoming(incoming)
        .await
        .expect("a server");
}

mod listed {
    use super::*;

    struct Listed;

    impl GrpcUnderTest for Listed {
        type Channel = Channel;

        const KNOWS_METHODS: bool = true;

        fn scope() -> Scope {
            scope()
        }

        fn propagator() -> impl TextMapPropagator + Send + Sync + 'static {
            CompositePropagator::default()
        }

        async fn serve(listener: TcpListener, telemetry: Capture, shapes: ShapesServer<Handlers>) {
            let methods = ["Unary", "ClientStream", "ServerStream", "Bidi"];
            let layer = server(&telemetry).with_known_methods_of::<ShapesServer<Handlers>>(methods);
            super::serve(listener, layer, shapes).await;
        }

        fn channel(endpoint: &Endpoint, telemetry: Capture) -> Channel {
            client(&telemetry).connect_lazy(endpoint)
        }
    }

    otelware_testing::grpc_suite!(Listed);
}

mod learned {
    use super::*;

    struct Learned;

    impl GrpcUnderTest for Learned {
        type Channel = Channel;

        const KNOWS_METHODS: bool = false;

        fn scope() -> Scope {
            scope()
        }

        fn propagator() -> impl TextMapPropagator + Send + Sync + 'static {
            CompositePropagator::default()
        }

        async fn serve(listener: TcpListener, telemetry: Capture, shapes: ShapesServer<Handlers>) {
            super::serve(listener, server(&telemetry), shapes).await;
        }

        fn channel(endpoint: &Endpoint, telemetry: Capture) -> Channel {
            let uri = endpoint.uri();
            let host = uri.host().expect("a host");
            let layer = client(&telemetry).with_server_address(host, uri.port_u16());
            layer.layer(endpoint.connect_lazy())
        }
    }

    otelware_testing::grpc_suite!(Learned);
}
