//! The post's operations, observed with nothing but the SDK: how they begin.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::logs::LoggerProvider;
use opentelemetry::metrics::{Counter, Histogram, MeterProvider};
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::logs::SdkLogger;
use otelware_testing::HTTP_SECONDS;
use otelware_testing::suites::messaging::{Class, Options, Propagator, Setup, Signals, View};

use crate::faults::*;
use crate::headers::Headers;
use crate::running::Running;

pub const SCOPE: (&str, &str, &str) = ("post", "1.0.0", "https://example.com/schema");
pub const SYSTEM: &str = "post";
pub const DESTINATION: &str = "orders";

/// The offset of a message is known when it was sent.
pub const OFFSET: &str = "post.offset";

const RESERVED: [&str; 5] = [
    "messaging.system.name",
    "messaging.operation.name",
    "messaging.operation.type",
    "error.type",
    OFFSET,
];

pub struct Instrumentation {
    tracer: BoxedTracer,
    pub logger: Option<SdkLogger>,
    pub durations: Histogram<f64>,
    pub processing: Histogram<f64>,
    pub sent: Counter<u64>,
    consumed: Counter<u64>,
    pub propagator: Option<Propagator>,
    pub options: Options,
    pub fault: usize,
}

/// An operation that is to begin.
pub struct Start<'a> {
    pub class: Class,
    pub operation: &'static str,
    pub headers: Option<&'a Headers>,
    pub body: Option<&'a str>,
    pub parent: Context,
    pub links: Vec<Link>,
    pub messages: u64,
    pub is_batch: bool,
    /// What it has been sent with stays.
    pub keeps_context: bool,
}

impl Start<'_> {
    pub fn new(class: Class, operation: &'static str) -> Self {
        Self {
            class,
            operation,
            headers: None,
            body: None,
            parent: Context::current(),
            links: Vec::new(),
            messages: 1,
            is_batch: false,
            keeps_context: false,
        }
    }
}

fn scope(version: &'static str) -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE.0)
        .with_version(version)
        .with_schema_url(SCOPE.2)
        .build()
}

/// Adds attributes in the place of those with the same keys.
fn replace(list: &mut Vec<KeyValue>, more: Vec<KeyValue>, fault: usize) {
    for attribute in more {
        let key = attribute.key.as_str();
        let is_late = fault == LATE_REPLACED && key == OFFSET;
        if fault == RESERVED_REPLACED && key != OFFSET || is_late || !RESERVED.contains(&key) {
            list.retain(|other| other.key != attribute.key);
            list.push(attribute);
        }
    }
}

