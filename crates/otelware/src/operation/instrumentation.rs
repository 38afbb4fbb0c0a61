//! The spans, instruments and context of one instrumenting crate.

use super::active::Family;
use super::clock::Moment;
use super::event::{EventSink, Exception};
use super::guard::{Describe, Live, Operation, Pending};
use super::outcome::{Cancellation, ErrorType};
use super::providers::{Providers, StartSpan};
use super::series::{InFlight, Series};
use super::signals::Signals;
use crate::semconv::{SCHEMA_URL, unit};
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What begins an operation.
#[derive(Debug)]
pub struct Start {
    /// The span's name.
    pub name: Cow<'static, str>,
    /// The span's kind.
    pub kind: SpanKind,
    /// The family, by which doubles are known.
    pub family: Family,
    /// The context that the operation goes on from.
    pub parent: Context,
    /// What the span is linked to.
    pub links: Vec<Link>,
    /// The signals to produce.
    pub signals: Signals,
    /// What becomes of it when it is dropped before it is done.
    pub cancellation: Cancellation,
    /// Counts the operation while it is in flight.
    pub in_flight: Option<InFlight>,
    /// A shorter operation has no span, unless it fails. The span is then made at the end, so that
    /// nothing can be beneath it.
    pub minimum_duration: Option<Duration>,
}

/// The spans, instruments and context of one instrumenting crate.
///
/// Providers are looked up when it is made; make it at the first operation, so that global
/// providers may still be set after a layer was built.
pub struct Instrumentation {
    providers: Providers,
    spans: Arc<dyn StartSpan>,
    late_attributes: bool,
    /// Whether spans come from the global tracer provider, and that turned out to be none.
    is_global: bool,
    is_untraced: AtomicBool,
    scope: InstrumentationScope,
    // Made with the first instrument: operations without metrics do without it.
    meter: OnceLock<Measuring>,
    events: Option<Box<dyn EventSink>>,
}

/// A meter, and whether it stands for none.
struct Measuring {
    meter: Meter,
    is_unmeasured: bool,
}

impl Instrumentation {
    /// The instrumentation named `name` (the crate's name) of version `version`.
    pub fn new(name: &'static str, version: &'static str, providers: &Providers) -> Self {
        let scope = InstrumentationScope::builder(name)
            .with_version(version)
            .with_schema_url(SCHEMA_URL)
            .build();
        Self {
            providers: providers.clone(),
            spans: providers.spans(scope.clone()),
            late_attributes: providers.has_late_attributes(),
            is_global: providers.has_global_tracer(),
            is_untraced: AtomicBool::new(false),
            events: providers.events(scope.clone()),
            meter: OnceLock::new(),
            scope,
        }
    }

    /// The meter of the instrumentation, for instruments that are observed.
    #[doc(hidden)]
    pub fn meter(&self) -> &Meter {
        &self.measuring().meter
    }

    /// Whether what is measured goes anywhere: there was a provider at the first measurement, or
    /// there is one now.
    #[doc(hidden)]
    pub fn is_measured(&self) -> bool {
        !self.measuring().is_unmeasured
    }

    fn measuring(&self) -> &Measuring {
        self.meter.get_or_init(|| {
            let meter = self.providers.meter(self.scope.clone());
            let is_unmeasured = self.providers.is_unmeasured(&meter);
            Measuring {
                meter,
                is_unmeasured,
            }
        })
    }

    /// Whether operations leave nothing behind, neither spans nor measurements nor events, so that
    /// only context is to be passed on. It shows after the first operation.
    #[inline]
    #[doc(hidden)]
    pub fn is_idle(&self) -> bool {
        let is_unmeasured = || {
            let measuring = self.meter.get();
            measuring.is_some_and(|measuring| measuring.is_unmeasured)
        };
        self.is_untraced.load(Ordering::Relaxed) && self.events.is_none() && is_unmeasured()
    }

    /// A histogram of durations in seconds.
    pub fn durations(
        &self,
        name: &'static str,
        description: &'static str,
        boundaries: &[f64],
    ) -> Series<Histogram<f64>> {
        Series::new(
            self.meter()
                .f64_histogram(name)
                .with_unit(unit::SECONDS)
                .with_description(description)
                .with_boundaries(boundaries.to_vec())
                .build(),
        )
    }

    /// A histogram of sizes in bytes.
    pub fn sizes(
        &self,
        name: &'static str,
        description: &'static str,
        boundaries: &[f64],
    ) -> Series<Histogram<u64>> {
        self.amounts(name, description, unit::BYTES, boundaries)
    }

    /// A histogram of amounts in any unit.
    pub fn amounts(
        &self,
        name: &'static str,
        description: &'static str,
        unit: &'static str,
        boundaries: &[f64],
    ) -> Series<Histogram<u64>> {
        Series::new(
            self.meter()
                .u64_histogram(name)
                .with_unit(unit)
                .with_description(description)
                .with_boundaries(boundaries.to_vec())
                .build(),
        )
    }

