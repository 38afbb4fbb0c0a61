//! What a whole span should be.

use opentelemetry::trace::{SpanContext, SpanKind, Status};

use crate::diff::{Want, Wanted};
use crate::remote::SpanIdentity;
use crate::scope::Scope;
use crate::span::{event_text, kind_text, link_text, parent_text, status_text};
use crate::value::{Attributes, Value, expected};

/// Expects a span of this name that is internal, has no parent, attribute, link or event, and an unset status, until told otherwise.
pub fn expect_span(name: impl Into<String>) -> ExpectedSpan {
    ExpectedSpan {
        name: name.into(),
        kind: SpanKind::Internal,
        parent: Parent::None,
        status: Want::Exactly(status_text(&Status::Unset)),
        attributes: Vec::new(),
        links: Vec::new(),
        events: Vec::new(),
        scope: None,
        flags: None,
        trace_state: None,
    }
}

/// An expectation of a whole span; see [`expect_span`].
#[derive(Clone, Debug)]
#[must_use = "an expectation does nothing until it is handed to `Span::assert`"]
pub struct ExpectedSpan {
    name: String,
    kind: SpanKind,
    parent: Parent,
    status: Want,
    attributes: Vec<(String, Want)>,
    links: Vec<String>,
    events: Vec<String>,
    scope: Option<Scope>,
    flags: Option<u8>,
    trace_state: Option<String>,
}

#[derive(Clone, Debug)]
enum Parent {
    None,
    Anything,
    Of(SpanContext),
}

impl ExpectedSpan {
    /// Expects this kind.
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Expects a root span. This is the default.
    pub fn no_parent(mut self) -> Self {
        self.parent = Parent::None;
        self
    }

    /// Expects this parent in the same trace. The parent is remote exactly if `parent` says so: a [`RemoteParent`](crate::RemoteParent) is, a captured [`Span`](crate::Span) is not.
    pub fn child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Parent::Of(parent.span_context());
        self
    }

    /// Expects this parent in the same trace, reached by propagation: such as a captured client span whose server is captured too.
    pub fn remote_child_of(mut self, parent: &impl SpanIdentity) -> Self {
        let parent = parent.span_context();
        self.parent = Parent::Of(SpanContext::new(
            parent.trace_id(),
            parent.span_id(),
            parent.trace_flags(),
            true,
            parent.trace_state().clone(),
        ));
        self
    }

    /// Accepts any parent, and none.
    pub fn any_parent(mut self) -> Self {
        self.parent = Parent::Anything;
        self
    }

    /// Expects an unset status. This is the default.
    pub fn status_unset(mut self) -> Self {
        self.status = Want::Exactly(status_text(&Status::Unset));
        self
    }

    /// Expects an error status without description.
    pub fn error(self) -> Self {
        self.error_description("")
    }

    /// Expects an error status with this description.
    pub fn error_description(mut self, description: impl Into<String>) -> Self {
        self.status = Want::Exactly(status_text(&Status::error(description.into())));
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

    /// Expects an attribute whose value a test cannot know, such as an ephemeral port.
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

    /// Expects one more link to this span, with its trace state and without attributes.
    pub fn link_to(self, span: &impl SpanIdentity) -> Self {
        self.link_with(span, Attributes::new())
    }

    /// Expects one more link to this span, with its trace state and exactly these attributes.
    ///
    /// # Panics
    ///
    /// If a key is given twice.
    #[track_caller]
    pub fn link_with<K: Into<String>, V: Into<Value>>(
        mut self,
        span: &impl SpanIdentity,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let span = span.span_context();
        let attributes = expected("an expected link", attributes);
        self.links.push(link_text(
            span.trace_id(),
            span.span_id(),
            &span.trace_state().header(),
            &attributes,
        ));
        self
    }

    /// Expects no link. This is the default.
    pub fn no_links(mut self) -> Self {
        self.links.clear();
        self
    }

    /// Expects one more event, with exactly these attributes.
    ///
    /// # Panics
    ///
    /// If a key is given twice.
    #[track_caller]
    pub fn event<K: Into<String>, V: Into<Value>>(
        mut self,
        name: &str,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let attributes = expected("an expected event", attributes);
        self.events.push(event_text(name, &attributes));
        self
    }

    /// Expects no event. This is the default.
    pub fn no_events(mut self) -> Self {
        self.events.clear();
        self
    }

    /// Expects this instrumentation scope; without this call any will do.
    pub fn scope(mut self, name: &str, version: &str, schema_url: &str) -> Self {
        self.scope = Some(Scope::new(name, version, schema_url));
        self
    }

    /// Expects these trace flags; without this call any will do.
    pub fn flags(mut self, flags: u8) -> Self {
        self.flags = Some(flags);
        self
    }

    /// Expects this trace state, as its header reads; without this call any will do.
    pub fn trace_state(mut self, trace_state: impl Into<String>) -> Self {
        self.trace_state = Some(trace_state.into());
        self
    }

    pub(crate) fn fields(&self) -> Vec<Wanted> {
        let parent = match &self.parent {
            Parent::None => Want::Exactly("none".to_owned()),
            Parent::Anything => Want::Anything,
            Parent::Of(parent) => Want::Exactly(parent_text(
                parent.trace_id(),
                parent.span_id(),
                parent.is_remote(),
            )),
        };
        let mut fields = vec![
            ("name".to_owned(), Want::Exactly(format!("{:?}", self.name))),
            (
                "kind".to_owned(),
                Want::Exactly(kind_text(&self.kind).to_owned()),
            ),
            ("parent".to_owned(), parent),
            ("status".to_owned(), self.status.clone()),
            (
                "scope".to_owned(),
                Want::exactly_or_anything(self.scope.as_ref().map(ToString::to_string)),
            ),
            (
                "flags".to_owned(),
                Want::exactly_or_anything(self.flags.map(|flags| format!("{flags:02x}"))),
            ),
            (
                "trace state".to_owned(),
                Want::exactly_or_anything(
                    self.trace_state.as_ref().map(|state| format!("{state:?}")),
                ),
            ),
        ];
        for (key, want) in &self.attributes {
            fields.push((format!("attribute {key}"), want.clone()));
        }
        for (index, link) in self.links.iter().enumerate() {
            fields.push((format!("link {}", index + 1), Want::Exactly(link.clone())));
        }
        for (index, event) in self.events.iter().enumerate() {
            fields.push((format!("event {}", index + 1), Want::Exactly(event.clone())));
        }
        fields
    }
}

impl AsRef<ExpectedSpan> for ExpectedSpan {
    fn as_ref(&self) -> &ExpectedSpan {
        self
    }
}
