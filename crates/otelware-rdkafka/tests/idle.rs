//! Without any provider there is nothing to be seen; context passes through nevertheless, with the
//! first message as with those that follow, which take a shorter way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::consumer::{CommitMode, Consumer};
use otelware_rdkafka::otelware::messaging::ExistingContext;
use otelware_rdkafka::otelware::opentelemetry::Context;
use otelware_rdkafka::otelware::opentelemetry::baggage::BaggageExt;
use otelware_rdkafka::otelware::opentelemetry::trace::TraceContextExt;
use otelware_rdkafka::otelware::propagation::{CompositePropagator, Trust};
use otelware_rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext,
};
use otelware_testing::RemoteParent;
use rdkafka::Offset;
use rdkafka::client::ClientContext;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use std::sync::Mutex;
use support::PATIENCE;
use support::broker::Kafka;

const MESSAGES: usize = 4;

fn options() -> KafkaOptions {
    KafkaOptions::new().with_propagator(CompositePropagator::default())
}

/// The headers of a message as text.
fn headers(message: &OwnedMessage) -> Vec<(String, String)> {
    let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    headers
        .map(|header| (header.key.to_owned(), text(header.value)))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn list(pairs: &[(&str, &str)]) -> OwnedHeaders {
    let pairs = pairs.iter();
    pairs.fold(OwnedHeaders::new(), |headers, &(key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    })
}

/// The span that is current, and the baggage.
fn current() -> (String, String) {
    let context = Context::current();
    let id = context.span().span_context().span_id();
    (id.to_string(), context.baggage().to_string())
}

/// Keeps what is current when a message is delivered.
#[derive(Default)]
struct Told(Mutex<Vec<(String, String)>>);

impl ClientContext for Told {}

impl ProducerContext for Told {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok());
        self.0.lock().unwrap().push(current());
    }
}

/// Sends messages with these headers within the context of a remote span.
fn sent(
    kafka: &Kafka,
    options: &KafkaOptions,
    topic: &str,
    remote: &RemoteParent,
    with: &[(&str, &str)],
) {
    let producer: BaseProducer<Told> = options
        .create_with_context(&kafka.config(), Told::default())
        .unwrap();
    let attached = remote.context().attach();
    let sent_in = current();
    for _ in 0..MESSAGES {
        let record = BaseRecord::<(), str>::to(topic).payload("1").partition(0);
        let record = record.headers(list(with));
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    drop(attached);
    producer.flush(PATIENCE).unwrap();
    let told = producer.client().context().0.lock().unwrap();
    assert_eq!(*told, vec![sent_in; MESSAGES]);
}

#[tokio::test]
async fn the_current_context_goes_with_a_message() {
    let (kafka, remote) = (Kafka::start(), RemoteParent::sampled());
    let traceparent = remote.traceparent();
    let other = format!("00-{}-{}-01", "7".repeat(32), "7".repeat(16));
    let (mine, other) = (("mine", "1"), ("traceparent", other.as_str()));
    let current = ("traceparent", traceparent.as_str());
    for (existing, expected) in [
        (ExistingContext::Replace, [mine, current]),
        (ExistingContext::Preserve, [mine, other]),
    ] {
        let topic = kafka.topic("orders", 1).await;
        let options = options().with_existing_context(existing);
        sent(&kafka, &options, &topic, &remote, &[mine, other]);
        let messages = kafka.messages(&topic, MESSAGES);
        let found: Vec<_> = messages.iter().map(headers).collect();
        assert_eq!(found, vec![pairs(&expected); MESSAGES], "{existing:?}");
    }
}

#[tokio::test]
async fn a_message_is_processed_in_its_context() {
    let kafka = Kafka::start();
    let remote = RemoteParent::sampled();
    let traceparent = remote.traceparent();
    let span = traceparent[36..52].to_owned();
    let sent = [
        ("traceparent", traceparent.as_str()),
        ("baggage", "tenant=7"),
    ];
    let topic = kafka.topic("orders", 1).await;
    for _ in 0..MESSAGES {
        let record = rdkafka::producer::BaseRecord::to(&topic)
            .payload("1")
            .key("");
        kafka.produce_plainly(record.partition(0).headers(list(&sent)));
    }
    for (trust, expected) in [
        (Trust::Trusted, (span, "tenant=7".to_owned())),
        (Trust::Public, ("0".repeat(16), String::new())),
    ] {
        let options = options().with_trust(trust);
        let consumer = kafka.assigned(&options, &topic);
        for _ in 0..MESSAGES {
            let message = consumer.recv().await.unwrap();
            let mut processing = consumer.telemetry().start_process(&message);
            assert_eq!(processing.in_scope(current), expected);
            let part = processing.within(async {
                tokio::task::yield_now().await;
                current()
            });
            assert_eq!(part.await, expected);
            processing.finish();
            let result: Result<(), _> = consumer.process_sync(&message, || Err(current()));
            assert_eq!(result, Err(expected.clone()));
            // A batch has no context but the one around it.
            let _attached = remote.context().attach();
            let around = current();
            let batch = [message.detach(), message.detach()];
            let result: Result<(), _> = consumer.process_batch_sync(&batch, || Err(current()));
            assert_eq!(result, Err(around));
            consumer.commit_message(&message, CommitMode::Sync).unwrap();
        }
        let committed = consumer.committed(PATIENCE).unwrap();
        let committed = committed.find_partition(&topic, 0).unwrap();
        assert_eq!(
            committed.offset(),
            Offset::Offset(MESSAGES.try_into().unwrap())
        );
    }
    assert_eq!(current(), ("0".repeat(16), String::new()));
}
