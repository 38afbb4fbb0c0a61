//! Invoices are mailed in batches. A batch is linked to those who sent its invoices, and a child of
//! none.

use crate::{Failure, brokers};
use otelware_rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// Mails so many invoices at once.
pub(crate) async fn run(clients: ClientConfig, count: usize) -> Result<(), Failure> {
    let consumer: StreamConsumer = brokers::group(clients, "mailing").create()?;
    consumer.subscribe(&[brokers::INVOICES])?;
    let mut invoices = Vec::with_capacity(count);
    while invoices.len() < count {
        invoices.push(consumer.recv().await?.detach());
    }
    let mail = async {
        tracing::info!(count, "invoices mailed");
        consumer.commit_consumer_state(CommitMode::Sync)?;
        Ok::<_, KafkaError>(())
    };
    consumer.process_batch(&invoices, mail).await?;
    Ok(())
}
