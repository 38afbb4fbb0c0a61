//! A client under test, and what is captured of it.

use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};

use super::MessagingUnderTest;
use super::assertions::{assert_all, assert_metrics_but_counts, assert_spans};
use super::expected::{Broker, ExpectedOperation};
use super::setup::{Message, Options, OutOfStock, PATIENCE, Setup};
use crate::{Capture, Span};

/// A header that is none of the context's.
pub(super) const OWN_HEADER: (&str, &str) = ("shop-tenant", "7");

pub(super) struct Case<M> {
    pub(super) telemetry: Capture,
    pub(super) client: Arc<M>,
}

impl<M: MessagingUnderTest> Case<M> {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A client with these options.
    pub(super) async fn told(change: impl FnOnce(&mut Options)) -> Self {
        Self::with(|setup| change(&mut setup.options)).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::capturing(Capture::new(), change).await
    }

    pub(super) async fn capturing(telemetry: Capture, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::new(&telemetry);
        change(&mut setup);
        let client = Arc::new(M::connect(&setup).await);
        telemetry.reset();
        Self { telemetry, client }
    }

    pub(super) fn broker(&self) -> Broker {
        self.client.broker()
    }

    /// Sends a message; gives what it must leave behind.
    pub(super) async fn send(&self, message: &Message) -> ExpectedOperation {
        let sent = self.client.send(message).await;
        self.client.expected_send(&sent)
    }

    /// Receives a message, which must not take for ever.
    pub(super) async fn receive(&self) -> M::Message {
        let receiving = tokio::time::timeout(PATIENCE, self.client.receive());
        receiving.await.expect("a message arrives")
    }

    /// Sends a message, whose telemetry is forgotten, and receives it; tells which span sent it.
    pub(super) async fn sent(&self, message: &Message) -> (Span, M::Message) {
        self.client.send(message).await;
        let sender = self.telemetry.spans().pop().expect("a span that sends");
        self.telemetry.reset();
        (sender, self.receive().await)
    }

    /// Receives a message that a client sent which is not observed.
    pub(super) async fn unseen(&self, message: &Message) -> M::Message {
        self.client.send_unseen(message).await;
        self.receive().await
    }

    /// Processes a message, in vain if so told.
    pub(super) async fn process(&self, message: &M::Message, result: Result<(), OutOfStock>) {
        let processing = self.client.process(message, async move { result });
        assert_eq!(processing.await, result);
    }

    /// What it must leave behind that a message was handed over.
    pub(super) fn consumed(&self, message: &M::Message) -> ExpectedOperation {
        self.client.expected_consume(message)
    }

    /// What processing must leave behind, without a context in the message.
    pub(super) fn processed(&self, message: &M::Message) -> ExpectedOperation {
        self.client.expected_process(message)
    }

    /// A context with a new span of the test.
    pub(super) fn span(&self, name: &'static str) -> Context {
        let tracer = self.telemetry.tracer_provider().tracer("test");
        Context::new().with_span(tracer.start_with_context(name, &Context::new()))
    }

    /// All telemetry is that of these operations, and there is no log.
    #[track_caller]
    pub(super) fn finds(&self, operations: &[ExpectedOperation]) {
        assert_all(&self.telemetry, &self.broker(), operations);
        assert_eq!(self.telemetry.logs(), []);
    }

    /// As [`Case::finds`], whatever is counted of messages that were handed over.
    #[track_caller]
    pub(super) fn finds_but_counts(&self, operations: &[ExpectedOperation]) {
        assert_spans(&self.telemetry, &self.broker(), operations);
        assert_metrics_but_counts(&self.telemetry, &self.broker(), operations);
        assert_eq!(self.telemetry.logs(), []);
    }
}