    /// A counter of what only ever becomes more.
    pub fn counter(
        &self,
        name: &'static str,
        description: &'static str,
        unit: &'static str,
    ) -> Series<Counter<u64>> {
        Series::new(
            self.meter()
                .u64_counter(name)
                .with_unit(unit)
                .with_description(description)
                .build(),
        )
    }

    /// A counter of what is in flight.
    pub fn in_flight(
        &self,
        name: &'static str,
        description: &'static str,
        unit: &'static str,
    ) -> Series<UpDownCounter<i64>> {
        Series::new(
            self.meter()
                .i64_up_down_counter(name)
                .with_unit(unit)
                .with_description(description)
                .build(),
        )
    }

    /// Begins an operation.
    ///
    /// `attributes` adds the span's first attributes. It is called before the span starts, so
    /// that samplers see them; under a remote parent that was not sampled, or where attributes
    /// are [late](Providers::set_late_attributes), only if the span records nevertheless; and not
    /// at all where no span is wanted.
    #[inline]
    pub fn start<D: Describe>(
        &self,
        start: Start,
        describe: D,
        attributes: impl FnOnce(&mut D, &mut Vec<KeyValue>),
    ) -> Operation<D> {
        self.start_at(Moment::now(), start, describe, attributes)
    }

    /// Begins an operation that had begun already: what it is about is known only now.
    #[doc(hidden)]
    #[inline]
    pub fn start_at<D: Describe>(
        &self,
        started: Moment,
        start: Start,
        mut describe: D,
        attributes: impl FnOnce(&mut D, &mut Vec<KeyValue>),
    ) -> Operation<D> {
        let mut pending = None;
        let has_no_span = !start.signals.traces() || self.is_untraced.load(Ordering::Relaxed);
        let (context, recording) = if has_no_span {
            (start.parent, false)
        } else if let Some(minimum) = start.minimum_duration {
            let mut list = Vec::with_capacity(16);
            attributes(&mut describe, &mut list);
            pending = Some(Box::new(Pending {
                minimum,
                spans: self.spans.clone(),
                builder: SpanBuilder::from_name(start.name)
                    .with_kind(start.kind)
                    .with_links(start.links)
                    .with_start_time(started.wall())
                    .with_attributes(list),
            }));
            (start.parent, false)
        } else {
            self.start_span(
                start.name,
                start.kind,
                start.links,
                &start.parent,
                started,
                |list| {
                    attributes(&mut describe, list);
                },
            )
        };
        Operation::new(Live {
            context,
            pending,
            started,
            family: start.family,
            cancellation: start.cancellation,
            recording,
            signals: start.signals,
            finished: false,
            in_flight: start.in_flight,
            describe,
        })
    }

    #[inline]
    fn start_span(
        &self,
        name: Cow<'static, str>,
        kind: SpanKind,
        links: Vec<Link>,
        parent: &Context,
        started: Moment,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> (Context, bool) {
        let mut builder = SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_start_time(started.wall());
        if !links.is_empty() {
            builder = builder.with_links(links);
        }
        let list = || {
            // Room for what handlers and the end of the operation add.
            let mut list = Vec::with_capacity(16);
            attributes(&mut list);
            list
        };
        let late = if self.attributes_wait(parent) {
            Some(list)
        } else {
            builder.attributes = Some(list());
            None
        };
        let context = self.spans.start(builder, parent);
        let recording = context.span().is_recording();
        if !recording && self.is_global {
            self.look_for_tracer(parent, &context);
        }
        if recording && let Some(list) = late {
            context.span().set_attributes(list());
        }
        (context, recording)
    }

    /// Without a tracer provider a span has the id of its parent, or none. There will be none later
    /// either, as the tracer is the one of the first operation: no more spans are made.
    fn look_for_tracer(&self, parent: &Context, context: &Context) {
        let id = |context: &Context| context.span().span_context().span_id();
        // Beneath a context that suppresses telemetry it is so with a provider too.
        if id(context) == id(parent) && !parent.is_telemetry_suppressed() {
            self.is_untraced.store(true, Ordering::Relaxed);
        }
    }

    /// Whether attributes wait until the span is known to record.
    #[inline]
    pub(crate) fn attributes_wait(&self, parent: &Context) -> bool {
        let span = parent.span();
        let parent = span.span_context();
        // Samplers drop what an unsampled remote parent leads to, whatever its attributes are.
        self.late_attributes || (parent.is_remote() && !parent.is_sampled())
    }

    /// Emits the error that ended an operation as a log event, if a logger provider was handed in.
    /// The error's text is cut to 4,096 bytes.
    pub fn exception(
        &self,
        exception: Exception,
        context: &Context,
        class: &ErrorType,
        error: &dyn Display,
    ) {
        if let Some(events) = &self.events {
            events.emit(exception, class, error, context.span().span_context());
        }
    }
}

impl std::fmt::Debug for Instrumentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instrumentation")
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}

/// Adds attributes to a list; one with a key that is there already takes its place, since the SDK
/// would keep both.
pub fn extend_replacing(list: &mut Vec<KeyValue>, attributes: Vec<KeyValue>) {
    for attribute in attributes {
        match list.iter_mut().find(|set| set.key == attribute.key) {
            Some(set) => *set = attribute,
            None => list.push(attribute),
        }
    }
}
