//! OpenTelemetry for rdkafka: producers, consumers, transactions and librdkafka's statistics.
//!
//! ```no_run
//! use otelware_rdkafka::consumer::{Consumer, StreamConsumer};
//! use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
//! use rdkafka::{ClientConfig, Message};
//! use std::time::Duration;
//!
//! # async fn charge(payload: Option<&[u8]>) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = ClientConfig::new();
//! config.set("bootstrap.servers", "kafka:9092").set("group.id", "billing");
//!
//! let producer: FutureProducer = config.create()?;
//! let record = FutureRecord::to("orders").key("7").payload("3 pens");
//! producer.send(record, Duration::from_secs(5)).await.map_err(|(error, _)| error)?;
//!
//! let consumer: StreamConsumer = config.create()?;
//! consumer.subscribe(&["orders"])?;
//! loop {
//!     let message = consumer.recv().await?;
//!     consumer.process(&message, charge(message.payload())).await?;
//! }
//! # }
//! ```
//!
//! Code goes on as it is, with [`producer`] and [`consumer`] imported in the place of rdkafka's
//! modules; records, messages, contexts, opaques, partitioners and errors are rdkafka's own. What
//! is new is [`process`](Telemetry::process) around the code that handles a message. Providers are
//! the global ones, which `otelware::init` sets, unless [`KafkaOptions`] hand over others:
//! `KafkaOptions::new().create(&config)`.
//!
//! # Spans
//!
//! | Span | Kind | From | To |
//! |---|---|---|---|
//! | `send {topic}` | `PRODUCER` | the call, with the wait for a full queue | the delivery report, whether or not anybody waits for it |
//! | `process {topic}` | `CONSUMER` | the first poll of the future, the closure, the guard | its end |
//! | `poll {topic}` ([opt-in](KafkaOptions::with_receive_spans)) | `CLIENT` | the call | the message |
//! | `commit {topic}` | `CLIENT` | the call | its return: of an asynchronous commit, when it is queued |
//! | `send_offsets_to_transaction {topic}` | `CLIENT` | the call | its return |
//! | `init_transactions`, `commit_transaction`, `abort_transaction` ([opt-in](KafkaOptions::with_transactions)) | `CLIENT` | the call | its return |
//!
//! The context of the `send` span goes out with the message. A context that the message has
//! already, since it is forwarded, is linked and replaced; [or it stays](KafkaOptions::with_existing_context),
//! and the span is of kind `CLIENT`. Other headers are not touched.
//!
//! Processing is linked to the span that sent the message, always. It is a child of that span where
//! no other is around it, as the conventions have it;
//! [`with_parenting_by`](KafkaOptions::with_parenting_by) decides it for each topic. A batch is
//! linked to the senders of its first 128 messages that have one, and a child of none.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `messaging.system.name` | required | `kafka` |
//! | `messaging.operation.name`, `messaging.operation.type` | required | `send`, `poll`, `process`, `commit`, …, and what the conventions class it as; transactions have no type |
//! | `messaging.destination.name` | conditional | the topic; of batches and commits where there is only one |
//! | `messaging.destination.template` | conditional | [`with_destination_template`](KafkaOptions::with_destination_template) |
//! | `messaging.destination.partition.id` | recommended | the partition: from the start where it is known, else from the delivery report |
//! | `kafka.offset` | recommended | the message's offset; of `send` from the delivery report |
//! | `kafka.message.tombstone` | conditional | `true` of a message without payload |
//! | `kafka.message.key` | opt-in | the key, where it is text: [`with_message_keys`](KafkaOptions::with_message_keys) |
//! | `kafka.cluster.id` | recommended | the cluster, once the client knows it |
//! | `messaging.client.id` | recommended | `client.id`, or librdkafka's own `rdkafka` |
//! | `messaging.consumer.group.name` | conditional | `group.id`; not on `send` |
//! | `server.address`, `server.port` | recommended | where `bootstrap.servers` names only one |
//! | `messaging.batch.message_count` | conditional | the messages of a batch |
//! | `messaging.message.body.size` | opt-in | [`with_body_sizes`](KafkaOptions::with_body_sizes) |
//! | `messaging.header.{name}` | opt-in | [`with_captured_headers`](KafkaOptions::with_captured_headers) |
//! | `otelware.messaging.unlinked_messages` | ours | the messages of a batch beyond the 128th link |
//! | `otelware.kafka.transaction.id` | ours | `transactional.id`, on the steps of transactions |
//! | `otelware.kafka.transaction.remedy` | ours | what the error of a step calls for: `abort`, `retry`, `restart` |
//! | `error.type` | conditional | see below |
//!
//! What is different for the messages of a batch (topic, partition, offset, tombstone, key) is on the
//! links. No payload, and neither keys nor values of headers unless they are asked for, is in any
//! telemetry.
//!
//! # How an operation ends
//!
//! | End | Status of the span | `error.type` |
//! |---|---|---|
//! | a result | unset | none |
//! | an error of a broker | error | the name in Kafka's protocol: `UNKNOWN_TOPIC_OR_PARTITION` |
//! | an error of librdkafka's own | error | its name: `_MSG_TIMED_OUT`, `_QUEUE_FULL`, `_PURGE_QUEUE` |
//! | an error of processing | error | the type of the error, or what [`fail`](otelware::messaging::Processing::fail) is told |
//! | `send` was dropped while it waited for a full queue | unset | none |
//! | a message that was in the queue when its producer was dropped or its transaction aborted | error | `_PURGE_QUEUE` or `_PURGE_INFLIGHT` |
//! | processing was dropped | unset; see [`with_cancellation`](KafkaOptions::with_cancellation) | `cancelled` |
//! | processing panicked | error | `panic` |
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `messaging.client.operation.duration` | `s` | recommended | system, operation's name and type, topic, partition, group, server, `error.type`; of all spans above but `process` |
//! | `messaging.process.duration` | `s` | recommended | the same, but for the type |
//! | `messaging.client.sent.messages` | `{message}` | recommended | the same |
//! | `messaging.client.consumed.messages` | `{message}` | recommended | the same; each message once, when the application gets it |
//! | `otelware.kafka.message.age` | `s` | [opt-in](KafkaOptions::with_message_ages) | system, topic, group; from the message's timestamp to the begin of its processing |
//!
//! The duration of `poll` is measured where it has spans: otherwise it would tell how long nobody
//! sent anything.
//!
//! With `statistics.interval.ms`, librdkafka's statistics become metrics, all of them with
//! `messaging.system.name` and `otelware.kafka.client.name` (`rdkafka#consumer-1`), those of
//! consumers with the group:
//!
//! | Metric | Unit | Instrument | Attributes besides |
//! |---|---|---|---|
//! | `otelware.kafka.producer.queue.messages`, `….queue.size` | `{message}`, `By` | up-down counter | |
//! | `otelware.kafka.consumer.lag` | `{message}` | gauge | topic, partition |
//! | `otelware.kafka.consumer.queue.messages`, `….queue.size` | `{message}`, `By` | up-down counter | topic, partition |
//! | `otelware.kafka.consumer.assigned_partitions` | `{partition}` | up-down counter | |
//! | `otelware.kafka.consumer.rebalances` | `{rebalance}` | counter | |
//! | `otelware.kafka.broker.round_trip.average`, `….p99` | `s` | gauge | broker's id, address and port |
//! | `otelware.kafka.broker.requests.in_flight`, `….queued` | `{request}` | up-down counter | the same |
//! | `otelware.kafka.broker.request.retries`, `….timeouts` | `{request}` | counter | the same |
//!
//! Lag is counted from the offset that the group has committed. No template stands for the topics of
//! statistics. These come while the client is polled, and end with it.
//!
//! Two more tell what only a consumer's context sees:
//!
//! | Metric | Unit | Attributes |
//! |---|---|---|
//! | `otelware.kafka.consumer.commits` | `{commit}` | topic, group, `error.type`; automatic commits that were answered |
//! | `otelware.kafka.consumer.assignment.changes` | `{change}` | group, `otelware.kafka.assignment.change`: `assign`, `revoke`, `error` |
//!
//! A consumer without a context of its own has [`TelemetryContext`](consumer::TelemetryContext), which
//! does all this. A context of your own holds the [`Telemetry`] and calls it:
//!
//! ```no_run
//! use otelware_rdkafka::consumer::{ConsumerContext, StreamConsumer};
//! use otelware_rdkafka::{KafkaOptions, Telemetry};
//! use rdkafka::client::ClientContext;
//!
//! struct Mine(Telemetry);
//!
//! impl ClientContext for Mine {
//!     fn stats_raw(&self, statistics: &[u8]) {
//!         self.0.record_raw_stats(statistics);
//!     }
//! }
//!
//! impl ConsumerContext for Mine {}
//!
//! # fn example(config: rdkafka::ClientConfig) -> rdkafka::error::KafkaResult<()> {
//! let telemetry = KafkaOptions::new().telemetry(&config);
//! let context = Mine(telemetry.clone());
//! let consumer: StreamConsumer<Mine> = telemetry.create_with_context(&config, context)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is not seen
//!
//! - Functions that want `rdkafka::producer::FutureProducer` itself. [`HeaderInjector`] and
//!   [`HeaderExtractor`] carry context for them.
//! - What is received by rdkafka's consumer, which [`inner`](consumer::StreamConsumer::inner) gives.
//! - Automatic commits have no spans: nobody asks for them. Neither have those that a context's
//!   callbacks make by rdkafka's consumer, which they are told.
//! - How an asynchronous commit ended: librdkafka tells rdkafka of automatic ones alone.
//! - `network.peer.*`: librdkafka does not tell which broker took a message.
//!
//! # Headers
//!
//! Context is read from the last header of a name, as Java's client does, and from all of them for
//! `baggage` and `tracestate`. Headers without a value, and names and values that are not UTF-8, do no
//! harm, though rdkafka's own iterator panics at such names. The functions of librdkafka that this
//! takes are called in one small module, the only one with `unsafe` code.
//!
//! A message has its context in it when librdkafka looks whether it is larger than
//! `message.max.bytes`. `traceparent` takes 68 bytes of that, `tracestate` and `baggage` what they are
//! long.
//!
//! # What is different
//!
//! - Callbacks of a consumer's context are told rdkafka's own [`BaseConsumer`](rdkafka::consumer::BaseConsumer):
//!   it is to be imported from rdkafka for them.
//! - A consumer without a context of the user's has [`TelemetryContext`](consumer::TelemetryContext) where
//!   rdkafka's has `DefaultConsumerContext`, and the context of a producer is within
//!   [`ObservedContext`](producer::ObservedContext). Code that names the one, or `impl Consumer` and
//!   `impl Producer` without a context, is to name the other, or to be generic over it.
//! - A record that was refused comes back with the context that was written into it. Sent again, it
//!   is linked to the attempt before.
//! - With `delivery.report.only.error`, contexts of producers are told of errors only, but librdkafka
//!   reports all messages to this crate. The futures of [`FutureProducer`](producer::FutureProducer)
//!   complete, which those of delivered messages never do with rdkafka.
//!
//! # Features
//!
//! `tokio`, which is on, is rdkafka's feature of that name. TLS, compression and the way librdkafka is
//! built are chosen with rdkafka itself.
#![deny(unsafe_code)]

pub mod consumer;
mod destinations;
mod error;
mod headers;
mod message;
mod native;
mod options;
mod partition;
mod processing;
pub mod producer;
mod server;
mod statistics;
mod telemetry;

pub use headers::{HeaderExtractor, HeaderInjector};
pub use message::KafkaMessage;
pub use options::KafkaOptions;
pub use otelware;
pub use telemetry::{Observed, ObservedWithContext, Telemetry};
