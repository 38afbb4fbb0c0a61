//! Exceptions as log events, for those who hand in a logger provider.

use super::outcome::ErrorType;
use crate::semconv::attribute;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::SpanContext;

/// What ended an operation, as a log event ("Exceptions in logs" in the semantic conventions).
#[derive(Debug)]
pub struct Exception {
    /// The event's name.
    pub name: &'static str,
    /// `ERROR` at servers and consumers, `WARN` at clients and producers.
    pub severity: Severity,
    /// The class of the error.
    pub error_type: ErrorType,
    /// The error's text, if there is one.
    pub message: Option<String>,
}

/// Makes sinks for events; stands for any logger provider.
pub(crate) trait EventSource {
    fn events(&self, scope: InstrumentationScope) -> Box<dyn EventSink>;
}

/// Takes events; stands for any logger.
pub(crate) trait EventSink: Send + Sync {
    fn emit(&self, exception: Exception, span: &SpanContext);
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
    fn emit(&self, exception: Exception, span: &SpanContext) {
        let mut record = self.0.create_log_record();
        record.set_event_name(exception.name);
        record.set_severity_number(exception.severity);
        record.set_severity_text(exception.severity.name());
        record.add_attribute(
            attribute::EXCEPTION_TYPE,
            exception.error_type.as_str().to_owned(),
        );
        if let Some(message) = exception.message {
            record.add_attribute(attribute::EXCEPTION_MESSAGE, message);
        }
        if span.is_valid() {
            record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
        }
        self.0.emit(record);
    }
}
