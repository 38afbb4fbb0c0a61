//! The messages of one partition, split off their consumer.

use super::base::BaseConsumer;
use super::stream::{MessageStream, StreamConsumer};
use crate::telemetry::Telemetry;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::util::{DefaultRuntime, Timeout};
use std::sync::Arc;

/// The messages of one partition of a [`BaseConsumer`]; see
/// [`rdkafka::consumer::base_consumer::PartitionQueue`].
pub struct PartitionQueue<C>
where
    C: ConsumerContext,
{
    inner: rdkafka::consumer::base_consumer::PartitionQueue<C>,
    consumer: Arc<BaseConsumer<C>>,
}

impl<C: ConsumerContext> PartitionQueue<C> {
    pub(super) const fn new(
        inner: rdkafka::consumer::base_consumer::PartitionQueue<C>,
        consumer: Arc<BaseConsumer<C>>,
    ) -> Self {
        Self { inner, consumer }
    }

    /// Polls for a message; see [`rdkafka::consumer::base_consumer::PartitionQueue::poll`].
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) -> Option<KafkaResult<BorrowedMessage<'_>>> {
        let telemetry = self.consumer.telemetry();
        let since = telemetry.asks();
        let result = self.inner.poll(timeout)?;
        telemetry.gets(self.consumer.client(), &result, since);
        Some(result)
    }

    /// Sets what is called when messages are there; see
    /// [`rdkafka::consumer::base_consumer::PartitionQueue::set_nonempty_callback`].
    pub fn set_nonempty_callback<F>(&mut self, callback: F)
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.inner.set_nonempty_callback(callback);
    }

    /// The telemetry of its consumer, a clone of which can process messages anywhere.
    pub fn telemetry(&self) -> &Telemetry {
        self.consumer.telemetry()
    }
}

/// The messages of one partition of a [`StreamConsumer`]; see
/// [`rdkafka::consumer::stream_consumer::StreamPartitionQueue`].
pub struct StreamPartitionQueue<C, R = DefaultRuntime>
where
    C: ConsumerContext,
{
    inner: rdkafka::consumer::stream_consumer::StreamPartitionQueue<C, R>,
    consumer: Arc<StreamConsumer<C, R>>,
}

impl<C, R> StreamPartitionQueue<C, R>
where
    C: ConsumerContext,
{
    pub(super) const fn new(
        inner: rdkafka::consumer::stream_consumer::StreamPartitionQueue<C, R>,
        consumer: Arc<StreamConsumer<C, R>>,
    ) -> Self {
        Self { inner, consumer }
    }

    /// The messages as a stream; see
    /// [`rdkafka::consumer::stream_consumer::StreamPartitionQueue::stream`].
    pub fn stream(&self) -> MessageStream<'_, C> {
        let (client, telemetry) = (self.consumer.client(), self.consumer.telemetry());
        MessageStream::new(self.inner.stream(), client, telemetry)
    }

    /// Receives the next message; see
    /// [`rdkafka::consumer::stream_consumer::StreamPartitionQueue::recv`].
    ///
    /// # Errors
    ///
    /// Those of rdkafka's method.
    pub async fn recv(&self) -> Result<BorrowedMessage<'_>, KafkaError> {
        let telemetry = self.consumer.telemetry();
        let since = telemetry.asks();
        let result = self.inner.recv().await;
        telemetry.gets(self.consumer.client(), &result, since);
        result
    }

    /// The telemetry of its consumer, a clone of which can process messages anywhere.
    pub fn telemetry(&self) -> &Telemetry {
        self.consumer.telemetry()
    }
}

impl<C: ConsumerContext> std::fmt::Debug for PartitionQueue<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionQueue").finish_non_exhaustive()
    }
}

impl<C: ConsumerContext, R> std::fmt::Debug for StreamPartitionQueue<C, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamPartitionQueue")
            .finish_non_exhaustive()
    }
}
