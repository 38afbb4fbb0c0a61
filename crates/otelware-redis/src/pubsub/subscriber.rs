//! The processing of messages.

use crate::consumer_options::ConsumerOptions;
use crate::instrumented::Instrumented;
use otelware::messaging::{Client, Destination, Envelope, Processing, Verb};
use otelware::operation::{Table, hash_bytes};
use redis::{Msg, PushInfo};
use std::sync::Arc;

const RECEIVE: Verb = Verb::receive("receive");
const PROCESS: Verb = Verb::process("process");

/// The telemetry of a subscriber: what its messages are processed by. Clones share it, for tasks and
/// threads.
///
/// See the [module](crate::pubsub) for an example.
#[derive(Clone, Debug)]
pub struct Subscriber(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: ConsumerOptions,
    /// Of channels that were subscribed to by their names.
    plain: Arc<Client>,
    /// Of those that a pattern found, by that. A program has a few patterns.
    patterns: Table<Box<str>, Arc<Client>, 16, 4>,
}

impl Subscriber {
    /// One with the defaults of [`ConsumerOptions`] and the providers of that connection or client:
    /// for messages that come as pushes of a connection.
    pub fn of<C>(connection: &Instrumented<C>) -> Self {
        ConsumerOptions::of(connection).subscriber()
    }

    pub(crate) fn new(options: ConsumerOptions) -> Self {
        Self(Arc::new(Shared {
            plain: options.client_of(None),
            patterns: Table::new(),
            options,
        }))
    }

    /// Runs the future that processes a message in a span of its own, and ends the span with its
    /// result: `Err` is an error of the class named by the error's type.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process<F, T, E>(&self, message: &Msg, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.start_process(message).run(future).await
    }

    /// The same with a closure.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_sync<T, E>(
        &self,
        message: &Msg,
        process: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.start_process(message).run_sync(process)
    }

    /// Begins the processing of a message, which ends with what it is told.
    pub fn start_process(&self, message: &Msg) -> Processing {
        let envelope = Envelope {
            destination: Destination::named(message.get_channel_name()),
            headers: None,
            body_size: message.get_payload_bytes().len(),
        };
        let client = self.client(message);
        client.process(PROCESS, &envelope, |_| {})
    }

    /// The message of a push, counted; `None` for a push of another kind. For connections that speak
    /// RESP3, whose pushes the program receives itself.
    pub fn message(&self, push: PushInfo) -> Option<Msg> {
        let message = Msg::from_push_info(push)?;
        self.received(&message);
        Some(message)
    }

    /// Counts a message that is handed to the application.
    pub(super) fn received(&self, message: &Msg) {
        let destination = Destination::named(message.get_channel_name());
        let client = self.client(message);
        client.consumed(RECEIVE, &destination, None, 1);
    }

    /// What spans of such messages begin by.
    fn client(&self, message: &Msg) -> Arc<Client> {
        let pattern: Option<String> = message.get_pattern().ok().flatten();
        let Some(pattern) = pattern else {
            return self.0.plain.clone();
        };
        let make = || self.0.options.client_of(Some(&pattern));
        let known = self.0.patterns.get_or_insert_with(
            hash_bytes(pattern.as_bytes()),
            |known| **known == *pattern,
            || (pattern.as_str().into(), make()),
        );
        known.cloned().unwrap_or_else(make)
    }
}
