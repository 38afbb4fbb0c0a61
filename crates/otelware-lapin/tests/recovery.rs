//! What becomes of deliveries and confirms when a connection is lost, which lapin recovers by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::options::BasicAckOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, ConnectionProperties};
use otelware_lapin::message::Delivery;
use otelware_lapin::{Channel, Connection, Consumer};
use otelware_testing::{Capture, Proxy, Value};
use std::net::ToSocketAddrs;
use std::time::Duration;
use support::{consume, options, publish, unique, with};

const UNACKNOWLEDGED: &str = "otelware.rabbitmq.unacknowledged_deliveries";
const PENDING: &str = "otelware.rabbitmq.pending_confirms";

/// A channel that recovers, with a queue that outlives the connection.
struct Lasting {
    proxy: Proxy,
    telemetry: Capture,
    connection: Connection,
    channel: Channel,
    queue: ShortString,
}

impl Lasting {
    async fn open() -> Self {
        let mut uri: AMQPUri = support::url().parse().unwrap();
        let server = (uri.authority.host.as_str(), uri.authority.port);
        let server = server.to_socket_addrs().unwrap().next().unwrap();
        let (proxy, telemetry) = (Proxy::to(server), Capture::new());
        uri.authority.host = proxy.address().ip().to_string();
        uri.authority.port = proxy.address().port();
        let properties = ConnectionProperties::default()
            .enable_auto_recover()
            .configure_backoff(|backoff| {
                backoff
                    .with_min_delay(Duration::from_millis(10))
                    .with_max_delay(Duration::from_millis(100))
                    .with_max_times(100)
            });
        let url = uri.to_string();
        let connecting = Connection::connect_with(&url, properties, options(&telemetry));
        let connection = connecting.await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue: ShortString = unique("lasting").into();
        let declaring =
            channel.queue_declare(queue.clone(), Default::default(), FieldTable::default());
        declaring.await.unwrap();
        Self {
            proxy,
            telemetry,
            connection,
            channel,
            queue,
        }
    }

    async fn close(self) {
        let Self { channel, queue, .. } = self;
        channel
            .queue_delete(queue, Default::default())
            .await
            .unwrap();
        let closing = self.connection.close(200, "done".into());
        closing.await.unwrap();
    }

    fn sum(&self, name: &str) -> f64 {
        self.telemetry.metric(name).total_sum()
    }

    fn error_type(&self, verb: &str) -> Option<Value> {
        let mut spans = self.telemetry.spans();
        let name = format!("{verb} {}", self.queue);
        spans.retain(|span| span.name == name);
        spans.pop().unwrap().attribute("error.type").cloned()
    }
}

/// The next delivery; the error that ended the connection comes before it.
async fn next(consumer: &mut Consumer) -> Delivery {
    let next = async {
        loop {
            if let Ok(delivery) = consumer.next().await.unwrap() {
                return delivery;
            }
        }
    };
    soon("a message comes", next).await
}

/// Waits for a step of a test, and says which it was that did not come about.
async fn soon<F: Future>(what: &str, step: F) -> F::Output {
    let step = tokio::time::timeout(Duration::from_secs(20), step).await;
    step.unwrap_or_else(|_| panic!("waited 20 s in vain: {what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_of_before_is_no_delivery_of_after() {
    let lasting = Lasting::open().await;
    let (channel, queue) = (&lasting.channel, &lasting.queue);
    let _unasked = publish(channel, queue, "1", BasicProperties::default()).await;
    let mut consumer = consume(channel, queue).await;
    let first = next(&mut consumer).await;
    assert_eq!(lasting.sum(UNACKNOWLEDGED), 1.0);

    lasting.proxy.restore();
    let second = next(&mut consumer).await;
    assert!(second.redelivered);
    assert_eq!(second.delivery_tag, first.delivery_tag);
    // Its number is the other's.
    assert!(!first.ack(BasicAckOptions::default()).await.unwrap());
    let class = Some("channel_closed".into());
    assert_eq!(lasting.error_type("ack"), class);
    first.into_inner();
    assert_eq!(lasting.sum(UNACKNOWLEDGED), 1.0);
    assert!(second.ack(BasicAckOptions::default()).await.unwrap());
    assert_eq!(lasting.sum(UNACKNOWLEDGED), 0.0);
    assert_eq!(lasting.error_type("ack"), None);
    drop(consumer);
    lasting.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirm_that_never_came_fails_once_the_connection_is_back() {
    let lasting = Lasting::open().await;
    let (channel, queue) = (&lasting.channel, &lasting.queue);
    channel.confirm_select(Default::default()).await.unwrap();
    lasting.proxy.silence();
    let confirm = publish(channel, queue, "1", BasicProperties::default()).await;
    assert_eq!(lasting.sum(PENDING), 1.0);

    lasting.proxy.restore();
    let error = soon("the confirm fails", confirm).await.unwrap_err();
    let class = lasting.error_type("publish").unwrap();
    let class = class.as_str().unwrap();
    assert!(class.starts_with("connection_"), "{class}");
    assert_eq!(lasting.sum(PENDING), 0.0);
    let recovery = channel.wait_for_recovery(error);
    soon("the connection recovers", recovery).await.unwrap();
    let confirm = publish(channel, queue, "2", BasicProperties::default()).await;
    assert!(soon("a confirm comes", confirm).await.unwrap().is_ack());
    assert_eq!(lasting.error_type("publish"), None);
    lasting.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_tells_that_it_reconnects() {
    let lasting = Lasting::open().await;
    let (channel, queue) = (&lasting.channel, &lasting.queue);
    let status = lasting.channel.status().clone();
    lasting.proxy.cut();
    let reconnects = move || status.reconnecting();
    lasting
        .telemetry
        .wait_until("a channel that reconnects", reconnects)
        .await;
    // Whoever publishes meanwhile is told so at once.
    let properties = BasicProperties::default();
    let publishing = channel.basic_publish(
        "".into(),
        queue.clone(),
        Default::default(),
        b"1",
        properties,
    );
    let error = publishing.await.unwrap_err();
    let class = Some("channel_reconnecting".into());
    assert_eq!(lasting.error_type("publish"), class);
    lasting.proxy.restore();
    let recovery = channel.wait_for_recovery(error);
    soon("the connection recovers", recovery).await.unwrap();
    let system = with(Vec::new(), "messaging.system.name", "rabbitmq");
    let at = with(system, "server.address", "127.0.0.1");
    let at = with(at, "server.port", i64::from(lasting.proxy.address().port()));
    let connected = with(at, "otelware.rabbitmq.connection.state", "connected");
    let states = lasting.telemetry.metric("otelware.rabbitmq.connections");
    assert_eq!(states.point(connected).sum(), 1.0);
    lasting.close().await;
}
