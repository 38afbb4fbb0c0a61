//! The steps of transactions.

use crate::destinations::Destinations;
use crate::telemetry::{self, Telemetry};
use otelware::messaging::{Call, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::operation::Operation;
use otelware::semconv::attribute;
use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult};

pub(super) const INIT: Verb = Verb::manage("init_transactions");
pub(super) const COMMIT: Verb = Verb::manage("commit_transaction");
pub(super) const ABORT: Verb = Verb::manage("abort_transaction");
const SEND_OFFSETS: Verb = Verb::settle("send_offsets_to_transaction");

/// Observes a step of a transaction, where that is wanted.
pub(super) fn step<C: ClientContext>(
    telemetry: &Telemetry,
    client: &Client<C>,
    verb: Verb,
    run: impl FnOnce() -> KafkaResult<()>,
) -> KafkaResult<()> {
    if !telemetry.options().transactions || telemetry.client().is_idle() {
        return run();
    }
    telemetry.learn_cluster(client);
    let operation = telemetry.client().manage(verb, |list| {
        list.extend(telemetry.transactional_id());
        list.extend(telemetry.cluster());
    });
    finish(telemetry, operation, run)
}

/// Observes that offsets are made part of a transaction, which settles their messages.
pub(super) fn send_offsets<C: ClientContext>(
    telemetry: &Telemetry,
    client: &Client<C>,
    offsets: &TopicPartitionList,
    run: impl FnOnce() -> KafkaResult<()>,
) -> KafkaResult<()> {
    if telemetry.client().is_idle() {
        return run();
    }
    telemetry.learn_cluster(client);
    let destinations = Destinations::of_list(offsets);
    let operation = destinations.settle(telemetry, SEND_OFFSETS, |list| {
        list.extend(telemetry.transactional_id());
    });
    finish(telemetry, operation, run)
}

fn finish(
    telemetry: &Telemetry,
    mut operation: Operation<Call>,
    run: impl FnOnce() -> KafkaResult<()>,
) -> KafkaResult<()> {
    let result = {
        let _entered = operation.enter();
        run()
    };
    if result.is_ok() {
        telemetry.touched();
    }
    if let Err(KafkaError::Transaction(error)) = &result {
        let remedy = if error.is_fatal() {
            Some("restart")
        } else if error.txn_requires_abort() {
            Some("abort")
        } else if error.is_retriable() {
            Some("retry")
        } else {
            None
        };
        if let Some(remedy) = remedy {
            operation.set_attribute(KeyValue::new(attribute::KAFKA_TRANSACTION_REMEDY, remedy));
        }
    }
    telemetry::end(operation, result)
}
