//! Connections that are told nothing, by each way to connect: what they do goes to the global
//! providers, which may be set after them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::options::{BasicAckOptions, QueueDeclareOptions};
use lapin::tcp::{AMQPUriTcpExt, OwnedTLSConfig};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, ConnectionProperties, Error};
use otelware_lapin::otelware::opentelemetry::global;
use otelware_lapin::otelware::propagation::CompositePropagator;
use otelware_lapin::{
    AmqpOptions, Connect, Connection, ConnectionBuilder, DefaultConnectionBuilder, Instrument,
};
use otelware_testing::Capture;
use support::*;

/// A connection by each of the ways that there are.
async fn connections() -> Vec<Connection> {
    let (text, properties) = (url(), ConnectionProperties::default);
    let parsed: AMQPUri = text.parse().unwrap();
    let runtime = || lapin::runtime::default_runtime().unwrap();
    let tls = OwnedTLSConfig::default;
    let raw = lapin::Connection::connect(&text, properties())
        .await
        .unwrap();
    let observed = AmqpOptions::new().with_server_of(&text);
    let builder = DefaultConnectionBuilder::new().unwrap();
    let by_text = builder
        .with_uri_str(text.clone())
        .with_properties(properties())
        .with_tls_config(tls());
    let by_uri = ConnectionBuilder::new_with_runtime(runtime()).with_uri(parsed.clone());
    assert!(!format!("{by_text:?} {by_uri:?}").contains("guest"));
    let connected = [
        Connection::connect(&text, properties()).await,
        Connection::connect_with(&text, properties(), AmqpOptions::new()).await,
        Connection::connect_uri(parsed.clone(), properties()).await,
        Connection::connect_with_runtime(&text, properties(), runtime()).await,
        Connection::connect_with_config(&text, properties(), tls(), runtime()).await,
        Connection::connect_uri_with_runtime(parsed.clone(), properties(), runtime()).await,
        Connection::connect_uri_with_config(parsed.clone(), properties(), tls(), runtime()).await,
        text.as_str().connect(properties()).await,
        text.as_str()
            .connect_with_config(properties(), tls(), runtime())
            .await,
        parsed.clone().connect(properties()).await,
        parsed
            .clone()
            .connect_with_config(properties(), tls(), runtime())
            .await,
        Connection::connector(
            parsed,
            runtime(),
            async |uri, runtime| {
                let tls = OwnedTLSConfig::default();
                let connecting = uri.connect_with_config_async(tls.as_ref(), &runtime);
                connecting.await.map_err(Error::from)
            },
            properties(),
        )
        .await,
        by_text.connect().await,
        by_uri.with_options(AmqpOptions::new()).connect().await,
    ];
    let mut connections: Vec<_> = connected.into_iter().map(Result::unwrap).collect();
    connections.push(raw.instrument_with(observed));
    connections
}

#[tokio::test]
async fn providers_may_come_after_connections_and_consumers() {
    let connections = connections().await;
    let channel = connections[0].create_channel().await.unwrap();
    let queue: ShortString = unique("global").into();
    let exclusive = QueueDeclareOptions {
        auto_delete: true,
        ..Default::default()
    };
    let declaring = channel.queue_declare(queue.clone(), exclusive, FieldTable::default());
    declaring.await.unwrap();
    let mut consumer = consume(&channel, &queue).await;

    let telemetry = Capture::new();
    global::set_tracer_provider(telemetry.tracer_provider());
    global::set_meter_provider(telemetry.meter_provider());
    global::set_text_map_propagator(CompositePropagator::default());
    for connection in &connections {
        telemetry.reset();
        let channel = connection.create_channel().await.unwrap();
        let _unasked = publish(&channel, &queue, "1", BasicProperties::default()).await;
        let publish = telemetry.span(&format!("publish {queue}"));
        publish.assert(published(&queue));
        let delivery = consumer.next().await.unwrap().unwrap();
        let processing = delivery.process(delivery.ack(BasicAckOptions::default()));
        assert!(processing.await.unwrap());
        let tag = i64::try_from(delivery.delivery_tag).unwrap();
        let process = telemetry.span(&format!("process {queue}"));
        process.assert(
            processed(&queue, tag)
                .remote_child_of(&publish)
                .link_to(&publish),
        );
    }
    // All are told of together, though each has options of its own.
    let connected = with(server(), "otelware.rabbitmq.connection.state", "connected");
    let count = || {
        let states = telemetry.metric("otelware.rabbitmq.connections");
        states.point(connected.clone()).sum()
    };
    assert_eq!(count(), connections.len() as f64);
    drop((channel, consumer, connections));
    assert_eq!(count(), 0.0);
}
