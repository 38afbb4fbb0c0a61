//! What is observed of a consumer besides processing: messages that arrive, commits, and what its
//! context is told.

use crate::destinations::Destinations;
use crate::error;
use crate::message::MessageHeaders;
use crate::partition;
use crate::processing::push_partition;
use crate::telemetry::{self, Telemetry};
use otelware::messaging::{Destination, Envelope, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::operation::{ErrorType, Interned, Moment, Outcome};
use otelware::semconv::attribute;
use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::Rebalance;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};

const POLL: Verb = Verb::receive("poll");
const COMMIT: Verb = Verb::settle("commit");

impl Telemetry {
    /// The application asks for a message. The time is read where a span will tell of it.
    #[inline]
    pub(super) fn asks(&self) -> Option<Moment> {
        self.client().options().receive_spans.then(Moment::now)
    }

    /// It gets one, or an error.
    #[inline]
    pub(super) fn gets<C: ClientContext>(
        &self,
        client: &Client<C>,
        result: &KafkaResult<BorrowedMessage<'_>>,
        since: Option<Moment>,
    ) {
        match result {
            Ok(message) => self.gets_message(client, message, since),
            // The end of a partition is no failure.
            Err(KafkaError::PartitionEOF(_)) => {}
            Err(error) => self.gets_error(error, since),
        }
    }

    fn gets_message<C: ClientContext>(
        &self,
        client: &Client<C>,
        message: &BorrowedMessage<'_>,
        since: Option<Moment>,
    ) {
        if self.client().is_idle() {
            return;
        }
        self.touched();
        self.learn_cluster(client);
        let destination = Destination::named(message.topic());
        let partition = partition::label(message.partition());
        let headers = MessageHeaders::new(message);
        self.client()
            .consumed_with(POLL, &destination, Some(&headers), partition.as_ref(), 1);
        let Some(since) = since else { return };
        let envelope = Envelope {
            destination,
            headers: Some(&headers),
            body_size: message.payload_len(),
        };
        let mut operation = self.client().receive(POLL, &envelope, since, |list| {
            push_partition(partition.as_ref(), list);
            self.push_message(message, list);
            list.extend(self.cluster());
        });
        if let Some(partition) = partition {
            operation.describe_mut().set_shown_partition(partition);
        }
        operation.finish(&Outcome::Success);
    }

    fn gets_error(&self, error: &KafkaError, since: Option<Moment>) {
        let Some(since) = since else { return };
        let nowhere = Destination::named("");
        let client = self.client();
        let operation = client.receive_none(POLL, nowhere, since, true);
        telemetry::fail(operation, error);
    }

    /// Commits the offsets of a list, or the consumer's own where there is none.
    pub(super) fn commits(
        &self,
        offsets: Option<&TopicPartitionList>,
        commit: impl FnOnce() -> KafkaResult<()>,
    ) -> KafkaResult<()> {
        if self.client().is_idle() {
            return commit();
        }
        let destinations = offsets.map(Destinations::of_list).unwrap_or_default();
        self.settles(&destinations, None, commit)
    }

    /// Commits the offset of a message.
    pub(super) fn commits_message(
        &self,
        message: &BorrowedMessage<'_>,
        commit: impl FnOnce() -> KafkaResult<()>,
    ) -> KafkaResult<()> {
        if self.client().is_idle() {
            return commit();
        }
        let destinations = Destinations {
            topic: message.topic().to_owned(),
            partition: Some(message.partition()),
        };
        self.settles(&destinations, Some(message.offset()), commit)
    }

    fn settles(
        &self,
        destinations: &Destinations,
        offset: Option<i64>,
        commit: impl FnOnce() -> KafkaResult<()>,
    ) -> KafkaResult<()> {
        let mut operation = destinations.settle(self, COMMIT, |list| {
            list.extend(offset.map(|offset| KeyValue::new(attribute::KAFKA_OFFSET, offset)));
        });
        let result = {
            let _entered = operation.enter();
            commit()
        };
        telemetry::end(operation, result)
    }

    /// Counts a commit that was answered, for contexts that implement
    /// [`commit_callback`](rdkafka::consumer::ConsumerContext::commit_callback). librdkafka tells
    /// rdkafka of automatic commits alone. ([`TelemetryContext`](super::TelemetryContext) does this
    /// by itself.)
    pub fn on_commit(&self, result: &KafkaResult<()>, offsets: &TopicPartitionList) {
        // There was nothing to commit: librdkafka says so, and that it is no failure.
        if matches!(
            result,
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset))
        ) {
            return;
        }
        let common = Destinations::of_list(offsets);
        let class = result.as_ref().err().map(error::class);
        let error = match &class {
            Some(class) => Interned::new(class.as_str()).map(Interned::id),
            None => Some(0),
        };
        let (topic, standing) = self.client().standing(&common.topic);
        let key = error.zip(topic);
        let key = key.map(|(error, [topic, kind])| [error, topic, kind, 0]);
        self.extra().commits.measure(1, key, || {
            let mut list = self.client().common_attributes();
            list.extend(standing.clone());
            list.extend(
                (class.as_ref())
                    .map(|class: &ErrorType| KeyValue::new(attribute::ERROR_TYPE, class.value())),
            );
            list
        });
    }

    /// Counts a change of the consumer's assignment, for contexts that implement
    /// [`post_rebalance`](rdkafka::consumer::ConsumerContext::post_rebalance).
    /// ([`TelemetryContext`](super::TelemetryContext) does this by itself.)
    pub fn on_rebalance(&self, rebalance: &Rebalance<'_>) {
        let (number, change) = match rebalance {
            Rebalance::Assign(_) => (0, "assign"),
            Rebalance::Revoke(_) => (1, "revoke"),
            Rebalance::Error(_) => (2, "error"),
        };
        let changes = &self.extra().assignment_changes;
        changes.measure(1, Some([number, 0, 0, 0]), || {
            let mut list = self.client().common_attributes();
            list.push(KeyValue::new(attribute::KAFKA_ASSIGNMENT_CHANGE, change));
            list
        });
    }
}
