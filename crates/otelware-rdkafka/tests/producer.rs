//! Producers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::otelware::messaging::ExistingContext;
use otelware_rdkafka::otelware::opentelemetry::Context;
use otelware_rdkafka::otelware::opentelemetry::trace::TraceContextExt;
use otelware_rdkafka::otelware::operation;
use otelware_rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, FutureProducer, FutureRecord, NoCustomPartitioner,
    Partitioner, Producer, ProducerContext, PurgeConfig, ThreadedProducer,
};
use otelware_testing::{Capture, RemoteParent};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use std::sync::Mutex;
use std::time::Duration;
use support::broker::{Kafka, nowhere};
use support::expected::{and, at, measured, measured_at, operations, send, send_by_client, sent};
use support::{PATIENCE, options, wait_for};

type Pairs = Vec<(String, Option<Vec<u8>>)>;

fn headers<H: Headers>(headers: Option<&H>) -> Pairs {
    let headers = headers.into_iter().flat_map(Headers::iter);
    headers
        .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
        .collect()
}

fn pairs(pairs: &[(&str, Option<&str>)]) -> Pairs {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| {
            let value = value.map(|value| value.as_bytes().to_vec());
            ((*key).to_owned(), value)
        })
        .collect()
}

fn list(pairs: &[(&str, Option<&str>)]) -> OwnedHeaders {
    let pairs = pairs.iter();
    pairs.fold(OwnedHeaders::new(), |headers, &(key, value)| {
        headers.insert(Header { key, value })
    })
}

#[tokio::test]
async fn a_message_carries_its_span_which_ends_with_the_report() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let config = kafka.config();
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let mine = [("mine", Some("1")), ("null", None), ("mine", Some("2"))];
    let outer = operation("outer")
        .with_tracer_provider(telemetry.tracer_provider())
        .run(async {
            let record = FutureRecord::to(&topic)
                .key("secret-key")
                .payload("secret")
                .headers(list(&mine));
            let delivery = producer.send(record, PATIENCE).await.unwrap();
            assert_eq!((delivery.partition, delivery.offset), (0, 0));
        });
    outer.await;
    let span = telemetry.span(&format!("send {topic}"));
    let outer = telemetry.span("outer");
    span.assert(
        send(&config, &topic)
            .child_of(&outer)
            .attributes(at("0", 0)),
    );
    let message = kafka.messages(&topic, 1).remove(0);
    let traceparent = span.traceparent();
    let expected = [
        mine.as_slice(),
        &[("traceparent", Some(traceparent.as_str()))],
    ]
    .concat();
    assert_eq!(headers(message.headers()), pairs(&expected));
    assert_eq!(message.payload(), Some(&b"secret"[..]));

    let series = measured_at(&config, "send", &topic, "0");
    let metrics = || telemetry.metric("messaging.client.sent.messages");
    metrics().assert(sent().point(series.clone(), 1));
    let durations = telemetry.metric("messaging.client.operation.duration");
    durations.assert(operations().point(and(series, "messaging.operation.type", "send"), 1));
    durations.assert_same_reading([&span]);

    // The cluster is known now.
    let record = FutureRecord::<(), str>::to(&topic).partition(0).payload("");
    producer.send(record, PATIENCE).await.unwrap();
    let second = telemetry.spans().pop().unwrap();
    second.assert(
        send(&config, &topic)
            .attributes(at("0", 1))
            .attribute("kafka.cluster.id", kafka.cluster_id()),
    );
    telemetry.assert_never_contains("secret");
}

