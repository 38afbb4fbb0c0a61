//! Context propagation: how trace context and baggage enter and leave a process.
//!
//! Everything here is an ordinary [`TextMapPropagator`](opentelemetry::propagation::TextMapPropagator), [`Extractor`](opentelemetry::propagation::Extractor) or
//! [`Injector`](opentelemetry::propagation::Injector), so it works with any library that speaks the OpenTelemetry API:
//!
//! - [`TraceContextPropagator`]: W3C Trace Context level 2.
//! - [`BaggagePropagator`]: W3C Baggage within [`BaggageLimits`].
//! - [`B3Propagator`] and [`JaegerPropagator`]: the two older formats.
//! - [`CompositePropagator`]: several of them, chosen by the names `OTEL_PROPAGATORS` knows.
//! - carriers for HTTP headers, string maps, lists of pairs and environment variables.
//! - [`extract`] with a [`Trust`]: what a remote caller may decide about this process.
//! - [`inject`] with an [`Outbound`] policy, chosen per destination by [`Destinations`].
//! - [`store`] and [`restore`]: a context that is kept for later.

mod b3;
mod baggage;
mod carrier;
mod composite;
mod destinations;
mod hex;
mod inbound;
mod jaeger;
mod list;
mod outbound;
mod shared;
mod stored;
mod trace_context;
mod trace_state;

pub use b3::B3Propagator;
pub use baggage::{BaggageLimits, BaggagePropagator};
pub use carrier::{
    EnvExtractor, MapExtractor, MapInjector, PairsExtractor, PairsInjector, joined, only,
};
#[cfg(feature = "http")]
pub use carrier::{HeaderExtractor, HeaderInjector};
pub use composite::{ALLOWED, CompositePropagator, UnknownPropagator};
pub use destinations::Destinations;
pub use inbound::{Inbound, Trust, extract};
pub use jaeger::JaegerPropagator;
pub use outbound::{Outbound, inject};
pub use shared::SharedPropagator;
pub use stored::{restore, store};
pub use trace_context::{RANDOM, TraceContextPropagator};
