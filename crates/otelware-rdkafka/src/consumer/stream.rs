//! The consumer whose messages are a stream.

use super::context::TelemetryContext;
use super::partition_queue::StreamPartitionQueue;
use super::{Retiring, observed_consumer};
use crate::options::KafkaOptions;
use crate::telemetry::{Observed, ObservedWithContext, Telemetry};
use futures_core::Stream;
use otelware::operation::Moment;
use rdkafka::ClientConfig;
use rdkafka::client::Client;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::util::{AsyncRuntime, DefaultRuntime};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The consumer whose messages are a stream, observed; see [`rdkafka::consumer::StreamConsumer`],
/// which it derefs to.
#[must_use = "the consumer stops when it is dropped"]
pub struct StreamConsumer<C = TelemetryContext, R = DefaultRuntime>
where
    C: ConsumerContext,
{
    inner: Arc<rdkafka::consumer::StreamConsumer<C, R>>,
    telemetry: Retiring,
}

impl<C, R> StreamConsumer<C, R>
where
    C: ConsumerContext + 'static,
{
    /// Receives the next message; see [`rdkafka::consumer::StreamConsumer::recv`].
    ///
    /// # Errors
    ///
    /// Those of rdkafka's method.
    pub async fn recv(&self) -> Result<BorrowedMessage<'_>, KafkaError> {
        let since = self.telemetry.asks();
        let result = self.inner.recv().await;
        self.telemetry.gets(self.inner.client(), &result, since);
        result
    }

    /// The messages as a stream; see [`rdkafka::consumer::StreamConsumer::stream`].
    pub fn stream(&self) -> MessageStream<'_, C> {
        MessageStream::new(self.inner.stream(), self.inner.client(), &self.telemetry)
    }

    /// Splits the messages of a partition off; see
    /// [`rdkafka::consumer::StreamConsumer::split_partition_queue`].
    pub fn split_partition_queue(
        self: &Arc<Self>,
        topic: &str,
        partition: i32,
    ) -> Option<StreamPartitionQueue<C, R>> {
        let queue = self.inner.split_partition_queue(topic, partition)?;
        Some(StreamPartitionQueue::new(queue, self.clone()))
    }
}

impl<R: AsyncRuntime> Observed for StreamConsumer<TelemetryContext, R> {
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self> {
        let context = TelemetryContext::new(telemetry.clone());
        Self::observed_with_context(config, telemetry, context)
    }
}

impl<C, R> ObservedWithContext<C> for StreamConsumer<C, R>
where
    C: ConsumerContext + 'static,
    R: AsyncRuntime,
{
    fn observed_with_context(
        config: &ClientConfig,
        telemetry: Telemetry,
        context: C,
    ) -> KafkaResult<Self> {
        Ok(Self {
            inner: Arc::new(config.create_with_context(context)?),
            telemetry: Retiring(telemetry),
        })
    }
}

impl<R: AsyncRuntime> FromClientConfig for StreamConsumer<TelemetryContext, R> {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        KafkaOptions::new().create(config)
    }
}

impl<C, R> FromClientConfigAndContext<C> for StreamConsumer<C, R>
where
    C: ConsumerContext + 'static,
    R: AsyncRuntime,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        KafkaOptions::new().create_with_context(config, context)
    }
}

observed_consumer!(StreamConsumer[C, R] where C: ConsumerContext);

/// The messages of a [`StreamConsumer`], or of a partition of it, as a stream.
pub struct MessageStream<'a, C: ConsumerContext> {
    inner: rdkafka::consumer::MessageStream<'a, C>,
    client: &'a Client<C>,
    telemetry: &'a Telemetry,
    /// When the next message was asked for first.
    since: Option<Moment>,
}

impl<'a, C: ConsumerContext> MessageStream<'a, C> {
    pub(super) const fn new(
        inner: rdkafka::consumer::MessageStream<'a, C>,
        client: &'a Client<C>,
        telemetry: &'a Telemetry,
    ) -> Self {
        Self {
            inner,
            client,
            telemetry,
            since: None,
        }
    }
}

impl<'a, C: ConsumerContext> Stream for MessageStream<'a, C> {
    type Item = KafkaResult<BorrowedMessage<'a>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = &mut *self;
        if stream.since.is_none() {
            stream.since = stream.telemetry.asks();
        }
        let item = ready!(Pin::new(&mut stream.inner).poll_next(cx));
        let since = stream.since.take();
        if let Some(result) = &item {
            stream.telemetry.gets(stream.client, result, since);
        }
        Poll::Ready(item)
    }
}

impl<C: ConsumerContext> std::fmt::Debug for MessageStream<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageStream").finish_non_exhaustive()
    }
}
