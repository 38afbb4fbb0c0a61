//! The producer with a thread that polls.

use super::context::{ObservedContext, with_all_reports};
use super::{delivery, observed_producer};
use crate::options::KafkaOptions;
use crate::telemetry::{Observed, ObservedWithContext, Telemetry};
use rdkafka::ClientConfig;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::ToBytes;
use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, NoCustomPartitioner, Partitioner, Producer, ProducerContext,
};
use rdkafka::util::Timeout;

/// The producer with a thread that polls, observed; see [`rdkafka::producer::ThreadedProducer`].
#[must_use = "the producer stops when it is dropped"]
pub struct ThreadedProducer<C, Part: Partitioner = NoCustomPartitioner>
where
    C: ProducerContext<Part> + 'static,
{
    inner: rdkafka::producer::ThreadedProducer<ObservedContext<C>, Part>,
    telemetry: Telemetry,
}

impl<C, Part> ThreadedProducer<C, Part>
where
    Part: Partitioner + Send + Sync + 'static,
    C: ProducerContext<Part> + 'static,
{
    fn new(
        config: &ClientConfig,
        context: ObservedContext<C>,
        telemetry: Telemetry,
    ) -> KafkaResult<Self> {
        let inner = with_all_reports(config).create_with_context(context)?;
        Ok(Self { inner, telemetry })
    }
}

impl<C, Part> ThreadedProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part> + 'static,
{
    /// Sends a message; see [`rdkafka::producer::ThreadedProducer::send`].
    ///
    /// # Errors
    ///
    /// Those of rdkafka's method, with the record.
    #[allow(clippy::result_large_err, clippy::type_complexity)] // The signature is rdkafka's.
    pub fn send<'a, K, P>(
        &self,
        record: BaseRecord<'a, K, P, C::DeliveryOpaque>,
    ) -> Result<(), (KafkaError, BaseRecord<'a, K, P, C::DeliveryOpaque>)>
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        self.telemetry.learn_cluster(self.inner.client());
        let record = delivery::begin(&self.telemetry, record, |opaque| opaque);
        self.inner.send(record).map_err(|(error, record)| {
            let record = delivery::refused(&error, record, |opaque| opaque);
            (error, record)
        })
    }

    /// Polls for events; its thread does so too. See [`rdkafka::producer::ThreadedProducer::poll`].
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }

    /// Its telemetry.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}

impl<C: ProducerContext + 'static> Clone for ThreadedProducer<C> {
    fn clone(&self) -> Self {
        super::delivery::begin_living();
        Self {
            inner: self.inner.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}

impl FromClientConfig for ThreadedProducer<DefaultProducerContext> {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        KafkaOptions::new().create(config)
    }
}

impl<C, Part> FromClientConfigAndContext<C> for ThreadedProducer<C, Part>
where
    Part: Partitioner + Send + Sync + 'static,
    C: ProducerContext<Part> + 'static,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        KafkaOptions::new().create_with_context(config, context)
    }
}

impl Observed for ThreadedProducer<DefaultProducerContext> {
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self> {
        let context = ObservedContext::of_default(DefaultProducerContext, telemetry.clone());
        Self::new(config, context, telemetry)
    }
}

impl<C, Part> ObservedWithContext<C> for ThreadedProducer<C, Part>
where
    Part: Partitioner + Send + Sync + 'static,
    C: ProducerContext<Part> + 'static,
{
    fn observed_with_context(
        config: &ClientConfig,
        telemetry: Telemetry,
        context: C,
    ) -> KafkaResult<Self> {
        let context = ObservedContext::new(context, telemetry.clone(), config);
        Self::new(config, context, telemetry)
    }
}

impl<C, Part> Producer<ObservedContext<C>, Part> for ThreadedProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part> + 'static,
{
    observed_producer!(ObservedContext<C>);
}

impl<C, Part> std::fmt::Debug for ThreadedProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part> + 'static,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadedProducer").finish_non_exhaustive()
    }
}
