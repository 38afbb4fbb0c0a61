//! What becomes of publishing and consuming when the broker goes away, and comes again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/server.rs"]
mod server;
mod support;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, ConnectionProperties, Event};
use otelware_lapin::Connection;
use otelware_lapin::otelware::opentelemetry::trace::SpanKind;
use otelware_testing::{Capture, Value, expect_gauge, expect_span};
use server::Server;
use std::time::Duration;
use support::{consume, options, publish, unique};

type Pairs = Vec<(&'static str, Value)>;

fn at(server: &Server) -> Pairs {
    vec![
        ("messaging.system.name", "rabbitmq".into()),
        ("server.address", "127.0.0.1".into()),
        ("server.port", i64::from(server.port()).into()),
    ]
}

fn error_type(telemetry: &Capture, name: &str) -> Option<Value> {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.name == name);
    spans.pop().unwrap().attribute("error.type").cloned()
}

async fn queue(channel: &otelware_lapin::Channel) -> ShortString {
    let name: ShortString = unique("restart").into();
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    channel
        .queue_declare(name.clone(), options, FieldTable::default())
        .await
        .unwrap();
    name
}

/// The sum of an up-down counter.
fn sum(telemetry: &Capture, name: &str) -> f64 {
    telemetry.metric(name).total_sum()
}

const UNACKNOWLEDGED: &str = "otelware.rabbitmq.unacknowledged_deliveries";
const PENDING: &str = "otelware.rabbitmq.pending_confirms";

