//! What is done.

use crate::operation::Exception;
use crate::semconv::{attribute, event};
use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanKind;

/// What is done to messages: in the words of the broker's clients, and as the conventions class it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    name: &'static str,
    class: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Send,
    Receive,
    Process,
    Settle,
    Manage,
}

impl Verb {
    /// Hands messages to the broker.
    pub const fn send(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Send,
        }
    }

    /// Asks the broker for messages.
    pub const fn receive(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Receive,
        }
    }

    /// Does what a message was sent for.
    pub const fn process(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Process,
        }
    }

    /// Tells the broker what became of a message.
    pub const fn settle(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Settle,
        }
    }

    /// Does something else, such as to commit a transaction; the conventions have no type for it.
    pub const fn manage(name: &'static str) -> Self {
        Self {
            name,
            class: Class::Manage,
        }
    }

    /// `messaging.operation.name`.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// `messaging.operation.type`, where there is one.
    pub(super) fn class_attribute(self) -> Option<KeyValue> {
        let class = match self.class {
            Class::Send => "send",
            Class::Receive => "receive",
            Class::Process => "process",
            Class::Settle => "settle",
            Class::Manage => return None,
        };
        Some(KeyValue::new(attribute::MESSAGING_OPERATION_TYPE, class))
    }

    /// The kind of its span. A message that is sent with a context that it had before is sent by a
    /// client: the context's span produced it.
    pub(super) const fn kind(self, has_context: bool) -> SpanKind {
        match self.class {
            Class::Send if !has_context => SpanKind::Producer,
            Class::Process => SpanKind::Consumer,
            Class::Send | Class::Receive | Class::Settle | Class::Manage => SpanKind::Client,
        }
    }

    pub(super) const fn is_send(self) -> bool {
        matches!(self.class, Class::Send)
    }

    pub(super) const fn is_process(self) -> bool {
        matches!(self.class, Class::Process)
    }

    /// The event of an error that ended it.
    pub(super) const fn exception(self) -> Exception {
        let (name, severity) = match self.class {
            Class::Send | Class::Manage => (event::MESSAGING_SEND_EXCEPTION, Severity::Warn),
            Class::Receive => (event::MESSAGING_RECEIVE_EXCEPTION, Severity::Warn),
            Class::Process => (event::MESSAGING_PROCESS_EXCEPTION, Severity::Error),
            Class::Settle => (event::MESSAGING_SETTLE_EXCEPTION, Severity::Warn),
        };
        Exception { name, severity }
    }
}
