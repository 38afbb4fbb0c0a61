//! Nothing that may be secret is told by default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, ByteArray, ShortString};
use lapin::{BasicProperties, ConnectionProperties};
use otelware_lapin::{AmqpOptions, Connection, Instrument};
use otelware_testing::Capture;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::*;

/// A text of which each part stands nowhere else, however it is taken apart.
fn secret() -> impl Strategy<Value = String> {
    "(s3cret[a-z0-9]{0,4}[:@/?#%\"'&=+é]){1,4}s3cret"
}

fn told(telemetry: &Capture) -> AmqpOptions {
    options(telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .with_connection_spans()
        .with_body_sizes()
        .with_captured_headers(["authorization", "x-api-key", "callback"])
}

/// Sends the secret wherever it can be, and has it come back.
async fn exchange(telemetry: &Capture, secret: &str) {
    let connection = connect(told(telemetry)).await;
    let channel = connection.create_channel().await.unwrap();
    let shop = Shop {
        telemetry: telemetry.clone(),
        connection,
        channel,
    };
    let (queue, dead) = (
        shop.queue("secrets").await,
        shop.queue("dead-secrets").await,
    );
    let short = ShortString::try_new(secret).unwrap();
    let long = || AMQPValue::LongString(secret.into());
    let sent = headers([
        ("x-user", long()),
        ("authorization", long()),
        (
            "x-api-key",
            AMQPValue::ByteArray(ByteArray::from(secret.as_bytes())),
        ),
        (
            "callback",
            AMQPValue::LongString(format!("https://me:{secret}@host/").into()),
        ),
        ("nested", AMQPValue::FieldTable(headers([("x", long())]))),
        (
            "several",
            AMQPValue::FieldArray(vec![long(), long()].into()),
        ),
        ("x-dead-letter-routing-key", long()),
    ]);
    let properties = BasicProperties::default()
        .with_headers(sent)
        .with_reply_to(short.clone())
        .with_app_id(short.clone())
        .with_type(short.clone())
        .with_content_type(short.clone())
        .with_content_encoding(short.clone())
        .with_cluster_id(short.clone());
    for _ in 0..3 {
        let publishing = shop.channel.basic_publish(
            "".into(),
            queue.clone(),
            BasicPublishOptions::default(),
            secret.as_bytes(),
            properties.clone(),
        );
        let _unasked = publishing.await.unwrap();
    }
    let get = shop
        .channel
        .basic_get(queue.clone(), BasicGetOptions::default());
    let got = get.await.unwrap().unwrap();
    assert_eq!(got.data, secret.as_bytes());
    got.ack(BasicAckOptions::default()).await.unwrap();
    let mut consumer = shop.consume(&queue).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    let failed: Result<(), String> = delivery.process(async { Err(secret.to_owned()) }).await;
    assert_eq!(failed, Err(secret.to_owned()));
    delivery.reject(Default::default()).await.unwrap();
    let delivery = consumer.next().await.unwrap().unwrap();
    shop.channel.start_process_batch([&delivery]).finish();
    drop(delivery);
    // An error whose text the broker writes, of what is asked of it.
    let arguments = headers([("x-max-length", long())]);
    let wrong = shop.channel.inner().clone();
    let declaring = wrong.queue_declare(dead, Default::default(), arguments);
    declaring.await.unwrap_err();
    let failed = shop.channel.basic_get(queue, BasicGetOptions::default());
    failed.await.unwrap_err();
}

/// Tries to connect with the secret as the password.
async fn connect_in_vain(telemetry: &Capture, secret: &str) {
    let encoded: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for password in [&*encoded, secret] {
        let url = format!("amqp://nobody:{password}@127.0.0.1:1/%2f");
        let properties = ConnectionProperties::default();
        let connecting = Connection::connect_with(&url, properties, told(telemetry));
        connecting.await.unwrap_err();
        let given = told(telemetry).with_server_of(&url);
        let properties = ConnectionProperties::default();
        let opened = lapin::Connection::connect(&support::url(), properties)
            .await
            .unwrap();
        let connection = opened.instrument_with(given);
        let channel = connection.create_channel().await.unwrap();
        let queue: ShortString = unique("unknown").into();
        let get = channel.basic_get(queue, BasicGetOptions::default());
        get.await.unwrap_err();
    }
}

#[test]
fn neither_bodies_nor_headers_nor_passwords_are_told() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    let check = |secret: String| {
        let telemetry = Capture::new();
        runtime.block_on(async {
            exchange(&telemetry, &secret).await;
            connect_in_vain(&telemetry, &secret).await;
        });
        assert!(telemetry.spans().len() > 10);
        assert!(!telemetry.logs().is_empty());
        telemetry.assert_never_contains(&secret);
        telemetry.assert_never_contains("s3cret");
    };
    // What a URI may be taken apart at, if it is not encoded.
    for end in ["/", "?", "#", "@", ":"] {
        check(format!("s3cret@s3cret{end}s3cret"));
    }
    TestRunner::new(config)
        .run(&secret(), |secret| {
            check(secret);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn what_is_asked_for_is_told() {
    let telemetry = Capture::new();
    let shop = Shop::open_with(|_| {
        options(&telemetry)
            .with_logger_provider(telemetry.logger_provider())
            .with_error_messages()
            .with_captured_headers(["tenant"])
    })
    .await;
    let queue = shop.queue("told").await;
    let tenant = headers([("tenant", AMQPValue::LongString("acme".into()))]);
    let properties = BasicProperties::default().with_headers(tenant);
    let _unasked = publish(&shop.channel, &queue, "", properties).await;
    let unknown: ShortString = unique("unknown").into();
    let get = shop
        .channel
        .basic_get(unknown.clone(), BasicGetOptions::default());
    get.await.unwrap_err();
    let spans = telemetry.spans();
    assert!(spans[0].attribute("messaging.header.tenant").is_some());
    let log = telemetry.event("messaging.receive.exception");
    let text = format!("{log:?}");
    assert!(text.contains(&format!("no queue '{unknown}'")), "{text}");
}
