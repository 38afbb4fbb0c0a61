//! Captured log records.

use std::fmt;
use std::time::SystemTime;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::diff::{Found, assert_same, write_fields};
use crate::expect_log::ExpectedLog;
use crate::scope::Scope;
use crate::value::{Attributes, Repetition, Value, assert_no_repetition, collect};

/// An emitted log record; an event if it has an event name.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Log {
    /// The severity.
    pub severity: Option<Severity>,
    /// The severity as its source names it.
    pub severity_text: Option<String>,
    /// The body.
    pub body: Option<Value>,
    /// The event name.
    pub event_name: Option<String>,
    /// The target, which the OTLP exporter writes as the scope's name.
    pub target: Option<String>,
    /// The attributes, each set once.
    pub attributes: Attributes,
    /// The trace in which it was emitted.
    pub trace_id: Option<TraceId>,
    /// The span in which it was emitted.
    pub span_id: Option<SpanId>,
    /// When it happened, if its source says so.
    pub time: Option<SystemTime>,
    /// The instrumentation that made it.
    pub scope: Scope,
}

impl Log {
    /// Converts what the SDK emitted.
    ///
    /// # Panics
    ///
    /// If an attribute is set more than once.
    #[track_caller]
    pub(crate) fn strict(record: &SdkLogRecord, scope: &InstrumentationScope) -> Self {
        let mut repetitions = Vec::new();
        let log = Self::lenient(record, scope, &mut repetitions);
        assert_no_repetition(&repetitions);
        log
    }

    /// Converts what the SDK emitted; attributes set more than once go to `repetitions`.
    pub(crate) fn lenient(
        record: &SdkLogRecord,
        scope: &InstrumentationScope,
        repetitions: &mut Vec<Repetition>,
    ) -> Self {
        let body = record.body().map(Value::from);
        let owner = match (record.event_name(), &body) {
            (Some(name), _) => format!("log event {name:?}"),
            (None, Some(body)) => format!("log {body}"),
            (None, None) => "a log".to_owned(),
        };
        let attributes = record
            .attributes_iter()
            .map(|(key, value)| (key.to_string(), Value::from(value)));
        let context = record.trace_context();
        Self {
            severity: record.severity_number(),
            severity_text: record.severity_text().map(ToOwned::to_owned),
            event_name: record.event_name().map(ToOwned::to_owned),
            target: record.target().map(ToString::to_string),
            attributes: collect(&owner, attributes, repetitions),
            trace_id: context.map(|context| context.trace_id),
            span_id: context.map(|context| context.span_id),
            time: record.timestamp(),
            scope: Scope::from(scope),
            body,
        }
    }

    /// The value of the attribute `key`.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.get(key)
    }

    /// Compares the whole log record with `expected`.
    ///
    /// # Panics
    ///
    /// If they differ, listing every difference.
    #[track_caller]
    pub fn assert(&self, expected: impl AsRef<ExpectedLog>) {
        assert_same("log", &expected.as_ref().fields(), &self.fields(), self);
    }

    pub(crate) fn fields(&self) -> Vec<Found> {
        let severity = self.severity.map_or("none", |severity| severity.name());
        let span = match (self.trace_id, self.span_id) {
            (Some(trace_id), Some(span_id)) => span_text(trace_id, span_id),
            _ => "none".to_owned(),
        };
        let mut fields = vec![
            ("severity".to_owned(), severity.to_owned()),
            ("body".to_owned(), body_text(self.body.as_ref())),
            (
                "event name".to_owned(),
                event_name_text(self.event_name.as_deref()),
            ),
            (
                "target".to_owned(),
                format!("{:?}", self.target.as_deref().unwrap_or_default()),
            ),
            ("span".to_owned(), span),
            ("scope".to_owned(), self.scope.to_string()),
        ];
        for (key, value) in &self.attributes {
            fields.push((format!("attribute {key}"), value.described()));
        }
        fields
    }
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("log {}", self.severity_text.as_deref().unwrap_or_default());
        write_fields(formatter, title.trim_end(), &self.fields())
    }
}

pub(crate) fn body_text(body: Option<&Value>) -> String {
    body.map_or_else(|| "none".to_owned(), Value::described)
}

pub(crate) fn event_name_text(name: Option<&str>) -> String {
    name.map_or_else(|| "none".to_owned(), |name| format!("{name:?}"))
}

pub(crate) fn span_text(trace_id: TraceId, span_id: SpanId) -> String {
    format!("{trace_id}-{span_id}")
}
