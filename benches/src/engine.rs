//! What the rows of the engine alone have in common.

use opentelemetry::Context;
use opentelemetry::trace::SpanKind;
use otelware::operation::{Cancellation, Family, Instrumentation, Providers, Signals, Start};

use crate::telemetry::Telemetry;

/// The key of the only attribute set that an instrument has.
pub(crate) const ONLY: Option<[u64; 4]> = Some([0; 4]);

pub(crate) fn instrumentation(telemetry: &Telemetry) -> Instrumentation {
    let mut providers = Providers::default();
    if let Some(provider) = &telemetry.tracer_provider {
        providers.set_tracer_provider(provider.clone());
    }
    if let Some(provider) = &telemetry.meter_provider {
        providers.set_meter_provider(provider.clone());
    }
    Instrumentation::new("engine", "0", &providers)
}

/// The start of what a client asks of a database.
#[inline]
pub(crate) fn database_call(name: &'static str) -> Start {
    Start {
        name: name.into(),
        kind: SpanKind::Client,
        family: Family::Database,
        parent: Context::current(),
        links: Vec::new(),
        signals: Signals::ALL,
        cancellation: Cancellation::Ignore,
        in_flight: None,
        minimum_duration: None,
    }
}
