//! The consumer that its user polls.

use super::context::TelemetryContext;
use super::partition_queue::PartitionQueue;
use super::{Retiring, observed_consumer};
use crate::options::KafkaOptions;
use crate::telemetry::{Observed, ObservedWithContext, Telemetry};
use rdkafka::ClientConfig;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;
use rdkafka::util::Timeout;
use std::ops::Deref;
use std::sync::Arc;

/// The consumer that its user polls, observed; see [`rdkafka::consumer::BaseConsumer`], which it
/// derefs to.
pub struct BaseConsumer<C = TelemetryContext>
where
    C: ConsumerContext,
{
    inner: Arc<rdkafka::consumer::BaseConsumer<C>>,
    telemetry: Retiring,
}

impl<C: ConsumerContext> BaseConsumer<C> {
    /// Polls for a message; see [`rdkafka::consumer::BaseConsumer::poll`].
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) -> Option<KafkaResult<BorrowedMessage<'_>>> {
        let since = self.telemetry.asks();
        let result = self.inner.poll(timeout)?;
        self.telemetry.gets(self.inner.client(), &result, since);
        Some(result)
    }

    /// The messages as they come; see [`rdkafka::consumer::BaseConsumer::iter`].
    pub const fn iter(&self) -> Iter<'_, C> {
        Iter(self)
    }

    /// Splits the messages of a partition off; see
    /// [`rdkafka::consumer::BaseConsumer::split_partition_queue`].
    pub fn split_partition_queue(
        self: &Arc<Self>,
        topic: &str,
        partition: i32,
    ) -> Option<PartitionQueue<C>> {
        let queue = self.inner.split_partition_queue(topic, partition)?;
        Some(PartitionQueue::new(queue, self.clone()))
    }

    /// Sets what is called when messages are there; see
    /// [`rdkafka::consumer::BaseConsumer::set_nonempty_callback`]. While somebody has a clone of
    /// [`inner`](Self::inner), it is not set.
    pub fn set_nonempty_callback<F>(&mut self, callback: F)
    where
        F: Fn() + Send + Sync + 'static,
    {
        // Queues that share it have this consumer too, so that nobody could borrow it for change.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.set_nonempty_callback(callback);
        }
    }
}

impl Observed for BaseConsumer {
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self> {
        let context = TelemetryContext::new(telemetry.clone());
        Self::observed_with_context(config, telemetry, context)
    }
}

impl<C: ConsumerContext> ObservedWithContext<C> for BaseConsumer<C> {
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

impl FromClientConfig for BaseConsumer {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        KafkaOptions::new().create(config)
    }
}

impl<C: ConsumerContext> FromClientConfigAndContext<C> for BaseConsumer<C> {
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        KafkaOptions::new().create_with_context(config, context)
    }
}

observed_consumer!(BaseConsumer[C] where C: ConsumerContext);

/// The messages of a [`BaseConsumer`] as they come.
pub struct Iter<'a, C>(&'a BaseConsumer<C>)
where
    C: ConsumerContext;

impl<'a, C: ConsumerContext> Iterator for Iter<'a, C> {
    type Item = KafkaResult<BorrowedMessage<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.0.poll(None) {
                return Some(item);
            }
        }
    }
}

impl<'a, C: ConsumerContext> IntoIterator for &'a BaseConsumer<C> {
    type Item = KafkaResult<BorrowedMessage<'a>>;
    type IntoIter = Iter<'a, C>;

    fn into_iter(self) -> Iter<'a, C> {
        self.iter()
    }
}

impl<C: ConsumerContext> std::fmt::Debug for Iter<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