#[tokio::test]
async fn the_span_ends_with_the_report_though_nobody_waits() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    // No report comes before the flush.
    config.set("linger.ms", "19000");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = || FutureRecord::<str, str>::to(&topic).payload("1");
    drop(
        producer
            .send_result(record())
            .map_err(|(error, _)| error)
            .unwrap(),
    );
    let cancelled = tokio::time::timeout(Duration::ZERO, producer.send(record(), PATIENCE)).await;
    assert!(cancelled.is_err());
    assert_eq!(telemetry.spans().len(), 0);
    producer.flush(PATIENCE).unwrap();
    let mut spans = telemetry.wait_for_spans(2).await;
    spans.sort_by_key(|span| {
        span.attribute("kafka.offset")
            .and_then(|value| value.as_int())
    });
    for (span, offset) in spans.iter().zip(0..) {
        span.assert(send(&config, &topic).attributes(at("0", offset)));
    }
    assert_eq!(kafka.messages(&topic, 2).len(), 2);
}

#[tokio::test]
async fn a_broker_refuses_a_topic() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.refused_topic().await;
    let config = kafka.config();
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = FutureRecord::<str, str>::to(&topic).payload("1");
    let (error, _) = producer.send(record, PATIENCE).await.unwrap_err();
    let invalid = KafkaError::MessageProduction(RDKafkaErrorCode::InvalidTopic);
    assert_eq!(error, invalid);
    let span = telemetry.span(&format!("send {topic}"));
    let expected = send(&config, &topic).attribute("error.type", "INVALID_TOPIC_EXCEPTION");
    span.assert(expected.error());
    let series = measured(&config, "send", &topic);
    let series = and(series, "error.type", "INVALID_TOPIC_EXCEPTION");
    let metric = telemetry.metric("messaging.client.sent.messages");
    metric.assert(sent().point(series, 1));
}

#[tokio::test]
async fn what_is_refused_comes_back() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    config.set("message.max.bytes", "2000");
    let producer: FutureProducer = options(&telemetry)
        .with_error_messages()
        .create(&config)
        .unwrap();
    let large = "x".repeat(3_000);
    let record = FutureRecord::to(&topic)
        .key("k")
        .payload(&large)
        .timestamp(7);
    let (error, record) = producer.send_result(record).unwrap_err();
    let too_large = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
    assert_eq!(error, too_large);
    assert_eq!(
        (record.payload, record.key, record.timestamp),
        (Some(&large), Some("k"), Some(7))
    );
    let failed = || {
        send(&config, &topic)
            .attribute("error.type", "MESSAGE_TOO_LARGE")
            .error_description(too_large.to_string())
    };
    let first = telemetry.spans().pop().unwrap();
    first.assert(failed());
    // Sent again as it is, it leads to the attempt before.
    let (error, message) = producer.send(record, PATIENCE).await.unwrap_err();
    assert_eq!(
        (error, message.timestamp().to_millis()),
        (too_large.clone(), Some(7))
    );
    let second = telemetry.spans().pop().unwrap();
    second.assert(failed().link_to(&first));
    let traceparent = second.traceparent();
    assert_eq!(
        headers(message.headers()),
        pairs(&[("traceparent", Some(&traceparent))])
    );
    // A name that no C string can be.
    let record = FutureRecord::<str, str>::to("a\0b").payload("1");
    let (error, _) = producer.send_result(record).unwrap_err();
    assert!(matches!(error, KafkaError::Nul(_)), "{error:?}");
}

#[tokio::test]
async fn a_context_that_is_there_is_replaced_and_linked_or_stays() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let config = kafka.config();
    let remote = RemoteParent::sampled().with_trace_state("vendor=1");
    let before = remote.traceparent();
    let before = [
        ("traceparent", Some(before.as_str())),
        ("mine", Some("1")),
        ("tracestate", Some("vendor=1")),
    ];
    let record = || {
        FutureRecord::<str, str>::to(&topic)
            .payload("1")
            .headers(list(&before))
    };
    let replacing: FutureProducer = options(&telemetry).create(&config).unwrap();
    replacing.send(record(), PATIENCE).await.unwrap();
    let replaced = telemetry.spans().pop().unwrap();
    replaced.assert(
        send(&config, &topic)
            .attributes(at("0", 0))
            .link_to(&remote),
    );
    let preserving: FutureProducer = options(&telemetry)
        .with_existing_context(ExistingContext::Preserve)
        .create(&config)
        .unwrap();
    preserving.send(record(), PATIENCE).await.unwrap();
    let preserved = telemetry.spans().pop().unwrap();
    preserved.assert(
        send_by_client(&config, &topic)
            .attributes(at("0", 1))
            .link_to(&remote),
    );
    let messages = kafka.messages(&topic, 2);
    let traceparent = replaced.traceparent();
    assert_eq!(
        headers(messages[0].headers()),
        pairs(&[("mine", Some("1")), ("traceparent", Some(&traceparent))])
    );
    assert_eq!(headers(messages[1].headers()), pairs(&before));
}

