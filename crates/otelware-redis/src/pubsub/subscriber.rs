//! The processing of messages.

use crate::consumer_options::ConsumerOptions;
use crate::instrumented::Instrumented;
use otelware::messaging::{Client, Destination, Envelope, Processing, Verb};
use redis::{Msg, PushInfo};
use std::sync::Arc;

const RECEIVE: Verb = Verb::receive("receive");
const PROCESS: Verb = Verb::process("process");

/// The telemetry of a subscriber: what its messages are processed by. Clones share it, for tasks and
/// threads.
///
/// See the [module](crate::pubsub) for an example.
#[derive(Clone, Debug)]
pub struct Subscriber(Arc<Client>);

impl Subscriber {
    /// One with the defaults of [`ConsumerOptions`] and the providers of that connection or client:
    /// for messages that come as pushes of a connection.
    pub fn of<C>(connection: &Instrumented<C>) -> Self {
        ConsumerOptions::of(connection).subscriber()
    }

    pub(crate) fn new(options: &ConsumerOptions) -> Self {
        Self(options.client(None, None))
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
        let template = self.template(message);
        let envelope = Envelope {
            destination: destination(message, template.as_deref()),
            headers: None,
            body_size: message.get_payload_bytes().len(),
        };
        self.0.process(PROCESS, &envelope, |_| {})
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
        let template = self.template(message);
        let destination = destination(message, template.as_deref());
        self.0.consumed(RECEIVE, &destination, None, 1);
    }

    /// What the channel has in common with others that the same pattern found: what the options say,
    /// or else the pattern. Of a channel that was subscribed to by its name, the options are asked by
    /// the client.
    fn template(&self, message: &Msg) -> Option<String> {
        let pattern: Option<String> = message.get_pattern().ok().flatten();
        let pattern = pattern?;
        let given = self.0.options().template.as_ref();
        let given = given.and_then(|template| template(message.get_channel_name()));
        Some(given.unwrap_or(pattern))
    }
}

fn destination<'a>(message: &'a Msg, template: Option<&'a str>) -> Destination<'a> {
    Destination {
        template,
        ..Destination::named(message.get_channel_name())
    }
}
