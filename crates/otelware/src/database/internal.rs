//! Spans of what is no operation on the database, such as the wait for a connection.

use super::options::View;
use super::{Failure, Shared};
use crate::operation::{Describe, End, Family, Operation, Outcome, Signals, Start};
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use std::borrow::Cow;

/// Work of the client's own.
#[derive(Debug)]
pub struct Internal;

impl Describe for Internal {
    fn end(&mut self, _: &End<'_>) {}
}

impl Internal {
    /// Begins work that has this name and, besides the server's attributes, these.
    pub fn begin(
        shared: &impl Shared<View: View>,
        name: impl Into<Cow<'static, str>>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Self> {
        let (options, client) = (shared.options(), shared.client());
        let parent = Context::current();
        let start = Start {
            name: name.into(),
            kind: SpanKind::Internal,
            family: Family::Custom,
            signals: options.signals(Signals::TRACES, &parent),
            parent,
            links: Vec::new(),
            cancellation: options.cancellation,
            in_flight: None,
            minimum_duration: options.minimum_duration,
        };
        client.instrumentation.start(start, Self, |_, list| {
            list.extend_from_slice(&client.server);
            attributes(list);
        })
    }

    /// Ends it.
    pub fn finish(operation: Operation<Self>, failure: Option<Failure>) {
        operation.finish(&match failure {
            Some(failure) => Outcome::Error(failure.into_class()),
            None => Outcome::Success,
        });
    }
}
