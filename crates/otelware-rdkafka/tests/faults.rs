//! What goes wrong on its way: faults that a mock cluster makes when it is told to, and no broker at
//! all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::producer::{BaseProducer, BaseRecord, FutureProducer, FutureRecord};
use otelware_testing::Capture;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::cell::OnceCell;
use std::time::Duration;
use support::broker::{Kafka, nowhere};
use support::expected::{and, at, measured, measured_at, send, sent};
use support::{PATIENCE, options};

#[tokio::test]
async fn a_delivery_s_error_ends_the_span() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let topic = kafka.topic("orders", 1).await;
    let config = kafka.config();
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    kafka.cluster().request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED],
    );
    let record = FutureRecord::to(&topic).key("k").payload("v");
    let (error, message) = producer.send(record, PATIENCE).await.unwrap_err();
    assert_eq!(
        error,
        KafkaError::MessageProduction(RDKafkaErrorCode::TopicAuthorizationFailed)
    );
    assert_eq!(
        (message.key(), message.payload()),
        (Some(&b"k"[..]), Some(&b"v"[..]))
    );
    telemetry.span(&format!("send {topic}")).assert(
        send(&config, &topic)
            .attribute("messaging.destination.partition.id", "0")
            .attribute("error.type", "TOPIC_AUTHORIZATION_FAILED")
            .error(),
    );
    let series = measured_at(&config, "send", &topic, "0");
    let series = and(series, "error.type", "TOPIC_AUTHORIZATION_FAILED");
    telemetry
        .metric("messaging.client.sent.messages")
        .assert(sent().point(series, 1));
}

#[tokio::test]
async fn a_message_times_out() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config.set("message.timeout.ms", "200");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = FutureRecord::<str, str>::to("orders")
        .partition(3)
        .payload("1");
    let (error, _) = producer.send(record, PATIENCE).await.unwrap_err();
    assert_eq!(
        error,
        KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)
    );
    let span = telemetry.span("send orders");
    span.assert(
        send(&config, "orders")
            .attribute("messaging.destination.partition.id", "3")
            .attribute("error.type", "_MSG_TIMED_OUT")
            .error(),
    );
    assert!(
        span.duration() >= Duration::from_millis(200),
        "{:?}",
        span.duration()
    );
}

#[tokio::test]
async fn a_full_queue_is_waited_for_or_not() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config
        .set("queue.buffering.max.messages", "1")
        .set("message.timeout.ms", "400");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = || FutureRecord::<str, str>::to("orders").payload("1");
    let first = producer
        .send_result(record())
        .map_err(|(error, _)| error)
        .unwrap();
    let (error, _) = producer.send(record(), Duration::ZERO).await.unwrap_err();
    assert_eq!(
        error,
        KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)
    );
    // There is room when the first message has timed out.
    let (error, _) = producer.send(record(), PATIENCE).await.unwrap_err();
    assert_eq!(
        error,
        KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)
    );
    assert!(first.await.unwrap().is_err());
    let failed = |class: &'static str| {
        send(&config, "orders")
            .attribute("error.type", class)
            .error()
    };
    let spans = telemetry.spans();
    let class = ["_QUEUE_FULL", "_MSG_TIMED_OUT", "_MSG_TIMED_OUT"];
    assert_eq!(spans.len(), class.len());
    for (span, class) in spans.iter().zip(class) {
        span.assert(failed(class));
    }
    // One span for all attempts, with the wait in it.
    assert!(
        spans[2].duration() >= Duration::from_millis(400),
        "{:?}",
        spans[2].duration()
    );
    let mut series = measured(&config, "send", "orders");
    series.push(("error.type", "_MSG_TIMED_OUT".into()));
    let full = and(
        measured(&config, "send", "orders"),
        "error.type",
        "_QUEUE_FULL",
    );
    telemetry
        .metric("messaging.client.sent.messages")
        .assert(sent().point(series, 2).point(full, 1));
}

#[tokio::test]
async fn a_cancelled_wait_for_a_full_queue_is_no_error() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config.set("queue.buffering.max.messages", "1");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = || FutureRecord::<str, str>::to("orders").payload("1");
    let first = producer
        .send_result(record())
        .map_err(|(error, _)| error)
        .unwrap();
    let waiting = producer.send(record(), PATIENCE);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), waiting)
            .await
            .is_err()
    );
    telemetry
        .span("send orders")
        .assert(send(&config, "orders"));
    // What is in the queue ends with the producer.
    drop(producer);
    assert!(first.await.unwrap().is_err());
    let purged = telemetry.spans();
    assert_eq!(purged.len(), 2);
    let purged = purged
        .iter()
        .find(|span| span.attribute("error.type").is_some())
        .unwrap();
    purged.assert(
        send(&config, "orders")
            .attribute("error.type", "_PURGE_QUEUE")
            .error(),
    );
    assert_eq!(telemetry.open_spans(), 0);
}

thread_local! {
    static OF_THREAD: OnceCell<BaseProducer> = const { OnceCell::new() };
}

#[test]
fn a_producer_of_a_thread_s_own_ends_with_it() {
    let telemetry = Capture::new();
    let config = nowhere();
    let observed = options(&telemetry).with_logger_provider(telemetry.logger_provider());
    for options in [KafkaOptions::new(), observed] {
        let config = config.clone();
        let thread = std::thread::spawn(move || {
            OF_THREAD.with(|producer| {
                let producer = producer.get_or_init(|| options.create(&config).unwrap());
                for _ in 0..3 {
                    let record = BaseRecord::<str, str>::to("orders").payload("1");
                    producer.send(record).map_err(|(error, _)| error).unwrap();
                }
            });
        });
        thread.join().unwrap();
    }
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 3);
    for span in spans {
        let purged = send(&config, "orders").attribute("error.type", "_PURGE_QUEUE");
        span.assert(purged.error());
    }
    assert_eq!(telemetry.open_spans(), 0);
}

#[tokio::test]
async fn a_broker_goes_down_and_comes_back() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let topic = kafka.topic("orders", 1).await;
    let mut config = kafka.config();
    config
        .set("reconnect.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "50");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let record = || {
        FutureRecord::<str, str>::to(&topic)
            .payload("1")
            .partition(0)
    };
    producer.send(record(), PATIENCE).await.unwrap();
    kafka.cluster().broker_down(1).unwrap();
    let report = producer
        .send_result(record())
        .map_err(|(error, _)| error)
        .unwrap();
    assert_eq!(telemetry.spans().len(), 1);
    kafka.cluster().broker_up(1).unwrap();
    assert_eq!(report.await.unwrap().unwrap().offset, 1);
    let span = telemetry.spans().pop().unwrap();
    span.assert(
        send(&config, &topic)
            .attributes(at("0", 1))
            .attribute("kafka.cluster.id", kafka.cluster_id()),
    );
}
