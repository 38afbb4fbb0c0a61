//! What a whole log record should be.

use opentelemetry::logs::Severity;

use crate::diff::{Want, Wanted};
use crate::log::{body_text, event_name_text, span_text};
use crate::remote::SpanIdentity;
use crate::scope::Scope;
use crate::value::Value;

/// Expects a log record of this severity without body, event name, attribute and span, until told otherwise.
pub fn expect_log(severity: Severity) -> ExpectedLog {
    ExpectedLog {
        severity,
        body: None,
        event_name: None,
        target: None,
        span: None,
        scope: None,
        attributes: Vec::new(),
    }
}

/// An expectation of a whole log record; see [`expect_log`].
#[derive(Clone, Debug)]
#[must_use = "an expectation does nothing until it is handed to `Log::assert`"]
pub struct ExpectedLog {
    severity: Severity,
    body: Option<Value>,
    event_name: Option<String>,
    target: Option<String>,
    span: Option<String>,
    scope: Option<Scope>,
    attributes: Vec<(String, Want)>,
}

impl ExpectedLog {
    /// Expects this body.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Expects an event of this name.
    pub fn event_name(mut self, name: impl Into<String>) -> Self {
        self.event_name = Some(name.into());
        self
    }

    /// Expects this target; without this call any will do.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Expects it to carry the trace id and span id of `span`.
    pub fn in_span(mut self, span: &impl SpanIdentity) -> Self {
        let span = span.span_context();
        self.span = Some(span_text(span.trace_id(), span.span_id()));
        self
    }

    /// Expects an attribute of this value and type.
    ///
    /// # Panics
    ///
    /// If the key was stated before.
    #[track_caller]
    pub fn attribute(self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = value.into().described();
        self.attribute_wanted(key.into(), Want::Exactly(value))
    }

    /// Expects attributes of these values and types; [`attributes!`](crate::attributes!) mixes types.
    ///
    /// # Panics
    ///
    /// If a key was stated before.
    #[track_caller]
    pub fn attributes<K: Into<String>, V: Into<Value>>(
        mut self,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        for (key, value) in attributes {
            self = self.attribute(key, value);
        }
        self
    }

    /// Expects an attribute whose value a test cannot know, such as a stack trace.
    ///
    /// # Panics
    ///
    /// If the key was stated before.
    #[track_caller]
    pub fn any_value(self, key: impl Into<String>) -> Self {
        self.attribute_wanted(key.into(), Want::Anything)
    }

    #[track_caller]
    fn attribute_wanted(mut self, key: String, want: Want) -> Self {
        if self.attributes.iter().any(|(other, _)| *other == key) {
            panic!("attribute {key} is expected twice");
        }
        self.attributes.push((key, want));
        self
    }

    /// Expects this instrumentation scope; without this call any will do.
    pub fn scope(mut self, name: &str, version: &str, schema_url: &str) -> Self {
        self.scope = Some(Scope::new(name, version, schema_url));
        self
    }

    pub(crate) fn fields(&self) -> Vec<Wanted> {
        let mut fields = vec![
            (
                "severity".to_owned(),
                Want::Exactly(self.severity.name().to_owned()),
            ),
            (
                "body".to_owned(),
                Want::Exactly(body_text(self.body.as_ref())),
            ),
            (
                "event name".to_owned(),
                Want::Exactly(event_name_text(self.event_name.as_deref())),
            ),
            (
                "target".to_owned(),
                Want::exactly_or_anything(self.target.as_ref().map(|name| format!("{name:?}"))),
            ),
            (
                "span".to_owned(),
                Want::Exactly(self.span.clone().unwrap_or_else(|| "none".to_owned())),
            ),
            (
                "scope".to_owned(),
                Want::exactly_or_anything(self.scope.as_ref().map(ToString::to_string)),
            ),
        ];
        for (key, want) in &self.attributes {
            fields.push((format!("attribute {key}"), want.clone()));
        }
        fields
    }
}

impl AsRef<ExpectedLog> for ExpectedLog {
    fn as_ref(&self) -> &ExpectedLog {
        self
    }
}
