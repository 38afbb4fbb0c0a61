//! Nothing of what messages hold is in any telemetry, unless it is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::Telemetry;
use otelware_rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use otelware_testing::Capture;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};
use std::time::Duration;
use support::broker::Kafka;
use support::{PATIENCE, options};

const SECRET: &str = "s3cr3t";

#[derive(Debug)]
struct Failed;

/// A text with the secret in it.
fn secret() -> impl Strategy<Value = String> {
    ("[ -~äß]{0,20}", "[ -~äß]{0,20}")
        .prop_map(|(before, after)| format!("{before}{SECRET}{after}"))
}

fn headers(pairs: &[(String, String)]) -> OwnedHeaders {
    let pairs = pairs.iter();
    pairs.fold(OwnedHeaders::new(), |headers, (key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    })
}

fn process(telemetry: &Telemetry, message: &OwnedMessage) {
    telemetry
        .process_sync(message, || Ok::<_, Failed>(()))
        .unwrap();
    let error = telemetry.process_sync(message, || Err::<(), _>(Failed));
    assert!(error.is_err());
    let both = [message.clone(), message.clone()];
    telemetry
        .process_batch_sync(&both, || Err::<(), _>(Failed))
        .unwrap_err();
}

#[tokio::test]
async fn payloads_keys_and_headers_are_nobody_s_business() {
    let kafka = Kafka::start();
    let topic = kafka.topic("orders", 1).await;
    let (telemetry, plain) = (Capture::new(), Capture::new());
    let mut config = kafka.config();
    config
        .set("message.max.bytes", "1000")
        .set("linger.ms", "0");
    let with = |capture: &Capture| options(capture).with_logger_provider(capture.logger_provider());
    let producer: BaseProducer = with(&telemetry).create(&config).unwrap();
    let handle = with(&telemetry).telemetry(&kafka.consumer_config("billing"));
    // What is asked for is shown, but for credentials: the search finds what it looks for.
    let asked = with(&plain).with_message_keys().telemetry(&config);
    let case = (
        secret(),
        secret(),
        proptest::collection::vec(("[a-z]{1,9}", secret()), 0..4),
        proptest::bool::ANY,
    );
    let config = Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&case, |(key, payload, pairs, is_large)| {
            let payload = if is_large {
                payload.repeat(400)
            } else {
                payload
            };
            let record = BaseRecord::to(&topic)
                .key(&key)
                .payload(&payload)
                .headers(headers(&pairs));
            // Too large a payload is refused.
            assert_eq!(producer.send(record).is_err(), is_large);
            producer.poll(Duration::ZERO);
            let message = OwnedMessage::new(
                Some(payload.into_bytes()),
                Some(key.into_bytes()),
                topic.clone(),
                rdkafka::Timestamp::now(),
                0,
                7,
                Some(headers(&pairs)),
            );
            process(&handle, &message);
            process(&asked, &message);
            Ok(())
        })
        .unwrap();
    producer.flush(PATIENCE).unwrap();
    assert_eq!(telemetry.open_spans(), 0);
    assert!(telemetry.spans().len() >= 240);
    telemetry.assert_never_contains(SECRET);
    assert!(plain.dump().contains(SECRET));
}
