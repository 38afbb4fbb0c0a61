//! Orders are placed: each is a trace, whose context goes out with the message.

use crate::{Failure, brokers};
use otelware::FutureExt;
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::ToBytes;
use std::time::Duration;

/// How long a message may wait for room in the queue.
const PATIENCE: Duration = Duration::from_secs(5);

/// Places an order for each number of pens.
///
/// `otelware_rdkafka::producer::FutureProducer` in the place of rdkafka's own is all that is done for
/// the spans and metrics of what is sent.
pub(crate) async fn place(clients: &ClientConfig, orders: &[u32]) -> Result<(), Failure> {
    let producer: FutureProducer = clients.create()?;
    for (number, pens) in orders.iter().enumerate() {
        let (key, payload) = (number.to_string(), pens.to_string());
        let record = FutureRecord::to(brokers::ORDERS)
            .key(&key)
            .payload(&payload);
        send(&producer, record).try_traced("place order").await?;
    }
    Ok(())
}

/// Sends a message, and waits for its delivery.
pub(crate) async fn send<K: ToBytes + ?Sized, P: ToBytes + ?Sized>(
    producer: &FutureProducer,
    record: FutureRecord<'_, K, P>,
) -> Result<(), KafkaError> {
    let delivery = producer.send(record, PATIENCE).await;
    delivery.map(drop).map_err(|(error, _)| error)
}