/// Waits for a step of a test, and says which it was that did not come about.
async fn soon<F: Future>(what: &str, step: F) -> F::Output {
    let step = tokio::time::timeout(Duration::from_secs(30), step).await;
    step.unwrap_or_else(|_| panic!("waited 30 s in vain: {what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_fails_what_is_under_way() {
    let mut server = Server::start();
    let url = server.url();
    let telemetry = Capture::new();
    let connection = support::connect_to(&url, options(&telemetry)).await;
    let channel = connection.create_channel().await.unwrap();
    let queue = queue(&channel).await;
    channel.confirm_select(Default::default()).await.unwrap();
    publish(&channel, &queue, "1", BasicProperties::default())
        .await
        .await
        .unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    assert_eq!(sum(&telemetry, UNACKNOWLEDGED), 1.0);
    // The broker takes nothing any more, and says so to those that publish.
    server.control(&["set_vm_memory_high_watermark", "absolute", "1"]);
    let publish_blocked = || {
        let (channel, queue) = (channel.clone(), queue.clone());
        tokio::spawn(async move {
            let properties = BasicProperties::default();
            let publishing =
                channel.basic_publish("".into(), queue, Default::default(), b"2", properties);
            publishing.await?.await
        })
    };
    let blocked = || {
        let status = connection.status().clone();
        telemetry.wait_until("a blocked connection", move || status.blocked())
    };
    let under_way = publish_blocked();
    blocked().await;
    let states = |connected: i64, blocked: i64| {
        let mut expected = expect_gauge("otelware.rabbitmq.connections").unit("{connection}");
        for (state, count) in [
            ("connected", connected),
            ("blocked", blocked),
            ("reconnecting", 0),
        ] {
            let state = Value::from(state);
            let pairs = at(&server)
                .into_iter()
                .chain([("otelware.rabbitmq.connection.state", state)]);
            expected = expected.point(pairs, count);
        }
        telemetry
            .metric("otelware.rabbitmq.connections")
            .assert(expected);
    };
    states(0, 1);
    server.control(&["set_vm_memory_high_watermark", "0.9"]);
    telemetry
        .wait_until("a connection that is no longer blocked", {
            let status = connection.status().clone();
            move || !status.blocked()
        })
        .await;
    states(1, 0);
    assert!(under_way.await.unwrap().unwrap().is_ack());
    assert!(
        telemetry
            .spans()
            .iter()
            .all(|span| span.attribute("error.type").is_none())
    );

    // A connection that the broker closes while a message waits.
    server.control(&["set_vm_memory_high_watermark", "absolute", "1"]);
    let under_way = publish_blocked();
    blocked().await;
    server.control(&["close_all_connections", "maintenance"]);
    let error = under_way.await.unwrap().unwrap_err();
    assert!(error.is_amqp_hard_error(), "{error:?}");
    let name = format!("publish {queue}");
    assert_eq!(
        error_type(&telemetry, &name),
        Some("connection_forced".into())
    );
    // The second message may have come before the end.
    let error = loop {
        match consumer.next().await.unwrap() {
            Ok(delivery) => assert_eq!(delivery.data, b"2"),
            Err(error) => break error,
        }
    };
    assert!(error.is_amqp_hard_error(), "{error:?}");
    assert_eq!(sum(&telemetry, UNACKNOWLEDGED), 0.0);
    assert!(!delivery.ack(BasicAckOptions::default()).await.unwrap());
    let name = format!("ack {queue}");
    assert_eq!(error_type(&telemetry, &name), Some("channel_closed".into()));
    let lost = channel.basic_publish(
        "".into(),
        queue.clone(),
        Default::default(),
        b"3",
        BasicProperties::default(),
    );
    lost.await.unwrap_err();
    assert_eq!(
        error_type(&telemetry, &format!("publish {queue}")),
        Some("channel_closed".into())
    );
    telemetry.settle().await;
    assert_eq!(sum(&telemetry, PENDING), 0.0);
    tokio::task::block_in_place(|| server.stop());
    let again = Connection::connect_with(
        &url,
        ConnectionProperties::default(),
        options(&telemetry).with_connection_spans(),
    );
    again.await.unwrap_err();
    telemetry.span("connect").assert(
        expect_span("connect")
            .kind(SpanKind::Client)
            .attributes(at(&server))
            .attribute("messaging.operation.name", "connect")
            .error()
            .attribute("error.type", "connection_refused"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_recovers_goes_on() {
    let mut server = Server::start();
    let url = server.url();
    let telemetry = Capture::new();
    let properties = ConnectionProperties::default()
        .enable_auto_recover()
        .configure_backoff(|backoff| {
            backoff
                .with_max_delay(Duration::from_millis(200))
                .with_max_times(600)
        });
    let connection = Connection::connect_with(
        &url,
        properties,
        options(&telemetry).with_connection_spans(),
    );
    let connection = connection.await.unwrap();
    let mut events = Box::pin(connection.events_listener());
    telemetry.span("connect").assert(
        expect_span("connect")
            .kind(SpanKind::Client)
            .attributes(at(&server))
            .attribute("messaging.operation.name", "connect"),
    );
    let channel = connection.create_channel().await.unwrap();
    let queue = queue(&channel).await;
    channel.confirm_select(Default::default()).await.unwrap();
    let durable = BasicProperties::default().with_delivery_mode(2);
    publish(&channel, &queue, "1", durable.clone())
        .await
        .await
        .unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let first = consumer.next().await.unwrap().unwrap();
    assert_eq!(sum(&telemetry, UNACKNOWLEDGED), 1.0);

    // A node that is killed may have forgotten the queue when it comes again.
    tokio::task::block_in_place(|| server.stop());
    let status = channel.status().clone();
    telemetry
        .wait_until("a channel that reconnects", move || status.reconnecting())
        .await;
    // Publishing fails at once from here on until the connection is back. (The confirm of what was
    // written before fails only then.)
    let properties = durable.clone();
    let publishing = channel.basic_publish(
        "".into(),
        queue.clone(),
        Default::default(),
        b"lost",
        properties,
    );
    let error = soon("publishing fails", publishing).await.unwrap_err();
    assert_eq!(
        error_type(&telemetry, &format!("publish {queue}")),
        Some("channel_reconnecting".into())
    );
    let reconnecting = at(&server).into_iter().chain([(
        "otelware.rabbitmq.connection.state",
        Value::from("reconnecting"),
    )]);
    let states = telemetry.metric("otelware.rabbitmq.connections");
    assert_eq!(states.point(reconnecting).sum(), 1.0);
    tokio::task::block_in_place(|| server.restart());
    let recovery = channel.wait_for_recovery(error);
    soon("the connection recovers", recovery).await.unwrap();
    telemetry.span("recover").assert(
        expect_span("recover")
            .kind(SpanKind::Client)
            .attributes(at(&server))
            .attribute("messaging.operation.name", "recover"),
    );
    assert!(!first.ack(BasicAckOptions::default()).await.unwrap());

    let publishing = async { publish(&channel, &queue, "2", durable).await.await };
    soon("a message is confirmed", publishing).await.unwrap();
    let mut bodies = Vec::new();
    while bodies.len() < 2 {
        let delivery = match soon("a message comes", consumer.next()).await {
            Some(Ok(delivery)) => delivery,
            // The error that ended the connection comes first.
            Some(Err(_)) => continue,
            None => panic!("the consumer has ended"),
        };
        bodies.push((delivery.data.clone(), delivery.redelivered));
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    assert_eq!(bodies, [(b"1".to_vec(), true), (b"2".to_vec(), false)]);
    assert_eq!(sum(&telemetry, UNACKNOWLEDGED), 0.0);
    assert_eq!(sum(&telemetry, PENDING), 0.0);
    telemetry.settle().await;

    // What happened is counted as it is listened to.
    while !matches!(
        soon("an event comes", events.next()).await,
        Some(Event::Connected)
    ) {}
    let count = telemetry.metric("otelware.rabbitmq.connection_events");
    let connected = at(&server).into_iter().chain([(
        "otelware.rabbitmq.connection.event",
        Value::from("connected"),
    )]);
    assert_eq!(count.point(connected).sum(), 1.0);
}
