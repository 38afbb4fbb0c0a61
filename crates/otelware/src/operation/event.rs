//! Exceptions as log events, for those who hand in a logger provider.

use super::intern::bounded;
use super::outcome::ErrorType;
use crate::semconv::attribute;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::SpanContext;
use std::fmt::Display;

/// The kind of log event that tells what ended an operation ("Exceptions in logs" in the semantic
/// conventions).
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// The event's name.
    pub name: &'static str,
    /// `ERROR` at servers and consumers, `WARN` at clients and producers.
    pub severity: Severity,
}

/// Makes sinks for events; stands for any logger provider.
pub(crate) trait EventSource {
    fn events(&self, scope: InstrumentationScope) -> Box<dyn EventSink>;
}

/// Takes events; stands for any logger.
pub(crate) trait EventSink: Send + Sync {
    fn emit(
        &self,
        exception: Exception,
        class: &ErrorType,
        error: &dyn Display,
        span: &SpanContext,
    );
}

impl<P, L> EventSource for P
where
    P: LoggerProvider<Logger = L>,
    L: Logger + Send + Sync + 'static,
{
    fn events(&self, scope: InstrumentationScope) -> Box<dyn EventSink> {
        Box::new(Events(self.logger_with_scope(scope)))
    }
}

struct Events<L>(L);

impl<L: Logger + Send + Sync> EventSink for Events<L> {
    fn emit(
        &self,
        exception: Exception,
        class: &ErrorType,
        error: &dyn Display,
        span: &SpanContext,
    ) {
        let mut record = self.0.create_log_record();
        record.set_event_name(exception.name);
        record.set_severity_number(exception.severity);
        record.set_severity_text(exception.severity.name());
        record.add_attribute(attribute::EXCEPTION_TYPE, class.as_str().to_owned());
        // What must not tell its message shows nothing.
        let message = error.to_string();
        if !message.is_empty() {
            record.add_attribute(attribute::EXCEPTION_MESSAGE, bounded(&message).to_owned());
        }
        if span.is_valid() {
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        self.0.emit(record);
    }
}
