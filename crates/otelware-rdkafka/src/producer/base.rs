//! The producer that its user polls.

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

/// The producer that its user polls, observed; see [`rdkafka::producer::BaseProducer`].
///
/// The span of a message ends when its delivery report is polled.
pub struct BaseProducer<C = DefaultProducerContext, Part = NoCustomPartitioner>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
{
    inner: rdkafka::producer::BaseProducer<ObservedContext<C>, Part>,
    telemetry: Telemetry,
}

impl<C, Part> BaseProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
{
    fn new(
        config: &ClientConfig,
        context: ObservedContext<C>,
        telemetry: Telemetry,
    ) -> KafkaResult<Self> {
        let inner = with_all_reports(config).create_with_context(context)?;
        Ok(Self { inner, telemetry })
    }

    /// Sends a message; see [`rdkafka::producer::BaseProducer::send`].
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

    /// Polls for events, such as delivery reports; see [`rdkafka::producer::BaseProducer::poll`].
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }

    /// Its telemetry.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}

impl FromClientConfig for BaseProducer {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        KafkaOptions::new().create(config)
    }
}

impl<C, Part> FromClientConfigAndContext<C> for BaseProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        KafkaOptions::new().create_with_context(config, context)
    }
}

impl Observed for BaseProducer {
    fn observed(config: &ClientConfig, telemetry: Telemetry) -> KafkaResult<Self> {
        let context = ObservedContext::of_default(DefaultProducerContext, telemetry.clone());
        Self::new(config, context, telemetry)
    }
}

impl<C, Part> ObservedWithContext<C> for BaseProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
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

impl<C, Part> Producer<ObservedContext<C>, Part> for BaseProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
{
    observed_producer!(ObservedContext<C>);
}

impl<C, Part> std::fmt::Debug for BaseProducer<C, Part>
where
    Part: Partitioner,
    C: ProducerContext<Part>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BaseProducer").finish_non_exhaustive()
    }
}
