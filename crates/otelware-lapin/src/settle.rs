//! Settlements: acknowledgements and their opposites.

use crate::acker::Acker;
use crate::core::verb;
use crate::destination::Name;
use crate::error;
use crate::state::ChannelState;
use lapin::Result;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use otelware::messaging::{Call, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Operation, Outcome};
use otelware::semconv::attribute;
use std::sync::Arc;

/// A settlement that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settlement {
    verb: Verb,
    /// Whether it is about all deliveries up to its own.
    multiple: bool,
    /// Whether the message goes back to its queue.
    requeue: Option<bool>,
}

impl From<BasicAckOptions> for Settlement {
    fn from(options: BasicAckOptions) -> Self {
        Self {
            verb: verb::ACK,
            multiple: options.multiple,
            requeue: None,
        }
    }
}

impl From<BasicNackOptions> for Settlement {
    fn from(options: BasicNackOptions) -> Self {
        Self {
            verb: verb::NACK,
            multiple: options.multiple,
            requeue: Some(options.requeue),
        }
    }
}

impl From<BasicRejectOptions> for Settlement {
    fn from(options: BasicRejectOptions) -> Self {
        Self {
            verb: verb::REJECT,
            multiple: false,
            requeue: Some(options.requeue),
        }
    }
}

impl ChannelState {
    /// Sends a settlement of the delivery with this tag, by its acker where that is at hand.
    /// `failure` tells of what was sent without an error whether it was in vain.
    pub(crate) async fn settle<T>(
        self: &Arc<Self>,
        how: impl Into<Settlement>,
        tag: u64,
        acker: Option<&Acker>,
        sending: impl Future<Output = Result<T>>,
        failure: impl FnOnce(&T) -> Option<&'static str>,
    ) -> Result<T> {
        let mut operation = self.begin_settlement(how.into(), tag, acker);
        let result = operation.within(sending).await;
        match &result {
            Ok(sent) => match failure(sent) {
                None => operation.finish(&Outcome::Success),
                Some(class) => Call::fail(operation, class.into(), &""),
            },
            Err(error) => Call::fail(operation, error::class(error), error),
        }
        result
    }

    fn begin_settlement(
        self: &Arc<Self>,
        how: Settlement,
        tag: u64,
        acker: Option<&Acker>,
    ) -> Operation<Call> {
        let timeout = self.core.settings.ack_timeout;
        let (multiple, lapins) = (how.multiple, acker.map(Acker::inner));
        let settled = self.unacknowledged.settle(tag, multiple, lapins, timeout);
        for queue in &settled.overdue {
            self.core.overdue(queue.as_ref(), 1);
        }
        let name = acker.map(|acker| acker.origin().name());
        let name = name.or(settled.name).unwrap_or_else(Name::unknown);
        let client = &self.core.client;
        client.settle(how.verb, name.destination(), |list| {
            let tag = i64::try_from(tag).unwrap_or(i64::MAX);
            list.push(KeyValue::new(attribute::RABBITMQ_MESSAGE_DELIVERY_TAG, tag));
            if how.multiple {
                list.push(KeyValue::new(attribute::RABBITMQ_MULTIPLE, true));
                let count = i64::try_from(settled.count).unwrap_or(i64::MAX);
                list.push(KeyValue::new(
                    attribute::MESSAGING_BATCH_MESSAGE_COUNT,
                    count,
                ));
            }
            if let Some(requeue) = how.requeue {
                list.push(KeyValue::new(attribute::RABBITMQ_REQUEUE, requeue));
            }
            if let Some(waited) = settled.waited
                && timeout.is_some_and(|timeout| waited > timeout)
            {
                list.push(KeyValue::new(
                    attribute::RABBITMQ_UNACKNOWLEDGED_TIME,
                    waited.as_secs_f64(),
                ));
            }
        })
    }
}