/// A context of a user's.
#[derive(Default)]
struct Mine {
    reports: Mutex<Vec<(usize, Option<i64>, bool)>>,
    to: Option<i32>,
}

struct Always(i32);

impl Partitioner for Always {
    fn partition(&self, _: &str, _: Option<&[u8]>, _: i32, _: impl Fn(i32) -> bool) -> i32 {
        self.0
    }
}

impl ClientContext for Mine {}

impl ProducerContext for Mine {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let offset = result.as_ref().ok().map(Message::offset);
        let has_span = Context::current().span().span_context().is_valid();
        self.reports
            .lock()
            .unwrap()
            .push((opaque, offset, has_span));
    }
}

#[tokio::test]
async fn a_user_s_context_and_opaques_stay() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let config = kafka.config();
    let base: BaseProducer<Mine> = options(&telemetry)
        .create_with_context(&config, Mine::default())
        .unwrap();
    let threaded: ThreadedProducer<Mine> = options(&telemetry)
        .create_with_context(&config, Mine::default())
        .unwrap();
    let record = |opaque| {
        BaseRecord::with_opaque_to(&topic, opaque)
            .key("k")
            .payload("1")
            .partition(0)
    };
    base.send(record(41)).map_err(|(error, _)| error).unwrap();
    base.flush(PATIENCE).unwrap();
    threaded
        .clone()
        .send(record(42))
        .map_err(|(error, _)| error)
        .unwrap();
    threaded.flush(PATIENCE).unwrap();
    let reports = |context: &Mine| context.reports.lock().unwrap().clone();
    assert_eq!(reports(base.context()), [(41, Some(0), true)]);
    wait_for("the report", || {
        (!reports(threaded.context()).is_empty()).then_some(())
    });
    assert_eq!(reports(threaded.context()), [(42, Some(1), true)]);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    for (span, offset) in spans.iter().zip(0..) {
        span.assert(send(&config, &topic).attributes(at("0", offset)));
    }
    // Refused: the opaque comes back.
    let (error, record) = base.send(record(43).topic("a\0")).unwrap_err();
    assert!(matches!(error, KafkaError::Nul(_)));
    assert_eq!(record.delivery_opaque, 43);
}

struct Partitioned(Always);

impl ClientContext for Partitioned {}

impl ProducerContext<Always> for Partitioned {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}

    fn get_custom_partitioner(&self) -> Option<&Always> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn a_custom_partitioner_decides() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 4).await;
    let config = kafka.config();
    let producer: BaseProducer<Partitioned, Always> = options(&telemetry)
        .create_with_context(&config, Partitioned(Always(2)))
        .unwrap();
    let record = BaseRecord::<str, str>::to(&topic).key("k").payload("1");
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    let span = telemetry.span(&format!("send {topic}"));
    span.assert(send(&config, &topic).attributes(at("2", 0)));
}

