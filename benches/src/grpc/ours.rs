//! `otelware-tonic`, with explicit providers and otelware's own propagator.

use opentelemetry::global;
use otelware::propagation::TraceContextPropagator;
use otelware_tonic::{GrpcClientLayer, GrpcServerLayer};

use crate::grpc::{HOST, PORT};
use crate::telemetry::Telemetry;

pub(crate) fn layers(telemetry: &Telemetry) -> (GrpcServerLayer, GrpcClientLayer) {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let mut server = GrpcServerLayer::new();
    let mut client = GrpcClientLayer::new().with_server_address(HOST, Some(PORT));
    if let Some(provider) = &telemetry.tracer_provider {
        server = server.with_tracer_provider(provider.clone());
        client = client.with_tracer_provider(provider.clone());
    }
    if let Some(provider) = &telemetry.meter_provider {
        server = server.with_meter_provider(provider.clone());
        client = client.with_meter_provider(provider.clone());
    }
    (server, client)
}
