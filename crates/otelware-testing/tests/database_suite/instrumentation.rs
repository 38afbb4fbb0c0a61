//! The store's operations, observed with nothing but the SDK.

use std::time::{Duration, Instant, SystemTime};

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::{Histogram, Meter, MeterProvider};
use opentelemetry::trace::{
    SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::logs::SdkLogger;
use otelware_testing::DATABASE_SECONDS;
use otelware_testing::suites::database::{Cancellation, Options, Setup, Signals};

use crate::faults::*;
use crate::store::{Error, SCOPE, SYSTEM};

const RESERVED: [&str; 4] = [
    "db.system.name",
    "db.response.status_code",
    "db.response.returned_rows",
    "error.type",
];

pub struct Instrumentation {
    tracer: BoxedTracer,
    meter: Meter,
    logger: Option<SdkLogger>,
    duration: Histogram<f64>,
    options: Options,
    fault: usize,
}

fn scope(version: &'static str) -> InstrumentationScope {
    InstrumentationScope::builder(SCOPE.0)
        .with_version(version)
        .with_schema_url(SCOPE.2)
        .build()
}

/// What is known of the end of an operation.
struct End<'a> {
    code: Option<&'a str>,
    class: Option<&'a str>,
    is_error: bool,
    message: String,
}

/// An operation that was begun; ends when it is dropped, at the latest.
struct Running<'a> {
    by: &'a Instrumentation,
    command: &'static str,
    signals: Signals,
    /// With the span, unless that is made at the end or not at all.
    context: Context,
    pending: Option<SpanBuilder>,
    wall: SystemTime,
    clock: Instant,
    is_done: bool,
}

/// Adds attributes in the place of those with the same keys.
fn replace(list: &mut Vec<KeyValue>, more: &[KeyValue], fault: usize) {
    for attribute in more {
        if fault == RESERVED_REPLACED || !RESERVED.contains(&attribute.key.as_str()) {
            list.retain(|other| other.key != attribute.key);
            list.push(attribute.clone());
        }
    }
}

