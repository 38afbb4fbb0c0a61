//! Orders are billed one by one. Each is processed in the trace in which it was placed.

use crate::{Failure, brokers, orders};
use otelware_rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message};
use std::error::Error;
use std::fmt;

/// Why an order is not billed.
#[derive(Debug)]
enum NotBilled {
    NothingOrdered,
    Kafka(KafkaError),
}

impl fmt::Display for NotBilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingOrdered => f.write_str("nothing is ordered"),
            Self::Kafka(error) => error.fmt(f),
        }
    }
}

impl Error for NotBilled {}

impl From<KafkaError> for NotBilled {
    fn from(error: KafkaError) -> Self {
        Self::Kafka(error)
    }
}

/// Bills so many orders.
pub(crate) async fn run(clients: ClientConfig, count: usize) -> Result<(), Failure> {
    let producer: FutureProducer = clients.create()?;
    let consumer: StreamConsumer = brokers::group(clients, "billing").create()?;
    consumer.subscribe(&[brokers::ORDERS])?;
    for _ in 0..count {
        let order = consumer.recv().await?;
        let billing = async {
            let invoice = bill(&order);
            match &invoice {
                Ok(invoice) => {
                    let record = FutureRecord::<[u8], _>::to(brokers::INVOICES).payload(invoice);
                    orders::send(&producer, record).await?;
                }
                Err(_) => give_up(&producer, &order).await?,
            }
            consumer.commit_message(&order, CommitMode::Sync)?;
            invoice
        };
        // The span has the error, and the consumer goes on.
        match consumer.process(&order, billing).await {
            Ok(invoice) => tracing::info!(%invoice, "an order is billed"),
            Err(NotBilled::Kafka(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "an order is not billed"),
        }
    }
    Ok(())
}

/// The invoice of an order.
fn bill(order: &BorrowedMessage<'_>) -> Result<String, NotBilled> {
    let pens = order.payload().and_then(|text| str::from_utf8(text).ok());
    match pens.and_then(|text| text.parse::<u32>().ok()) {
        Some(pens) if pens > 0 => Ok(format!("{} cents", u64::from(pens) * 250)),
        _ => Err(NotBilled::NothingOrdered),
    }
}

/// Sends the order on as it is, with its headers. The context among them is replaced by that of the
/// new span, which is linked to it.
async fn give_up(producer: &FutureProducer, order: &BorrowedMessage<'_>) -> Result<(), KafkaError> {
    let mut record = FutureRecord::<[u8], [u8]>::to(brokers::DEAD_LETTERS);
    record.key = order.key();
    record.payload = order.payload();
    record.headers = order.headers().map(BorrowedHeaders::detach);
    orders::send(producer, record).await
}
