//! Messages between this crate and Python's confluent-kafka under its OpenTelemetry instrumentation,
//! through a service in either language that sends on what it received, with its headers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::otelware::opentelemetry::baggage::BaggageExt;
use otelware_rdkafka::otelware::opentelemetry::trace::FutureExt;
use otelware_rdkafka::otelware::opentelemetry::{Context, KeyValue};
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use otelware_testing::Capture;
use otelware_testing::python::Python;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, Headers, Message, OwnedMessage};
use support::broker::Kafka;
use support::expected::{at, process, send};
use support::{PATIENCE, options};

const PYTHON: Python = Python {
    directory: env!("CARGO_MANIFEST_DIR"),
    package: env!("CARGO_PKG_NAME"),
    module: "confluent_kafka",
};

/// Baggage, without a space: Python writes one as `+`, which W3C's encoding leaves as it is.
const FROM_RUST: &str = "rust;ü+";

/// The values of the message's headers of this name.
fn values(message: &OwnedMessage, name: &str) -> Vec<String> {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    headers
        .filter(|header| header.key == name)
        .map(|header| String::from_utf8(header.value.unwrap().to_vec()).unwrap())
        .collect()
}

/// What the baggage of the current context says of the caller.
fn caller() -> Option<String> {
    let current = Context::current();
    current.baggage().get("caller").map(ToString::to_string)
}

#[tokio::test]
async fn a_service_in_python_sends_on_what_it_got_from_rust() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let orders = kafka.topic("orders", 1).await;
    let invoices = kafka.topic("invoices", 1).await;
    let producer: FutureProducer = options(&telemetry).create(&kafka.config()).unwrap();
    let baggage = Context::new().with_baggage([KeyValue::new("caller", FROM_RUST)]);
    let record = FutureRecord::<str, str>::to(&orders)
        .payload("teapot")
        .partition(0);
    producer
        .send(record, PATIENCE)
        .with_context(baggage)
        .await
        .unwrap();
    let sent = telemetry.span(&format!("send {orders}"));

    let arguments = [kafka.bootstrap(), orders.clone(), invoices.clone()];
    let arguments = arguments.each_ref().map(String::as_str);
    let Some(spans) = PYTHON.run("forwarder.py", &arguments) else {
        return;
    };
    let processed = spans.named(&format!("{orders} process"));
    assert_eq!(processed.link(), (sent.trace_id, sent.span_id));
    assert_eq!(processed.text("/attributes/baggage.caller"), FROM_RUST);
    let headers = processed.text("/attributes/headers");
    assert_eq!(headers, "baggage,traceparent");
    let forwarded = spans.named(&format!("{invoices} send"));
    assert_eq!(forwarded.text("/kind"), "SpanKind.PRODUCER");
    forwarded.assert_child_of(processed);

    // Python adds its own context to the one that was there.
    let message = kafka.messages(&invoices, 1).remove(0);
    let parents = values(&message, "traceparent");
    assert_eq!(parents.len(), 2, "{parents:?}");
    assert_eq!(parents[0], sent.traceparent());
    let consumer = kafka.assigned(&options(&telemetry), &invoices);
    let message = consumer.recv().await.unwrap();
    let work = async { Ok::<_, KafkaError>(caller()) };
    let found = consumer.process(&message, work).await.unwrap();
    assert_eq!(found.as_deref(), Some(FROM_RUST));
    let last = telemetry.span(&format!("process {invoices}"));
    let group = last.attribute("messaging.consumer.group.name").unwrap();
    let config = kafka.consumer_config(group.as_str().unwrap());
    last.assert(
        process(&config, &invoices)
            .attributes(at("0", 0))
            .attribute("kafka.cluster.id", kafka.cluster_id())
            .remote_child_of(forwarded)
            .link_to(forwarded),
    );
}

#[tokio::test]
async fn a_service_in_rust_sends_on_what_it_got_from_python() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let orders = kafka.topic("orders", 1).await;
    let invoices = kafka.topic("invoices", 1).await;
    let brokers = kafka.bootstrap();
    let Some(spans) = PYTHON.run("producer.py", &[&brokers, &orders]) else {
        return;
    };
    let sent = spans.named(&format!("{orders} send"));

    let producer: FutureProducer = options(&telemetry).create(&kafka.config()).unwrap();
    let consumer = kafka.assigned(&options(&telemetry), &orders);
    let message = consumer.recv().await.unwrap();
    let forward = async {
        let mut record = FutureRecord::<[u8], _>::to(&invoices).partition(0);
        record.payload = message.payload();
        record.headers = message.headers().map(BorrowedHeaders::detach);
        let sent = producer.send(record, PATIENCE).await;
        sent.map_err(|(error, _)| error)?;
        Ok::<_, KafkaError>(caller())
    };
    let found = consumer.process(&message, forward).await.unwrap();
    assert_eq!(found.as_deref(), Some("python;ü+"));
    let processed = telemetry.span(&format!("process {orders}"));
    let group = processed
        .attribute("messaging.consumer.group.name")
        .unwrap();
    let config = kafka.consumer_config(group.as_str().unwrap());
    processed.assert(
        process(&config, &orders)
            .attributes(at("0", 0))
            .attribute("kafka.cluster.id", kafka.cluster_id())
            .remote_child_of(sent)
            .link_to(sent),
    );
    let forwarded = telemetry.span(&format!("send {invoices}"));
    forwarded.assert(
        send(&kafka.config(), &invoices)
            .attributes(at("0", 0))
            .child_of(&processed)
            .link_to(sent),
    );

    // The context is replaced, and the rest is as it was.
    let message = kafka.messages(&invoices, 1).remove(0);
    assert_eq!(values(&message, "traceparent"), [forwarded.traceparent()]);
    assert_eq!(values(&message, "mine"), ["1"]);
    assert_eq!(values(&message, "baggage").len(), 1);
    let Some(spans) = PYTHON.run("consumer.py", &[&brokers, &invoices]) else {
        return;
    };
    let last = spans.named(&format!("{invoices} process"));
    assert_eq!(last.link(), (forwarded.trace_id, forwarded.span_id));
    assert_eq!(last.text("/attributes/baggage.caller"), "python;ü+");
    let headers = last.text("/attributes/headers");
    assert_eq!(headers, "baggage,mine,traceparent");
}