impl Instrumentation {
    pub fn new(setup: &Setup, fault: usize) -> Self {
        let version = if fault == OTHER_VERSION {
            "0.9.0"
        } else {
            SCOPE.1
        };
        let (tracer, meter) = match &setup.telemetry {
            Some(telemetry) if fault != GIVEN_PROVIDERS_IGNORED => {
                let tracer = telemetry
                    .tracer_provider()
                    .tracer_with_scope(scope(version));
                let meter = telemetry.meter_provider().meter_with_scope(scope(version));
                (BoxedTracer::new(Box::new(tracer)), meter)
            }
            _ => (
                global::tracer_with_scope(scope(version)),
                global::meter_with_scope(scope(version)),
            ),
        };
        let logger = setup.telemetry.as_ref().filter(|_| setup.exceptions);
        let logger = logger.map(|telemetry| {
            telemetry
                .logger_provider()
                .logger_with_scope(scope(version))
        });
        Self {
            tracer,
            logger,
            duration: meter
                .f64_histogram("db.client.operation.duration")
                .with_unit("s")
                .with_description("Duration of database client operations.")
                .with_boundaries(DATABASE_SECONDS.to_vec())
                .build(),
            meter,
            options: setup.options.clone(),
            fault,
        }
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    pub fn has(&self, fault: usize) -> bool {
        self.fault == fault
    }

    /// Runs this as one operation.
    pub async fn observe(
        &self,
        command: &'static str,
        text: &str,
        running: impl Future<Output = Result<u64, Error>>,
    ) -> Result<u64, Error> {
        let mut operation = self.start(command, text);
        let result = running.await;
        operation.is_done = true;
        let end = match &result {
            Ok(0) if self.has(NOTHING_IS_AN_ERROR) && command == "GET" => End {
                code: None,
                class: Some("nothing"),
                is_error: true,
                message: String::new(),
            },
            Ok(_) => End {
                code: None,
                class: None,
                is_error: false,
                message: String::new(),
            },
            Err(error) => End {
                code: error.code(),
                class: Some(error.class()).filter(|_| !self.has(NO_ERROR_TYPE)),
                is_error: true,
                message: self.message(error),
            },
        };
        operation.end(&end);
        result
    }

    fn message(&self, error: &Error) -> String {
        let is_shown = match self.fault {
            MESSAGES_SHOWN => true,
            MESSAGES_HIDDEN => false,
            _ => self.options.error_messages,
        };
        if is_shown {
            error.to_string()
        } else {
            String::new()
        }
    }

    fn known(&self, command: &'static str) -> Vec<KeyValue> {
        vec![
            KeyValue::new("db.system.name", SYSTEM),
            KeyValue::new("db.namespace", "0"),
            KeyValue::new("server.address", "127.0.0.1"),
            KeyValue::new("db.operation.name", command),
        ]
    }

    fn signals(&self, command: &str, parent: &Context) -> Signals {
        let filter = self.options.filter.as_ref();
        let signals = match filter.filter(|_| !self.has(FILTER_IGNORED)) {
            Some(filter) => filter.signals(command),
            None => Signals::All,
        };
        let only_with_parent = self.options.parent_only && !self.has(PARENT_ONLY_IGNORED);
        match signals {
            Signals::All if only_with_parent && !parent.has_active_span() => Signals::Metrics,
            Signals::Traces if only_with_parent && !parent.has_active_span() => Signals::None,
            signals => signals,
        }
    }

    fn start(&self, command: &'static str, text: &str) -> Running<'_> {
        let parent = match self.fault {
            NO_PARENT => Context::new(),
            _ => Context::current(),
        };
        let signals = self.signals(command, &parent);
        let mut operation = Running {
            by: self,
            command,
            signals,
            context: parent,
            pending: None,
            wall: SystemTime::now(),
            clock: Instant::now(),
            is_done: false,
        };
        if !matches!(signals, Signals::Traces | Signals::All) {
            return operation;
        }
        let attributes = || {
            let mut list = self.known(command);
            list.push(KeyValue::new("db.query.text", text.to_owned()));
            replace(&mut list, &self.options.span_attributes, self.fault);
            list
        };
        let mut builder = SpanBuilder::from_name(command)
            .with_kind(SpanKind::Client)
            .with_start_time(operation.wall);
        if self.options.minimum_duration.is_some() && !self.has(MINIMUM_IGNORED) {
            operation.pending = Some(builder.with_attributes(attributes()));
            return operation;
        }
        let parent = &operation.context;
        let is_late = self.options.late_attributes && !self.has(LATE_IGNORED);
        let is_unsampled = {
            let parent = parent.span();
            parent.span_context().is_remote() && !parent.span_context().is_sampled()
        };
        if !is_late && !is_unsampled {
            builder = builder.with_attributes(attributes());
        }
        let span = self.tracer.build_with_context(builder, parent);
        operation.context = parent.with_span(span);
        if is_late && operation.context.span().is_recording() {
            operation.context.span().set_attributes(attributes());
        }
        operation
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let wanted = self.by.options.cancellation.unwrap_or(Cancellation::Ignore);
        let cancellation = match self.by.fault {
            CANCELLATION_IGNORED => Cancellation::Ignore,
            _ => wanted,
        };
        self.end(&End {
            code: None,
            class: (cancellation != Cancellation::Ignore).then_some("cancelled"),
            is_error: cancellation == Cancellation::Error,
            message: String::new(),
        });
    }
}

impl Running<'_> {
    fn end(&mut self, end: &End<'_>) {
        let elapsed = self.clock.elapsed();
        self.end_span(end, elapsed);
        let is_measured = match self.by.fault {
            UNSAMPLED_NOT_MEASURED => self.context.span().is_recording() || elapsed.is_zero(),
            DROPPED_NOT_MEASURED => self.is_done,
            _ => true,
        };
        if matches!(self.signals, Signals::Metrics | Signals::All) && is_measured {
            let mut list = self.by.known(self.command);
            list.extend(ended(end));
            replace(&mut list, &self.by.options.metric_attributes, self.by.fault);
            let measured = match self.by.fault {
                ANOTHER_CLOCK => elapsed + Duration::from_millis(1),
                _ => elapsed,
            };
            self.by.duration.record(measured.as_secs_f64(), &list);
        }
        if let (Some(logger), Some(class)) = (&self.by.logger, end.class) {
            self.emit(logger, class, &end.message);
        }
    }

    fn end_span(&mut self, end: &End<'_>, elapsed: Duration) {
        if let Some(builder) = self.pending.take() {
            let minimum = self.by.options.minimum_duration.unwrap_or_default();
            if elapsed < minimum && !end.is_error {
                return;
            }
            let span = self.by.tracer.build_with_context(builder, &self.context);
            self.context = self.context.with_span(span);
        } else if !matches!(self.signals, Signals::Traces | Signals::All) {
            return;
        }
        let span = self.context.span();
        span.set_attributes(ended(end));
        if end.is_error {
            span.set_status(Status::error(end.message.clone()));
        }
        span.end_with_timestamp(self.wall + elapsed);
    }

    fn emit(&self, logger: &SdkLogger, class: &str, message: &str) {
        let mut record = logger.create_log_record();
        record.set_event_name("db.client.operation.exception");
        record.set_severity_number(Severity::Warn);
        record.add_attribute("exception.type", AnyValue::from(class.to_owned()));
        if !message.is_empty() {
            record.add_attribute("exception.message", AnyValue::from(message.to_owned()));
        }
        let span = self.context.span();
        let span = span.span_context();
        record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        logger.emit(record);
    }
}

fn ended(end: &End<'_>) -> Vec<KeyValue> {
    let code = end
        .code
        .map(|code| KeyValue::new("db.response.status_code", code.to_owned()));
    let class = end
        .class
        .map(|class| KeyValue::new("error.type", class.to_owned()));
    code.into_iter().chain(class).collect()
}
