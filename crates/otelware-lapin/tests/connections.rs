//! Connections, and channels that lapin opened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, ConnectionProperties};
use otelware_lapin::otelware::opentelemetry::propagation::{Extractor, Injector};
use otelware_lapin::otelware::opentelemetry::trace::{FutureExt, SpanKind};
use otelware_lapin::{Channel, Connection, HeaderExtractor, HeaderInjector, Instrument};
use otelware_testing::{Capture, RemoteParent, expect_gauge, expect_span};
use support::*;

async fn opened() -> lapin::Connection {
    let properties = ConnectionProperties::default();
    lapin::Connection::connect(&url(), properties)
        .await
        .unwrap()
}

/// Sends a message to a queue of the channel's connection and has it come back.
async fn round_trip(channel: &Channel) -> ShortString {
    let queue: ShortString = unique("round").into();
    let options = QueueDeclareOptions::exclusive();
    let declared = channel.queue_declare(queue.clone(), options, FieldTable::default());
    declared.await.unwrap();
    let _unasked = publish(channel, &queue, "hello", BasicProperties::default()).await;
    let mut consumer = consume(channel, &queue).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    let work = delivery.process(delivery.ack(BasicAckOptions::default()));
    assert!(work.await.unwrap());
    queue
}

#[tokio::test]
async fn what_lapin_opened_can_be_observed_with_or_without_its_server() {
    let raw = opened().await;
    let telemetry = Capture::new();
    let channel = raw.create_channel().await.unwrap();
    let channel = channel.instrument_with(options(&telemetry));
    let queue = round_trip(&channel).await;
    telemetry.span(&format!("publish {queue}")).assert(
        expect_span(format!("publish {queue}"))
            .kind(SpanKind::Producer)
            .attribute("messaging.system.name", "rabbitmq")
            .attribute("messaging.operation.name", "publish")
            .attribute("messaging.operation.type", "send")
            .attribute("messaging.destination.name", queue.as_str())
            .attribute("rabbitmq.destination.routing_key", queue.as_str()),
    );
    assert_eq!(telemetry.spans().len(), 3);

    let telemetry = Capture::new();
    let connection = raw.instrument_with(options(&telemetry).with_server_of(&url()));
    let channel = connection.create_channel().await.unwrap();
    let queue = round_trip(&channel).await;
    telemetry
        .span(&format!("publish {queue}"))
        .assert(published(&queue));
    let raw: lapin::Channel = channel.into_inner();
    assert!(raw.status().connected());
    let raw: lapin::Connection = connection.into_inner();
    assert!(raw.status().connected());
}

#[tokio::test]
async fn connecting_has_a_span_if_so_told_and_states_are_observed() {
    let telemetry = Capture::new();
    let around = RemoteParent::sampled();
    let url = url();
    let connecting = Connection::connect_with(
        &url,
        ConnectionProperties::default(),
        options(&telemetry).with_connection_spans(),
    );
    let connection = connecting.with_context(around.context()).await.unwrap();
    telemetry.span("connect").assert(
        expect_span("connect")
            .kind(SpanKind::Client)
            .attributes(server())
            .attribute("messaging.operation.name", "connect")
            .remote_child_of(&around),
    );
    let states = |connected: i64| {
        let mut expected = expect_gauge("otelware.rabbitmq.connections")
            .unit("{connection}")
            .description("Connections by their state.");
        for (state, count) in [
            ("connected", connected),
            ("blocked", 0),
            ("reconnecting", 0),
        ] {
            let state = with(server(), "otelware.rabbitmq.connection.state", state);
            expected = expected.point(state, count);
        }
        telemetry
            .metric("otelware.rabbitmq.connections")
            .assert(expected);
    };
    states(1);
    connection.close(200, "done".into()).await.unwrap();
    states(0);
}

#[tokio::test]
async fn clones_of_options_are_observed_together() {
    let telemetry = Capture::new();
    let shared = options(&telemetry);
    let connections = [connect(shared.clone()).await, connect(shared).await];
    let connected = with(server(), "otelware.rabbitmq.connection.state", "connected");
    let count = |expected: f64| {
        let states = telemetry.metric("otelware.rabbitmq.connections");
        assert_eq!(states.point(connected.clone()).sum(), expected);
    };
    count(2.0);
    let [first, second] = connections;
    drop(first);
    count(1.0);
    drop(second);
    count(0.0);
}

#[tokio::test]
async fn contexts_can_be_carried_by_hand() {
    let mut table = headers([("kept", AMQPValue::LongInt(7))]);
    HeaderInjector(&mut table).set("traceparent", "00-…".to_owned());
    assert_eq!(HeaderExtractor(&table).get("Traceparent"), Some("00-…"));
    assert_eq!(table.inner().get("kept"), Some(&AMQPValue::LongInt(7)));
}

#[tokio::test]
async fn channels_are_compared_as_lapin_s_and_shown() {
    let connection = connect(options(&Capture::new())).await;
    let channel = connection.create_channel().await.unwrap();
    let other = connection.create_channel().await.unwrap();
    assert_eq!(channel, channel.clone());
    assert_ne!(channel, other);
    assert!(format!("{channel:?}").contains("Channel"));
    let shown = format!("{connection:?} {:?}", options(&Capture::new()));
    assert!(!shown.contains("password"), "{shown}");
}

#[test]
fn all_can_be_sent_to_other_threads() {
    fn is_send<T: Send + 'static>() {}
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Channel>();
    is_shared::<Connection>();
    is_shared::<otelware_lapin::Consumer>();
    is_shared::<otelware_lapin::Acker>();
    is_shared::<otelware_lapin::message::Delivery>();
    is_shared::<otelware_lapin::AmqpOptions>();
    is_send::<otelware_lapin::PublisherConfirm>();
    is_shared::<otelware_lapin::ConnectionBuilder<async_rs::Tokio>>();
    is_send::<lapin::PublisherConfirm>();
}

/// Never run: that it compiles is what counts.
#[allow(dead_code)]
async fn all_futures_can_be_sent(channel: Channel, connection: Connection) {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    let (name, table, properties) = (
        ShortString::default,
        FieldTable::default,
        BasicProperties::default,
    );
    is_send(connection.create_channel()).await.unwrap();
    let publishing = channel.basic_publish(name(), name(), Default::default(), b"", properties());
    is_send(is_send(publishing).await.unwrap()).await.unwrap();
    let got = is_send(channel.basic_get(name(), Default::default()));
    let got = got.await.unwrap().unwrap();
    is_send(got.ack(BasicAckOptions::default())).await.unwrap();
    is_send(got.process(async { Ok::<_, ()>(()) }))
        .await
        .unwrap();
    is_send(channel.basic_ack(7, BasicAckOptions::default()))
        .await
        .unwrap();
    is_send(channel.process_batch([&got.delivery], async { Ok::<_, ()>(()) }))
        .await
        .unwrap();
    let consuming = channel.basic_consume(name(), name(), Default::default(), table());
    let mut consumer = is_send(consuming).await.unwrap();
    is_send(consumer.next()).await.unwrap().unwrap();
    is_send(channel.queue_declare(name(), Default::default(), table()))
        .await
        .unwrap();
    is_send(channel.close(200, name())).await.unwrap();
}