#[tokio::test]
async fn tombstones_keys_and_sizes() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    config.set("enable.idempotence", "true");
    let producer: FutureProducer = options(&telemetry)
        .with_message_keys()
        .with_body_sizes()
        .with_captured_headers(["mine", "token"])
        .create(&config)
        .unwrap();
    let tombstone = FutureRecord::<str, str>::to(&topic).key("k");
    producer.send(tombstone, PATIENCE).await.unwrap();
    let span = telemetry.spans().pop().unwrap();
    span.assert(
        send(&config, &topic)
            .attributes(at("0", 0))
            .attribute("kafka.message.tombstone", true)
            .attribute("kafka.message.key", "k")
            .attribute("messaging.message.body.size", 0),
    );
    // A key that is no text, and a payload that is empty but there.
    let mine = list(&[
        ("mine", Some("1")),
        ("mine", None),
        ("token", Some("s3cret")),
    ]);
    let record = FutureRecord::to(&topic)
        .key(&[0xff][..])
        .payload("")
        .headers(mine);
    producer.send(record, PATIENCE).await.unwrap();
    let span = telemetry.spans().pop().unwrap();
    span.assert(
        send(&config, &topic)
            .attributes(at("0", 1))
            .attribute("kafka.cluster.id", kafka.cluster_id())
            .attribute(
                "messaging.header.mine",
                otelware_testing::Value::List(vec!["1".into()]),
            )
            .attribute(
                "messaging.header.token",
                otelware_testing::Value::List(vec!["REDACTED".into()]),
            )
            .attribute("messaging.message.body.size", 0),
    );
    telemetry.assert_never_contains("s3cret");
}

#[tokio::test]
async fn fire_and_forget() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    config.set("acks", "0");
    let producer: BaseProducer = options(&telemetry).create(&config).unwrap();
    let record = BaseRecord::<str, str>::to(&topic).payload("1");
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    // Nobody tells the offset.
    let span = telemetry.span(&format!("send {topic}"));
    span.assert(send(&config, &topic).attribute("messaging.destination.partition.id", "0"));
}

#[tokio::test]
async fn spans_end_where_only_errors_are_to_be_reported() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    config
        .set("delivery.report.only.error", "True")
        .set("linger.ms", "19000");
    let producer: BaseProducer<Mine> = options(&telemetry)
        .create_with_context(&config, Mine::default())
        .unwrap();
    let produce = |opaque| {
        let record = BaseRecord::<str, str, usize>::with_opaque_to(&topic, opaque);
        let record = record.payload("1").partition(0);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    };
    produce(41);
    producer.flush(PATIENCE).unwrap();
    assert_eq!(telemetry.open_spans(), 0);
    telemetry
        .span(&format!("send {topic}"))
        .assert(send(&config, &topic).attributes(at("0", 0)));
    // The context is told what it wants to be told.
    produce(42);
    producer.purge(PurgeConfig::default().queue());
    producer.flush(PATIENCE).unwrap();
    assert_eq!(telemetry.open_spans(), 0);
    assert_eq!(
        *producer.context().reports.lock().unwrap(),
        [(42, None, true)]
    );
    let future: FutureProducer = options(&telemetry)
        .create(config.set("linger.ms", "0"))
        .unwrap();
    let record = FutureRecord::<str, str>::to(&topic).payload("2");
    let delivery = future.send(record, PATIENCE).await.unwrap();
    assert_eq!((delivery.partition, delivery.offset), (0, 1));
}

#[test]
fn producers_are_made_as_rdkafka_s_are() {
    let config = nowhere();
    let _: FutureProducer = config.create().unwrap();
    let _: BaseProducer = config.create().unwrap();
    let _: ThreadedProducer<_> = config.create().unwrap();
    let _: FutureProducer<Mine> = config.create_with_context(Mine::default()).unwrap();
    let _: BaseProducer<Mine, NoCustomPartitioner> =
        config.create_with_context(Mine::default()).unwrap();
    let mine: ThreadedProducer<Mine> = config
        .create_with_context(Mine {
            to: Some(7),
            ..Mine::default()
        })
        .unwrap();
    // The context is the user's own.
    assert_eq!(mine.context().to, Some(7));
    let wrong = rdkafka::ClientConfig::new()
        .set("no.such.option", "1")
        .create::<FutureProducer>();
    assert!(matches!(wrong.unwrap_err(), KafkaError::ClientConfig(..)));
    let _: Option<MockCluster<'_, _>> = mine.client().mock_cluster();
}
