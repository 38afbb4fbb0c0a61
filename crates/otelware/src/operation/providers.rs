//! Where an instrumentation's spans, measurements and context go.

use super::event::{EventSink, EventSource};
use crate::propagation::SharedPropagator;
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanBuilder, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, global};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The providers and the propagator that an instrumentation uses: those given to it, else the
/// global ones.
#[derive(Clone, Default)]
pub struct Providers {
    tracer: Option<Arc<dyn SpanSource + Send + Sync>>,
    meter: Option<Arc<dyn MeterProvider + Send + Sync>>,
    logger: Option<Arc<dyn EventSource + Send + Sync>>,
    propagator: Option<SharedPropagator>,
    late_attributes: bool,
}

/// Whether attributes are late where the global tracer provider is used.
static GLOBAL_LATE_ATTRIBUTES: AtomicBool = AtomicBool::new(false);

/// Tells whether the global tracer provider's sampler drops most spans without a look at their
/// attributes.
#[cfg(feature = "telemetry")]
pub(crate) fn set_global_late_attributes(late: bool) {
    GLOBAL_LATE_ATTRIBUTES.store(late, Ordering::Relaxed);
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
    pub fn set_propagator(&mut self, propagator: impl TextMapPropagator + Send + Sync + 'static) {
        self.propagator = Some(SharedPropagator::new(propagator));
    }

    /// Attributes are set once a span is known to record, and samplers see none.
    pub const fn set_late_attributes(&mut self) {
        self.late_attributes = true;
    }

    pub(crate) fn has_global_tracer(&self) -> bool {
        self.tracer.is_none()
    }

    /// Whether measurements go to the global provider.
    #[doc(hidden)]
    pub const fn has_global_meter(&self) -> bool {
        self.meter.is_none()
    }

    pub(crate) fn has_late_attributes(&self) -> bool {
        let global = self.tracer.is_none();
        self.late_attributes || (global && GLOBAL_LATE_ATTRIBUTES.load(Ordering::Relaxed))
    }

    pub(crate) fn spans(&self, scope: InstrumentationScope) -> Arc<dyn StartSpan> {
        match &self.tracer {
            Some(provider) => provider.spans(scope),
            None => Arc::new(global::tracer_with_scope(scope)),
        }
    }

    pub(crate) fn meter(&self, scope: InstrumentationScope) -> Meter {
        match &self.meter {
            Some(provider) => provider.meter_with_scope(scope),
            None => global::meter_with_scope(scope),
        }
    }

    /// Whether what `meter`, a meter of these providers, measures is nobody's: no provider was
    /// given, and the global one is the API's own, which stands for none.
    pub(crate) fn is_unmeasured(&self, meter: &Meter) -> bool {
        // Nothing tells the two apart by type. The API's own has no room to keep anything in, and
        // keeps no callback either; one that measures does, wherever it keeps it.
        if self.meter.is_some() || size_of_val(&*global::meter_provider()) > 0 {
            return false;
        }
        let witness = Arc::new(());
        let kept = witness.clone();
        let _gauge = meter
            .u64_observable_gauge("otelware.unmeasured")
            .with_callback(move |_| {
                let _kept = &kept;
            })
            .build();
        Arc::strong_count(&witness) == 1
    }

    pub(crate) fn events(&self, scope: InstrumentationScope) -> Option<Box<dyn EventSink>> {
        self.logger.as_ref().map(|provider| provider.events(scope))
    }

    /// Runs `use_it`, once, with the propagator.
    #[inline]
    pub fn with_propagator<T>(&self, mut use_it: impl FnMut(&dyn TextMapPropagator) -> T) -> T {
        match &self.propagator {
            Some(propagator) => use_it(propagator),
            None => global::get_text_map_propagator(use_it),
        }
    }
}

/// Makes starters of spans; stands for any tracer provider.
trait SpanSource {
    fn spans(&self, scope: InstrumentationScope) -> Arc<dyn StartSpan>;
}

impl<P, T, S> SpanSource for P
where
    P: TracerProvider<Tracer = T>,
    T: Tracer<Span = S> + Send + Sync + 'static,
    S: opentelemetry::trace::Span + Send + Sync + 'static,
{
    fn spans(&self, scope: InstrumentationScope) -> Arc<dyn StartSpan> {
        Arc::new(self.tracer_with_scope(scope))
    }
}

/// Starts spans; stands for any tracer. (The API's own `BoxedTracer` allocates once more for each
/// span.)
pub(crate) trait StartSpan: Send + Sync {
    /// The context `parent` with a new span in it.
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context;
}

impl<T, S> StartSpan for T
where
    T: Tracer<Span = S> + Send + Sync,
    S: opentelemetry::trace::Span + Send + Sync + 'static,
{
    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        parent.with_span(self.build_with_context(builder, parent))
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = |given| if given { "given" } else { "global" };
        f.debug_struct("Providers")
            .field("tracer", &from(self.tracer.is_some()))
            .field("meter", &from(self.meter.is_some()))
            .field(
                "logger",
                &if self.logger.is_some() {
                    "given"
                } else {
                    "none"
                },
            )
            .field("propagator", &from(self.propagator.is_some()))
            .finish()
    }
}
