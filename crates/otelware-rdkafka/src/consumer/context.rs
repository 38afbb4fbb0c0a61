//! The context of consumers whose users have none of their own.

use crate::telemetry::Telemetry;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaResult;

/// The context of consumers that are created without one: it makes metrics of statistics, commits
/// and rebalances. Statistics are not logged, as they are by rdkafka's own default.
///
/// A context of your own does the same by calling
/// [`record_raw_stats`](Telemetry::record_raw_stats), [`on_commit`](Telemetry::on_commit) and
/// [`on_rebalance`](Telemetry::on_rebalance).
#[derive(Clone, Debug)]
pub struct TelemetryContext {
    telemetry: Telemetry,
}

impl TelemetryContext {
    pub(super) const fn new(telemetry: Telemetry) -> Self {
        Self { telemetry }
    }
}

impl ClientContext for TelemetryContext {
    fn stats_raw(&self, statistics: &[u8]) {
        self.telemetry.record_raw_stats(statistics);
    }
}

impl ConsumerContext for TelemetryContext {
    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.telemetry.on_rebalance(rebalance);
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.telemetry.on_commit(&result, offsets);
    }
}
