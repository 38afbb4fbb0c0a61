//! Servers for the tests of the server's layer.
#![allow(dead_code, reason = "each test uses some of it")]

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use otelware::propagation::CompositePropagator;
use otelware::semconv::SCHEMA_URL;
use otelware_testing::suites::http_server::TestServer;
use otelware_testing::{Capture, Scope};
use otelware_tower::HttpServerLayer;
use otelware_tower::server::PeerAddress;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tower::Service;

pub(crate) fn scope() -> Scope {
    Scope::new("otelware-tower", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
}

pub(crate) fn layer(telemetry: &Capture) -> HttpServerLayer {
    HttpServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_requests()
}

/// A server of axum.
pub(crate) async fn axum_server(telemetry: &Capture, router: Router) -> TestServer {
    TestServer::start(telemetry, scope(), |listener| serve_axum(listener, router)).await
}

pub(crate) async fn serve_axum(listener: TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.unwrap();
}

/// A server of hyper and nothing else.
pub(crate) async fn hyper_server<S, B>(telemetry: &Capture, service: S) -> TestServer
where
    S: Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    TestServer::start(telemetry, scope(), |listener| {
        serve_hyper(listener, service)
    })
    .await
}

pub(crate) async fn serve_hyper<S, B>(listener: TcpListener, service: S)
where
    S: Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let service = service.clone();
        let service = tower::service_fn(move |mut request: http::Request<_>| {
            request.extensions_mut().insert(PeerAddress(peer));
            service.clone().call(request)
        });
        tokio::spawn(async move {
            // What becomes of the connection shows at its client.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(
                    TokioIo::new(stream),
                    TowerToHyperService::new(service),
                )
                .await;
        });
    }
}

pub(crate) type Never = Infallible;
