//! Where an instrumentation's spans, measurements and context go.

use opentelemetry::global::{BoxedTracer, ObjectSafeTracerProvider};
use crate::propagation::SharedPropagator;
use super::event::{EventSink, EventSource};
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, global};
use std::sync::Arc;

/// The providers and the propagator that an instrumentation uses: those given to it, else the
/// global ones.
#[derive(Clone, Default)]
pub struct Providers {
    tracer: Option<Arc<dyn ObjectSafeTracerProvider + Send + Sync>>,
    meter: Option<Arc<dyn MeterProvider + Send + Sync>>,
    logger: Option<Arc<dyn EventSource + Send + Sync>>,
    propagator: Option<SharedPropagator>,
}

impl Providers {
    /// Spans go to this provider.
    pub fn set_tracer_provider<P, T, S>(&mut self, provider: P)
    where
        P: TracerProvider<Tracer = T> + Send + Sync + 'static,
        T: Tracer<Span = S> + Send + Sync + 'static,
        S: opentelemetry::trace::Span + Send + Sync + 'static,
    {
        self.tracer = Some(Arc::new(provider));
    }

    /// Measurements go to this provider.
    pub fn set_meter_provider(&mut self, provider: impl MeterProvider + Send + Sync + 'static) {
        self.meter = Some(Arc::new(provider));
    }

    /// Log events go to this provider. There is no global one: without it there are none.
    pub fn set_logger_provider<P, L>(&mut self, provider: P)
    where
        P: LoggerProvider<Logger = L> + Send + Sync + 'static,
        L: Logger + Send + Sync + 'static,
    {
        self.logger = Some(Arc::new(provider));
    }

    /// Context is propagated by this propagator.
    pub fn set_propagator(
        &mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) {
        self.propagator = Some(Arc::new(propagator));
    }

    pub(crate) fn tracer(&self, scope: InstrumentationScope) -> BoxedTracer {
        match &self.tracer {
            Some(provider) => BoxedTracer::new(provider.boxed_tracer(scope)),
            None => global::tracer_with_scope(scope),
        }
    }

    pub(crate) fn meter(&self, scope: InstrumentationScope) -> Meter {
        match &self.meter {
            Some(provider) => provider.meter_with_scope(scope),
            None => global::meter_with_scope(scope),
        }
    }

    pub(crate) fn events(&self, scope: InstrumentationScope) -> Option<Box<dyn EventSink>> {
        self.logger.as_ref().map(|provider| provider.events(scope))
    }

    /// Runs `use_it`, once, with the propagator.
    #[inline]
    pub fn with_propagator<T>(&self, mut use_it: impl FnMut(&dyn TextMapPropagator) -> T) -> T {
        match &self.propagator {
            Some(propagator) => use_it(&**propagator),
            None => global::get_text_map_propagator(use_it),
        }
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = |given| if given { "given" } else { "global" };
        f.debug_struct("Providers")
            .field("tracer", &from(self.tracer.is_some()))
            .field("meter", &from(self.meter.is_some()))
            .field("logger", &if self.logger.is_some() { "given" } else { "none" })
            .field("propagator", &from(self.propagator.is_some()))
            .finish()
    }
}
