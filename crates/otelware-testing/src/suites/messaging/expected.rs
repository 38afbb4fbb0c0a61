//! What an operation must leave behind.

use opentelemetry::trace::{SpanContext, SpanKind};

use super::setup::Cancellation;
use crate::{Attributes, ExpectedSpan, Scope, Span, SpanIdentity, Value, attributes, expect_span};

const OPERATION_TYPE: &str = "messaging.operation.type";

/// What all spans and metrics say of a broker.
#[derive(Clone, Debug)]
pub struct Broker {
    /// The instrumentation scope.
    pub scope: Scope,
    /// `messaging.system.name`.
    pub system: &'static str,
    /// `server.address`.
    pub address: Option<String>,
    /// `server.port`.
    pub port: Option<u16>,
}

impl Broker {
    fn attributes(&self) -> Attributes {
        let mut list = attributes! { "messaging.system.name" => self.system };
        let mut insert = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                list.insert(key.to_owned(), value);
            }
        };
        insert("server.address", self.address.as_ref().map(Value::from));
        insert("server.port", self.port.map(Value::from));
        list
    }

    /// Name, version and schema URL of the scope.
    pub(super) fn scope(&self) -> (&str, &str, &str) {
        let version = self.scope.version.as_deref().unwrap_or_default();
        let schema_url = self.scope.schema_url.as_deref().unwrap_or_default();
        (&self.scope.name, version, schema_url)
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Messages are handed to the broker.
    Send,
    /// Messages are handed to the application, and counted; there is no span.
    Consume,
    /// What a message was sent for is done.
    Process,
    /// The broker is told what became of a message.
    Settle,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Consume => "receive",
            Self::Process => "process",
            Self::Settle => "settle",
        }
    }

    const fn kind(self) -> SpanKind {
        match self {
            Self::Send => SpanKind::Producer,
            Self::Process => SpanKind::Consumer,
            Self::Consume | Self::Settle => SpanKind::Client,
        }
    }
}

/// Everything that one operation must leave behind: what is not said must be absent.
#[derive(Clone, Debug)]
#[must_use = "an expectation does nothing until it is compared with"]
pub struct ExpectedOperation {
    pub(super) class: Class,
    operation: &'static str,
    destination: String,
    template: Option<String>,
    kind: SpanKind,
    on_both: Attributes,
    on_span: Attributes,
    at_end: Attributes,
    on_metrics: Attributes,
    may_have: Attributes,
    pub(super) messages: u64,
    error_type: Option<String>,
    failed: bool,
    description: String,
    parent: Option<SpanContext>,
    links: Vec<(SpanContext, Attributes)>,
    pub(super) has_span: bool,
    pub(super) has_metrics: bool,
}

impl ExpectedOperation {
    /// One of this `messaging.operation.name` on one message, which succeeds, and has neither parent
    /// nor links.
    pub fn new(class: Class, operation: &'static str, destination: impl Into<String>) -> Self {
        Self {
            class,
            operation,
            destination: destination.into(),
            template: None,
            kind: class.kind(),
            on_both: Attributes::new(),
            on_span: Attributes::new(),
            at_end: Attributes::new(),
            on_metrics: Attributes::new(),
            may_have: Attributes::new(),
            messages: 1,
            error_type: None,
            failed: false,
            description: String::new(),
            parent: None,
            links: Vec::new(),
            has_span: class != Class::Consume,
            has_metrics: true,
        }
    }

