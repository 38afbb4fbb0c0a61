//! The capture: providers on one side, what they received on the other.

use std::fmt::{Display, Write};
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TraceId;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, ShouldSample, SpanLimits};

use crate::diff::indented;
use crate::log::Log;
use crate::metric::{Metric, MetricKind, since};
use crate::span::Span;
use crate::started::{RecordingSampler, StartedSpan};
use crate::store::{Receiver, Store};
use crate::tree::tree;
use crate::value::{Attributes, Value, assert_no_repetition, inline};
use crate::wait;

/// Metrics are collected when a test reads them; the SDK's timer never fires within a test.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Captures traces, metrics and logs in memory. Clones share what is captured.
#[derive(Clone, Debug)]
pub struct Capture {
    store: Arc<Store>,
    deadline: Duration,
    resource: Resource,
    tracer_provider: SdkTracerProvider,
    meter_provider: SdkMeterProvider,
    logger_provider: SdkLoggerProvider,
}

/// Options of a [`Capture`].
#[derive(Debug)]
#[must_use]
pub struct CaptureBuilder {
    sampler: Box<dyn ShouldSample>,
    span_limits: SpanLimits,
    resource: Vec<KeyValue>,
    deadline: Duration,
}

impl CaptureBuilder {
    /// Decides which spans are sampled; [`Sampler::AlwaysOn`] by default.
    pub fn sampler(mut self, sampler: impl Into<Box<dyn ShouldSample>>) -> Self {
        self.sampler = sampler.into();
        self
    }

    /// The limits of spans; the SDK's defaults by default, whatever the environment says.
    pub fn span_limits(mut self, limits: SpanLimits) -> Self {
        self.span_limits = limits;
        self
    }

    /// One more attribute of the resource; by default there is only `service.name`, which is `test`.
    pub fn resource_attribute(mut self, attribute: KeyValue) -> Self {
        self.resource.push(attribute);
        self
    }

    /// How long the `wait_` methods wait before they fail; 10 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The capture, ready to hand out providers.
    pub fn build(self) -> Capture {
        let store = Arc::new(Store::default());
        let receiver = Receiver(Arc::clone(&store));
        let resource = Resource::builder_empty()
            .with_service_name("test")
            .with_attributes(self.resource)
            .build();
        let sampler = RecordingSampler {
            inner: self.sampler,
            store: Arc::clone(&store),
        };
        let reader = PeriodicReader::builder(receiver.clone())
            .with_interval(NEVER)
            .build();
        Capture {
            tracer_provider: SdkTracerProvider::builder()
                .with_resource(resource.clone())
                .with_sampler(sampler)
                .with_span_limits(self.span_limits)
                .with_span_processor(receiver.clone())
                .build(),
            meter_provider: SdkMeterProvider::builder()
                .with_resource(resource.clone())
                .with_reader(reader)
                .build(),
            logger_provider: SdkLoggerProvider::builder()
                .with_resource(resource.clone())
                .with_log_processor(receiver)
                .build(),
            store,
            deadline: self.deadline,
            resource,
        }
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new()
    }
}

impl Capture {
    /// A capture that samples every span.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A capture with options.
    pub fn builder() -> CaptureBuilder {
        CaptureBuilder {
            sampler: Sampler::AlwaysOn.into(),
            span_limits: SpanLimits::default(),
            resource: Vec::new(),
            deadline: Duration::from_secs(10),
        }
    }

    /// The provider whose spans are captured.
    pub fn tracer_provider(&self) -> SdkTracerProvider {
        self.tracer_provider.clone()
    }

    /// The provider whose metrics are captured.
    pub fn meter_provider(&self) -> SdkMeterProvider {
        self.meter_provider.clone()
    }

    /// The provider whose logs are captured.
    pub fn logger_provider(&self) -> SdkLoggerProvider {
        self.logger_provider.clone()
    }

    /// The sampled spans finished so far, in the order they ended.
    ///
    /// # Panics
    ///
    /// If a span, link or event has an attribute set more than once.
    #[track_caller]
    pub fn spans(&self) -> Vec<Span> {
        let spans = self.store.read().spans.clone();
        let mut converted = Vec::with_capacity(spans.len());
        for span in &spans {
            converted.push(Span::strict(span));
        }
        converted
    }