impl Instrumentation {
    pub fn new(setup: &Setup, fault: usize) -> Arc<Self> {
        let version = if fault == OTHER_VERSION {
            "0.9.0"
        } else {
            SCOPE.1
        };
        let (tracer, meter) = match &setup.telemetry {
            Some(telemetry) if fault != PROVIDERS_IGNORED => {
                let provider = telemetry.tracer_provider();
                let tracer = provider.tracer_with_scope(scope(version));
                let meter = telemetry.meter_provider();
                (
                    BoxedTracer::new(Box::new(tracer)),
                    meter.meter_with_scope(scope(version)),
                )
            }
            _ => (
                global::tracer_with_scope(scope(version)),
                global::meter_with_scope(scope(version)),
            ),
        };
        let logger = setup.telemetry.as_ref().filter(|_| setup.exceptions);
        let logger = logger.map(|telemetry| {
            let provider = telemetry.logger_provider();
            provider.logger_with_scope(scope(version))
        });
        let durations = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(HTTP_SECONDS.to_vec())
                .build()
        };
        let counter = |name: &'static str, description: &'static str| {
            let counter = meter.u64_counter(name).with_unit("{message}");
            counter.with_description(description).build()
        };
        Arc::new(Self {
            tracer,
            logger,
            durations: durations(
                "messaging.client.operation.duration",
                "Duration of messaging operation initiated by a producer or consumer client.",
            ),
            processing: durations(
                "messaging.process.duration",
                "Duration of processing operation.",
            ),
            sent: counter(
                "messaging.client.sent.messages",
                "Number of messages producer attempted to send to the broker.",
            ),
            consumed: counter(
                "messaging.client.consumed.messages",
                "Number of messages that were delivered to the application.",
            ),
            propagator: setup
                .propagator
                .clone()
                .filter(|_| fault != PROPAGATOR_IGNORED)
                .or_else(|| (fault == PROPAGATOR_IGNORED).then(|| Propagator::new(""))),
            options: setup.options.clone(),
            fault,
        })
    }

    pub fn has(&self, fault: usize) -> bool {
        self.fault == fault
    }

    /// What is known of an operation.
    pub fn known(&self, operation: &'static str, is_metric: bool) -> Vec<KeyValue> {
        let mut list = vec![
            KeyValue::new("messaging.system.name", SYSTEM),
            KeyValue::new("server.address", "127.0.0.1"),
            KeyValue::new("messaging.operation.name", operation),
        ];
        let is_named = !is_metric || self.has(NAME_ON_METRICS);
        if self.options.template.is_none() || is_named {
            list.push(KeyValue::new("messaging.destination.name", DESTINATION));
        }
        if let Some(template) = self.options.template {
            list.push(KeyValue::new("messaging.destination.template", template));
        }
        list
    }

    fn view<'a>(operation: &'a str, headers: Option<&'a Headers>) -> View<'a> {
        View {
            operation,
            destination: DESTINATION,
            headers: headers.map(|headers| headers as &dyn Extractor),
        }
    }

    fn signals(&self, view: View<'_>) -> Signals {
        match &self.options.filter {
            Some(filter) if !self.has(FILTER_IGNORED) => filter.ask(view),
            _ => Signals::All,
        }
    }

    fn metric_attributes(&self, view: View<'_>) -> Vec<KeyValue> {
        let mut list = Vec::new();
        if let Some(hook) = &self.options.metric_attributes {
            replace(&mut list, hook.ask(view), self.fault);
        }
        list
    }

    /// Counts a message that is handed over.
    pub fn consume(&self, operation: &'static str, headers: &Headers) {
        let view = Self::view(
            operation,
            Some(headers).filter(|_| !self.has(COUNTED_UNSEEN)),
        );
        let signals = match self.fault {
            COUNTER_NOT_FILTERED => Signals::All,
            _ => self.signals(view),
        };
        if !matches!(signals, Signals::All | Signals::Metrics) {
            return;
        }
        let mut list = self.known(operation, true);
        if !self.has(COUNTER_NOT_HOOKED) {
            replace(&mut list, self.metric_attributes(view), self.fault);
        }
        self.consumed.add(1, &list);
        if self.has(COUNTED_TWICE) {
            self.consumed.add(1, &list);
        }
    }

    /// Begins an operation; what only its span has is `further`.
    pub fn start(self: &Arc<Self>, start: &Start<'_>, further: &[KeyValue]) -> Running {
        let view = Self::view(start.operation, start.headers);
        let (wall, clock) = (SystemTime::now(), Instant::now());
        let mut signals = self.signals(view);
        if start.class == Class::Settle
            && self.options.without_settle_spans
            && !self.has(SETTLED_WITH_SPANS)
        {
            signals = match signals {
                Signals::All | Signals::Metrics => Signals::Metrics,
                Signals::Traces | Signals::None => Signals::None,
            };
        }
        let has_span = matches!(signals, Signals::All | Signals::Traces);
        let context = match has_span {
            true => self.start_span(start, further, wall, view),
            false => start.parent.clone(),
        };
        let mut on_metrics = self.known(start.operation, true);
        replace(&mut on_metrics, self.metric_attributes(view), self.fault);
        Running {
            by: self.clone(),
            class: start.class,
            messages: start.messages,
            context,
            signals,
            on_metrics,
            wall,
            clock,
            is_done: false,
        }
    }

    fn start_span(
        &self,
        start: &Start<'_>,
        further: &[KeyValue],
        wall: SystemTime,
        view: View<'_>,
    ) -> Context {
        let class = match start.class {
            Class::Send => "send",
            Class::Consume => "receive",
            Class::Process => "process",
            Class::Settle => "settle",
        };
        let attributes = || {
            let mut list = self.known(start.operation, false);
            list.push(KeyValue::new("messaging.operation.type", class));
            list.extend_from_slice(further);
            if start.is_batch {
                let count = i64::try_from(start.messages).unwrap();
                list.push(KeyValue::new("messaging.batch.message_count", count));
            }
            if let Some(headers) = start.headers {
                self.show(headers, &mut list);
            }
            if let Some(body) = start.body {
                let size = i64::try_from(body.len()).unwrap();
                if self.options.body_sizes || self.has(SIZES_ALWAYS) {
                    list.push(KeyValue::new("messaging.message.body.size", size));
                }
                if self.has(BODY_SHOWN) {
                    list.push(KeyValue::new("post.body", body.to_owned()));
                }
            }
            if let Some(hook) = &self.options.span_attributes {
                replace(&mut list, hook.ask(view), self.fault);
            }
            list
        };
        let kind = match start.class {
            Class::Send if !start.keeps_context => SpanKind::Producer,
            Class::Process => SpanKind::Consumer,
            _ => SpanKind::Client,
        };
        let shown = self.options.template.unwrap_or(DESTINATION);
        let mut builder = SpanBuilder::from_name(format!("{} {shown}", start.operation))
            .with_kind(kind)
            .with_links(start.links.clone())
            .with_start_time(wall);
        let parent = match self.fault {
            NO_PARENT => &start.parent.with_span(NO_SPAN),
            _ => &start.parent,
        };
        let is_late = self.options.late_attributes && !self.has(LATE_IGNORED);
        let around = parent.span().span_context().clone();
        if !is_late && (around.is_sampled() || !around.is_remote()) {
            builder = builder.with_attributes(attributes());
        }
        let span = self.tracer.build_with_context(builder, parent);
        let context = parent.with_span(span);
        if is_late && context.span().is_recording() {
            context.span().set_attributes(attributes());
        }
        context
    }

    /// Headers that are asked for.
    fn show(&self, headers: &Headers, list: &mut Vec<KeyValue>) {
        for name in &self.options.captured_headers {
            let Some(value) = headers.get(name) else {
                continue;
            };
            let is_secret = *name == "authorization" || value.contains('@');
            let shown = match is_secret && !self.has(NOT_REDACTED) {
                true => "REDACTED",
                false => value,
            };
            let shown: Vec<StringValue> = vec![shown.to_owned().into()];
            let value = Value::Array(Array::String(shown));
            list.push(KeyValue::new(format!("messaging.header.{name}"), value));
        }
    }
}

const NO_SPAN: opentelemetry::trace::noop::NoopSpan = opentelemetry::trace::noop::NoopSpan::DEFAULT;
