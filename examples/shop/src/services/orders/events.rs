//! What Kafka is told: orders that were placed.

use crate::messages::{ORDER_EVENTS, OrderPlaced};
use crate::service::Failure;
use crate::services::kafka;
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::error::KafkaError;
use std::time::Duration;

/// `otelware_rdkafka`'s producer in the place of rdkafka's own is all that is done for spans and
/// metrics, and for the context that goes out with each event.
#[derive(Clone)]
pub(super) struct Events {
    producer: FutureProducer,
}

impl Events {
    pub(super) fn from_environment() -> Result<Self, KafkaError> {
        let mut config = kafka::clients("orders");
        // How long a delivery may take. What is not delivered then waits in the outbox.
        config.set("message.timeout.ms", "2000");
        Ok(Self {
            producer: config.create()?,
        })
    }

    /// Sends an event, and waits until the brokers have it.
    pub(super) async fn send(&self, event: &OrderPlaced) -> Result<(), Failure> {
        let payload = serde_json::to_vec(event)?;
        let record = FutureRecord::to(ORDER_EVENTS)
            .key(&event.order)
            .payload(&payload);
        // Room in the queue is not waited for.
        let delivery = self.producer.send(record, Duration::ZERO).await;
        delivery.map_err(|(error, _)| error)?;
        Ok(())
    }
}
