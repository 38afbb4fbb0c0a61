//! What the two peers have in common: both make `tracing` spans, which `tracing-opentelemetry` turns into spans.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::Error;
use crate::telemetry::Telemetry;

/// Sets the global subscriber and the global propagator, as the peers' examples do, but with no other layer: no `fmt`.
pub(crate) fn subscribe(telemetry: &Telemetry) -> Result<(), Error> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = telemetry
        .tracer_provider
        .as_ref()
        .ok_or("the peers make nothing but spans")?;
    // The target of the spans of `tonic-tracing-opentelemetry`, which are on level TRACE.
    let targets = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("otel::tracing", LevelFilter::TRACE);
    let subscriber = tracing_subscriber::registry()
        .with(targets)
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("peer")));
    Ok(tracing::subscriber::set_global_default(subscriber)?)
}
