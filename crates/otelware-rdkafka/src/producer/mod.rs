//! Producers, observed, under rdkafka's names; what needs no observation is rdkafka's own.

mod base;
mod context;
mod delivery;
mod future;
mod threaded;
mod transaction;

pub use base::BaseProducer;
pub use context::ObservedContext;
pub use delivery::Sending;
pub(crate) use delivery::key_attribute;
pub use future::{DeliveryFuture, FutureProducer, FutureProducerContext};
pub use threaded::ThreadedProducer;

pub use rdkafka::producer::future_producer::{Delivery, OwnedDeliveryResult};
pub use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, DeliveryResult, FutureRecord, NoCustomPartitioner,
    PARTITION_UA, Partitioner, Producer, ProducerContext, PurgeConfig,
};

/// The same by the paths that rdkafka has too.
pub mod base_producer {
    pub use super::{BaseProducer, BaseRecord, DeliveryResult, ThreadedProducer};
}

/// The same by the paths that rdkafka has too.
pub mod future_producer {
    pub use super::{
        Delivery, DeliveryFuture, FutureProducer, FutureProducerContext, FutureRecord,
        OwnedDeliveryResult,
    };
}

/// The methods of rdkafka's `Producer`, for a type with the fields `inner` and `telemetry`.
macro_rules! observed_producer {
    ($context:ty) => {
        fn client(&self) -> &rdkafka::client::Client<$context> {
            self.inner.client()
        }

        fn in_flight_count(&self) -> i32 {
            self.inner.in_flight_count()
        }

        fn flush<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            self.inner.flush(timeout)
        }

        fn purge(&self, flags: rdkafka::producer::PurgeConfig) {
            self.inner.purge(flags);
        }

        fn init_transactions<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            use crate::producer::transaction;
            transaction::step(&self.telemetry, self.client(), transaction::INIT, || {
                self.inner.init_transactions(timeout)
            })
        }

        fn begin_transaction(&self) -> KafkaResult<()> {
            self.inner.begin_transaction()
        }

        fn send_offsets_to_transaction<T: Into<Timeout>>(
            &self,
            offsets: &rdkafka::TopicPartitionList,
            cgm: &rdkafka::consumer::ConsumerGroupMetadata,
            timeout: T,
        ) -> KafkaResult<()> {
            crate::producer::transaction::send_offsets(
                &self.telemetry,
                self.client(),
                offsets,
                || {
                    self.inner
                        .send_offsets_to_transaction(offsets, cgm, timeout)
                },
            )
        }

        fn commit_transaction<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            use crate::producer::transaction;
            transaction::step(&self.telemetry, self.client(), transaction::COMMIT, || {
                self.inner.commit_transaction(timeout)
            })
        }

        fn abort_transaction<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            use crate::producer::transaction;
            transaction::step(&self.telemetry, self.client(), transaction::ABORT, || {
                self.inner.abort_transaction(timeout)
            })
        }
    };
}
use observed_producer;
