//! Consumers, observed, under rdkafka's names; what needs no observation is rdkafka's own.

mod base;
mod context;
mod delegation;
mod partition_queue;
mod receiving;
mod stream;

pub use base::{BaseConsumer, Iter};
pub use context::TelemetryContext;
pub use partition_queue::{PartitionQueue, StreamPartitionQueue};
pub use stream::{MessageStream, StreamConsumer};

pub use rdkafka::consumer::{
    CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata, DefaultConsumerContext,
    Rebalance, RebalanceProtocol,
};

use crate::telemetry::Telemetry;
use delegation::observed_consumer;
use std::ops::Deref;

/// The same by the paths that rdkafka has too.
pub mod base_consumer {
    pub use super::{BaseConsumer, Iter, PartitionQueue};
}

/// The same by the paths that rdkafka has too.
pub mod stream_consumer {
    pub use super::{MessageStream, StreamConsumer, StreamPartitionQueue};
}

/// The telemetry of a consumer, whose end is its end.
#[derive(Debug)]
struct Retiring(Telemetry);

impl Deref for Retiring {
    type Target = Telemetry;

    fn deref(&self) -> &Telemetry {
        &self.0
    }
}

impl Drop for Retiring {
    fn drop(&mut self) {
        self.0.retire();
    }
}