    /// An attribute of span and metrics, besides those that all have.
    pub fn on_both(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_both.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the span, which is there when it starts. It may be in the place of another.
    pub fn on_span(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_span.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the span, which is there when it has ended.
    pub fn at_end(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.at_end.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the metrics. It may be in the place of another.
    pub fn on_metrics(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_metrics.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the span that the client may not know yet; if it is there, it is this.
    pub fn may_have(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.may_have.insert(key.to_owned(), value.into());
        self
    }

    /// It is about so many messages at once.
    pub fn batch(mut self, messages: u64) -> Self {
        self.messages = messages;
        self.on_span("messaging.batch.message_count", messages)
    }

    /// Its destination has this template, as the options have it.
    pub(super) fn templated(mut self, template: &str) -> Self {
        self.template = Some(template.to_owned());
        self
    }

    /// Fails with this class.
    pub fn fails(mut self, error_type: impl Into<String>) -> Self {
        self.error_type = Some(error_type.into());
        self.failed = true;
        self
    }

    /// Is dropped before it is done.
    pub fn dropped(mut self, cancellation: Cancellation) -> Self {
        if cancellation != Cancellation::Ignore {
            self.error_type = Some("cancelled".to_owned());
        }
        self.failed = cancellation == Cancellation::Error;
        self
    }

    /// The description of the span's status.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sends what keeps the context that it had.
    pub(super) fn by_client(mut self) -> Self {
        self.kind = SpanKind::Client;
        self
    }

    /// Has this parent, in this process.
    pub fn child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Some(with_remote(&parent.span_context(), false));
        self
    }

    /// Has this parent, which came with a message.
    pub fn remote_child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Some(with_remote(&parent.span_context(), true));
        self
    }

    /// Is linked to this span.
    pub fn link_to(self, span: &impl SpanIdentity) -> Self {
        self.link_with(span, Attributes::new())
    }

    /// Is linked to this span, with these attributes.
    pub fn link_with(mut self, span: &impl SpanIdentity, attributes: Attributes) -> Self {
        self.links.push((span.span_context(), attributes));
        self
    }

    /// Leaves no span.
    pub fn no_span(mut self) -> Self {
        self.has_span = false;
        self
    }

    /// Leaves no metrics.
    pub fn no_metrics(mut self) -> Self {
        self.has_metrics = false;
        self
    }

    /// `messaging.operation.name`.
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// `messaging.destination.name`.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// What its span has only when it has ended, but for its error.
    pub(super) const fn late(&self) -> &Attributes {
        &self.at_end
    }

    /// `error.type`, if it has one.
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }

    /// The name of the span.
    pub fn name(&self) -> String {
        let shown = self.template.as_ref().unwrap_or(&self.destination);
        format!("{} {shown}", self.operation)
    }

    fn common(&self, broker: &Broker) -> Attributes {
        let mut list = broker.attributes();
        list.insert("messaging.operation.name".to_owned(), self.operation.into());
        if let Some(template) = &self.template {
            let key = "messaging.destination.template".to_owned();
            list.insert(key, template.into());
        }
        list
    }

    fn named(&self, list: &mut Attributes) {
        let key = "messaging.destination.name".to_owned();
        list.insert(key, (&self.destination).into());
    }

    /// What the span has when it starts, for samplers to see; of what it may have, that which it
    /// has.
    pub(super) fn started_attributes(&self, broker: &Broker, found: &Attributes) -> Attributes {
        let mut list = self.common(broker);
        list.insert(OPERATION_TYPE.to_owned(), self.class.name().into());
        self.named(&mut list);
        list.extend(self.on_both.clone());
        list.extend(self.on_span.clone());
        for (key, value) in &self.may_have {
            if found.contains_key(key) {
                list.insert(key.clone(), value.clone());
            }
        }
        list
    }

    /// The whole span that `found` is to be.
    pub(super) fn span(&self, broker: &Broker, found: &Span) -> ExpectedSpan {
        let mut whole = self.started_attributes(broker, &found.attributes);
        whole.extend(self.at_end.clone());
        whole.extend(self.error());
        let (scope, version, schema_url) = broker.scope();
        let mut expected = expect_span(self.name())
            .kind(self.kind.clone())
            .scope(scope, version, schema_url)
            .attributes(whole);
        expected = match &self.parent {
            Some(parent) if parent.is_remote() => expected.remote_child_of(parent),
            Some(parent) => expected.child_of(parent),
            None => expected.no_parent(),
        };
        for (link, attributes) in &self.links {
            expected = expected.link_with(link, attributes.clone());
        }
        if self.failed {
            expected = expected.error_description(&self.description);
        }
        expected
    }

    /// The attributes of the counters, and of `messaging.process.duration`.
    pub(super) fn metric_attributes(&self, broker: &Broker) -> Attributes {
        let mut list = self.common(broker);
        if self.template.is_none() {
            self.named(&mut list);
        }
        list.extend(self.on_both.clone());
        list.extend(self.error());
        list.extend(self.on_metrics.clone());
        list
    }

    /// The attributes of `messaging.client.operation.duration`.
    pub(super) fn duration_attributes(&self, broker: &Broker) -> Attributes {
        let mut list = self.metric_attributes(broker);
        list.insert(OPERATION_TYPE.to_owned(), self.class.name().into());
        list
    }

    fn error(&self) -> Attributes {
        let error_type = self.error_type.iter();
        error_type
            .map(|class| ("error.type".to_owned(), class.into()))
            .collect()
    }
}

fn with_remote(span: &SpanContext, is_remote: bool) -> SpanContext {
    SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags(),
        is_remote,
        span.trace_state().clone(),
    )
}
