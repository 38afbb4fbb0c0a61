//! `otelware-tower`, with explicit providers and otelware's own propagator.

use opentelemetry::global;
use otelware::propagation::TraceContextPropagator;
use otelware_tower::HttpServerLayer;

use crate::telemetry::Telemetry;

pub(crate) fn layer(telemetry: &Telemetry) -> HttpServerLayer {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let mut layer = HttpServerLayer::new();
    if let Some(provider) = &telemetry.tracer_provider {
        layer = layer.with_tracer_provider(provider.clone());
    }
    if let Some(provider) = &telemetry.meter_provider {
        layer = layer.with_meter_provider(provider.clone());
    }
    layer
}
