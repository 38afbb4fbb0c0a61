//! The post's operations, observed with nothing but the SDK: how they end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::logs::SdkLogger;
use otelware_testing::suites::messaging::{Cancellation, Class, Signals};

use crate::faults::*;
use crate::instrumentation::Instrumentation;

/// An operation that was begun; ends when it is dropped, at the latest.
pub struct Running {
    pub by: Arc<Instrumentation>,
    pub class: Class,
    pub messages: u64,
    /// With the span, unless there is none.
    pub context: Context,
    pub signals: Signals,
    pub on_metrics: Vec<KeyValue>,
    pub wall: SystemTime,
    pub clock: Instant,
    pub is_done: bool,
}

/// What is known of the end of an operation.
struct End<'a> {
    class: Option<&'a str>,
    is_error: bool,
    text: &'a str,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        if std::thread::panicking() && !self.by.has(PANIC_IS_DROPPED) {
            self.fail("panic", "");
            return;
        }
        let cancellation = match self.by.options.cancellation {
            Some(told) if !self.by.has(CANCELLATION_IGNORED) => told,
            _ => Cancellation::Mark,
        };
        if self.by.has(DROPPED_NOT_MEASURED) {
            self.signals = Signals::Traces;
        }
        self.end(&End {
            class: (cancellation != Cancellation::Ignore).then_some("cancelled"),
            is_error: cancellation == Cancellation::Error,
            text: "",
        });
    }
}

impl Running {
    pub fn has_span(&self) -> bool {
        matches!(self.signals, Signals::Traces | Signals::All)
    }

    pub fn set_attribute(&self, attribute: KeyValue) {
        if self.has_span() {
            self.context.span().set_attribute(attribute);
        }
    }

    pub fn succeed(&mut self) {
        self.end(&End {
            class: None,
            is_error: false,
            text: "",
        });
    }

    pub fn fail(&mut self, class: &str, text: &str) {
        let is_shown = self.by.options.error_messages || self.by.has(TEXTS_SHOWN);
        self.end(&End {
            class: Some(class).filter(|_| !self.by.has(NO_ERROR_TYPE)),
            is_error: true,
            text: if is_shown { text } else { "" },
        });
        if let Some(logger) = &self.by.logger {
            self.emit(logger, class, if is_shown { text } else { "" });
        }
    }

    fn end(&mut self, end: &End<'_>) {
        self.is_done = true;
        let took = self.clock.elapsed();
        let class = end
            .class
            .map(|class| KeyValue::new("error.type", class.to_owned()));
        let span = self.context.span();
        let is_recording = span.is_recording();
        if self.has_span() {
            span.set_attributes(class.clone());
            if end.is_error {
                span.set_status(Status::error(end.text.to_owned()));
            }
            span.end_with_timestamp(self.wall + took);
        }
        let is_lost = self.by.has(UNSAMPLED_NOT_MEASURED) && !is_recording;
        if !matches!(self.signals, Signals::Metrics | Signals::All) || is_lost {
            return;
        }
        let mut list = self.on_metrics.clone();
        list.extend(class);
        let seconds = match self.by.fault {
            ANOTHER_CLOCK => took + Duration::from_millis(1),
            _ => took,
        }
        .as_secs_f64();
        match self.class {
            Class::Process => self.by.processing.record(seconds, &list),
            Class::Send => {
                if !end.is_error || !self.by.has(REFUSED_NOT_COUNTED) {
                    self.by.sent.add(self.messages, &list);
                }
                list.push(KeyValue::new("messaging.operation.type", "send"));
                self.by.durations.record(seconds, &list);
            }
            _ => {
                list.push(KeyValue::new("messaging.operation.type", "settle"));
                self.by.durations.record(seconds, &list);
            }
        }
    }

    fn emit(&self, logger: &SdkLogger, class: &str, text: &str) {
        let (name, severity) = match self.class {
            Class::Process => ("messaging.process.exception", Severity::Error),
            _ => ("messaging.send.exception", Severity::Warn),
        };
        let mut record = logger.create_log_record();
        record.set_event_name(name);
        record.set_severity_number(severity);
        record.add_attribute("exception.type", AnyValue::from(class.to_owned()));
        if !text.is_empty() {
            record.add_attribute("exception.message", AnyValue::from(text.to_owned()));
        }
        let span = self.context.span();
        let span = span.span_context();
        record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        logger.emit(record);
    }
}
