//! Orders that were given up: still in the trace in which they were placed.

use crate::{Failure, brokers};
use otelware_rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// Looks into so many of them.
pub(crate) async fn run(clients: ClientConfig, count: usize) -> Result<(), Failure> {
    let consumer: StreamConsumer = brokers::group(clients, "support").create()?;
    consumer.subscribe(&[brokers::DEAD_LETTERS])?;
    for _ in 0..count {
        let order = consumer.recv().await?;
        let look = async {
            tracing::info!("a customer is asked what was meant");
            consumer.commit_message(&order, CommitMode::Sync)?;
            Ok::<_, KafkaError>(())
        };
        consumer.process(&order, look).await?;
    }
    Ok(())
}