    /// The only finished span of this name.
    ///
    /// # Panics
    ///
    /// If there is none or more than one, listing those that there are; and as [`Capture::spans`] does.
    #[track_caller]
    pub fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        only("finished span", name, spans, |span| &span.name, tree)
    }

    /// The finished spans of one trace, in the order they ended.
    ///
    /// # Panics
    ///
    /// As [`Capture::spans`] does.
    #[track_caller]
    pub fn trace(&self, trace_id: TraceId) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| span.trace_id == trace_id);
        spans
    }

    /// All finished spans as indented text; see [`tree`](crate::tree()).
    ///
    /// # Panics
    ///
    /// As [`Capture::spans`] does.
    #[track_caller]
    pub fn tree(&self) -> String {
        tree(&self.spans())
    }

    /// What the sampler saw of each span at its start, sampled or not, in the order they started.
    ///
    /// # Panics
    ///
    /// If a span started with an attribute set more than once.
    #[track_caller]
    pub fn started(&self) -> Vec<StartedSpan> {
        let started = self.store.read().started.clone();
        let mut spans = Vec::with_capacity(started.len());
        for record in started {
            assert_no_repetition(&record.repetitions);
            spans.push(record.span);
        }
        spans
    }

    /// The number of recording spans that have started and not ended.
    pub fn open_spans(&self) -> usize {
        self.store.read().open_spans
    }

    /// The metrics recorded since the last reset, sorted by scope and name.
    pub fn metrics(&self) -> Vec<Metric> {
        // After a shutdown of the provider its last collection stays.
        let _ = self.meter_provider.force_flush();
        let records = self.store.read();
        since(records.metrics.clone(), &records.metrics_at_reset)
    }

    /// The only metric of this name.
    ///
    /// # Panics
    ///
    /// If there is none or more than one, listing those that there are.
    #[track_caller]
    pub fn metric(&self, name: &str) -> Metric {
        let list = |metrics: &[Metric]| {
            metrics
                .iter()
                .map(|metric| format!("{} ({})\n", metric.name, metric.scope.name))
                .collect()
        };
        only("metric", name, self.metrics(), |metric| &metric.name, list)
    }

    /// The log records emitted so far, in order.
    ///
    /// # Panics
    ///
    /// If a record has an attribute set more than once.
    #[track_caller]
    pub fn logs(&self) -> Vec<Log> {
        let logs = self.store.read().logs.clone();
        let mut converted = Vec::with_capacity(logs.len());
        for (record, scope) in &logs {
            converted.push(Log::strict(record, scope));
        }
        converted
    }

    /// The only log record with this event name.
    ///
    /// # Panics
    ///
    /// If there is none or more than one, listing those that there are; and as [`Capture::logs`] does.
    #[track_caller]
    pub fn event(&self, name: &str) -> Log {
        only(
            "log event",
            name,
            self.logs(),
            |log| log.event_name.as_deref().unwrap_or_default(),
            |logs| logs.iter().map(|log| format!("{log}\n")).collect(),
        )
    }

    /// Forgets everything captured so far. Up-down counters and gauges keep their values; spans that are open stay open.
    pub fn reset(&self) {
        let _ = self.meter_provider.force_flush();
        self.store.change(|records| {
            records.spans.clear();
            records.started.clear();
            records.logs.clear();
            records.metrics_at_reset = records.metrics.clone();
        });
    }

    /// Waits until at least `count` spans have finished, and returns all.
    ///
    /// # Panics
    ///
    /// If the deadline passes first, with everything captured; and as [`Capture::spans`] does.
    #[track_caller]
    pub fn wait_for_spans(&self, count: usize) -> impl Future<Output = Vec<Span>> + Send + use<> {
        let capture = self.clone();
        let waiting = self.until(format!("{count} finished spans"), self.has_spans(count));
        async move {
            waiting.await;
            capture.spans()
        }
    }

    /// Like [`Capture::wait_for_spans`], blocking the thread: only for code that runs on other threads.
    ///
    /// # Panics
    ///
    /// As [`Capture::wait_for_spans`] does.
    #[track_caller]
    pub fn blocking_wait_for_spans(&self, count: usize) -> Vec<Span> {
        self.blocking_wait_until(&format!("{count} finished spans"), self.has_spans(count));
        self.spans()
    }

    /// Waits until at least `count` log records have been emitted, and returns all.
    ///
    /// # Panics
    ///
    /// If the deadline passes first, with everything captured; and as [`Capture::logs`] does.
    #[track_caller]
    pub fn wait_for_logs(&self, count: usize) -> impl Future<Output = Vec<Log>> + Send + use<> {
        let capture = self.clone();
        let waiting = self.until(format!("{count} log records"), self.has_logs(count));
        async move {
            waiting.await;
            capture.logs()
        }
    }

    /// Like [`Capture::wait_for_logs`], blocking the thread: only for code that runs on other threads.
    ///
    /// # Panics
    ///
    /// As [`Capture::wait_for_logs`] does.
    #[track_caller]
    pub fn blocking_wait_for_logs(&self, count: usize) -> Vec<Log> {
        self.blocking_wait_until(&format!("{count} log records"), self.has_logs(count));
        self.logs()
    }

    /// Waits until every recording span that has started has ended, and every up-down counter is back at zero.
    ///
    /// A span that starts later is not waited for: start the work before.
    ///
    /// # Panics
    ///
    /// If the deadline passes first, with everything captured.
    #[track_caller]
    pub fn settle(&self) -> impl Future<Output = ()> + Send + use<> {
        self.until("no operation in flight".to_owned(), self.is_settled())
    }

    /// Like [`Capture::settle`], blocking the thread: only for code that runs on other threads.
    ///
    /// # Panics
    ///
    /// As [`Capture::settle`] does.
    #[track_caller]
    pub fn blocking_settle(&self) {
        self.blocking_wait_until("no operation in flight", self.is_settled());
    }

    /// Waits until `condition` is true; `what` names it in the failure.
    ///
    /// The condition is looked at after every captured span and log, and every few milliseconds.
    ///
    /// # Panics
    ///
    /// If the deadline passes first, with everything captured.
    #[track_caller]
    pub fn wait_until<C: FnMut() -> bool + Send>(
        &self,
        what: &str,
        condition: C,
    ) -> impl Future<Output = ()> + Send + use<C> {
        self.until(what.to_owned(), condition)
    }

    /// Like [`Capture::wait_until`], blocking the thread: only for code that runs on other threads.
    ///
    /// # Panics
    ///
    /// As [`Capture::wait_until`] does.
    #[track_caller]
    pub fn blocking_wait_until(&self, what: &str, condition: impl FnMut() -> bool) {
        if !wait::block_until(&self.store, self.deadline, condition) {
            self.fail_waiting(what, Location::caller());
        }
    }

    #[track_caller]
    fn until<C: FnMut() -> bool + Send>(
        &self,
        what: String,
        condition: C,
    ) -> impl Future<Output = ()> + Send + use<C> {
        let caller = Location::caller();
        let capture = self.clone();
        async move {
            let store = Arc::clone(&capture.store);
            if !wait::until(store, capture.deadline, condition).await {
                capture.fail_waiting(&what, caller);
            }
        }
    }

    fn has_spans(&self, count: usize) -> impl FnMut() -> bool + Send + use<> {
        let store = Arc::clone(&self.store);
        move || store.read().spans.len() >= count
    }

    fn has_logs(&self, count: usize) -> impl FnMut() -> bool + Send + use<> {
        let store = Arc::clone(&self.store);
        move || store.read().logs.len() >= count
    }

    fn is_settled(&self) -> impl FnMut() -> bool + Send + use<> {
        let capture = self.clone();
        move || {
            capture.open_spans() == 0 && capture.in_flight().iter().all(|(_, value)| *value == 0.0)
        }
    }

    fn fail_waiting(&self, what: &str, caller: &Location<'_>) -> ! {
        panic!(
            "waited {:?} in vain for {what} at {caller}; captured so far ({} spans open):\n{}",
            self.deadline,
            self.open_spans(),
            indented(&self.dump())
        );
    }

    /// Asserts that every data point of every up-down counter is at zero: no request in flight, no connection in use.
    ///
    /// # Panics
    ///
    /// If one is not, or there is no up-down counter to look at.
    #[track_caller]
    pub fn assert_in_flight_zero(&self) {
        let points = self.in_flight();
        if points.is_empty() {
            panic!("there is no up-down counter");
        }
        let off: String = points
            .iter()
            .filter(|(_, value)| *value != 0.0)
            .map(|(metric, _)| format!("{metric}\n"))
            .collect();
        if !off.is_empty() {
            panic!("up-down counters are not back at zero:\n{}", indented(&off));
        }
    }

    /// Each point of each up-down counter: its description and its value.
    fn in_flight(&self) -> Vec<(String, f64)> {
        let mut points = Vec::new();
        for metric in self.metrics() {
            if metric.kind == MetricKind::UpDownCounter {
                for point in &metric.points {
                    let attributes = inline(&point.attributes);
                    let text = format!("{} {attributes}: {:?}", metric.name, point.sum());
                    points.push((text, point.sum()));
                }
            }
        }
        points
    }

    /// Everything captured since the last reset as text: resource, scopes, names, attributes, events, links, bodies, data points,
    /// what samplers saw, and values set more than once. It never panics.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        let resource: Attributes = self
            .resource
            .iter()
            .map(|(key, value)| (key.to_string(), Value::from(value)))
            .collect();
        line(&mut text, &format!("resource {}", inline(&resource)));
        for metric in self.metrics() {
            line(&mut text, &metric);
        }
        let records = self.store.read();
        let mut repetitions = Vec::new();
        for started in &records.started {
            line(&mut text, &started.span);
            repetitions.extend(started.repetitions.clone());
        }
        for span in &records.spans {
            line(&mut text, &Span::lenient(span, &mut repetitions));
        }
        for (record, scope) in &records.logs {
            line(&mut text, &Log::lenient(record, scope, &mut repetitions));
        }
        for repetition in &repetitions {
            line(&mut text, repetition);
        }
        text
    }

    /// Asserts that `secret` is nowhere in what was captured; see [`Capture::dump`].
    ///
    /// # Panics
    ///
    /// If it is, showing the lines; if `secret` is empty; or if nothing was captured, which would prove nothing.
    #[track_caller]
    pub fn assert_never_contains(&self, secret: &str) {
        if secret.is_empty() {
            panic!("an empty secret is everywhere");
        }
        let dump = self.dump();
        if dump.lines().count() <= 1 {
            panic!("nothing was captured, so there is nothing to search for {secret:?}");
        }
        // Values are printed quoted and with escapes.
        let escaped = format!("{secret:?}");
        let escaped = &escaped[1..escaped.len() - 1];
        let lines: String = dump
            .lines()
            .filter(|line| line.contains(secret) || line.contains(escaped))
            .map(|line| format!("{}\n", line.trim_start()))
            .collect();
        if !lines.is_empty() {
            panic!("{secret:?} was captured:\n{}", indented(&lines));
        }
        if dump.contains(secret) {
            panic!("{secret:?} was captured:\n{}", indented(&dump));
        }
    }
}

fn line(text: &mut String, value: &dyn Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{value}");
}

/// The only one of this name, or a panic that lists all.
#[track_caller]
fn only<T>(
    what: &str,
    name: &str,
    mut all: Vec<T>,
    name_of: impl Fn(&T) -> &str,
    list: impl Fn(&[T]) -> String,
) -> T {
    let positions: Vec<usize> = (0..all.len())
        .filter(|index| name_of(&all[*index]) == name)
        .collect();
    match positions[..] {
        [position] => all.swap_remove(position),
        _ => panic!(
            "expected one {what} {name:?}, found {}; there are:\n{}",
            positions.len(),
            indented(&list(&all))
        ),
    }
}
