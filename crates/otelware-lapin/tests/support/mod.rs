//! What the tests against RabbitMQ share.
#![allow(dead_code, reason = "each test uses some of it")]

use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, ConnectionProperties};
use otelware::opentelemetry::trace::SpanKind;
use otelware::semconv::SCHEMA_URL;
use otelware_lapin::otelware;
use otelware_lapin::{AmqpOptions, Channel, Connection, Consumer, PublisherConfirm};
use otelware_testing::{
    Capture, ExpectedMetric, ExpectedSpan, HTTP_SECONDS, Span, Value, expect_counter,
    expect_histogram, expect_span, expect_up_down_counter,
};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where RabbitMQ is: `AMQP_URL`, or on loopback.
pub(crate) fn url() -> String {
    let loopback = || "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned();
    std::env::var("AMQP_URL").unwrap_or_else(|_| loopback())
}

/// A name that no other test has, nor the same test in another process.
pub(crate) fn unique(name: &str) -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    format!("otelware-{name}-{}-{number}", std::process::id())
}

/// Options with the providers of the capture.
pub(crate) fn options(telemetry: &Capture) -> AmqpOptions {
    AmqpOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(otelware::propagation::CompositePropagator::default())
}

pub(crate) async fn connect(options: AmqpOptions) -> Connection {
    connect_to(&url(), options).await
}

pub(crate) async fn connect_to(url: &str, options: AmqpOptions) -> Connection {
    let properties = ConnectionProperties::default();
    let connecting = Connection::connect_with(url, properties, options);
    connecting.await.expect("RabbitMQ runs on loopback")
}

/// A channel on a connection of its own, with what is captured of it.
pub(crate) struct Shop {
    pub(crate) telemetry: Capture,
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(|options| options).await
    }

    pub(crate) async fn open_with(told: impl FnOnce(AmqpOptions) -> AmqpOptions) -> Self {
        let telemetry = Capture::new();
        let connection = connect(told(options(&telemetry))).await;
        let channel = connection.create_channel().await.unwrap();
        Self {
            telemetry,
            connection,
            channel,
        }
    }

    pub(crate) async fn confirmed() -> Self {
        let shop = Self::open().await;
        shop.channel
            .confirm_select(Default::default())
            .await
            .unwrap();
        shop
    }

    /// Another channel, that is not observed.
    pub(crate) async fn unseen(&self) -> lapin::Channel {
        self.connection.inner().create_channel().await.unwrap()
    }

    /// A queue of this connection alone.
    pub(crate) async fn queue(&self, name: &str) -> ShortString {
        self.queue_with(name, FieldTable::default()).await
    }

    pub(crate) async fn queue_with(&self, name: &str, arguments: FieldTable) -> ShortString {
        let name: ShortString = unique(name).into();
        let options = QueueDeclareOptions {
            exclusive: true,
            ..Default::default()
        };
        let declared = self.channel.queue_declare(name.clone(), options, arguments);
        assert_eq!(declared.await.unwrap().name(), &name);
        name
    }

    /// Publishes to the queue.
    pub(crate) async fn publish(&self, queue: &ShortString, body: &str) -> PublisherConfirm {
        publish(&self.channel, queue, body, BasicProperties::default()).await
    }

    pub(crate) async fn consume(&self, queue: &ShortString) -> Consumer {
        consume(&self.channel, queue).await
    }

    /// Waits until all has ended, and nothing counts as in flight.
    pub(crate) async fn settle(&self) {
        self.telemetry.settle().await;
    }

    /// The last span of this name.
    pub(crate) fn last(&self, name: &str) -> Span {
        let mut spans = self.telemetry.spans();
        spans.retain(|span| span.name == name);
        spans
            .pop()
            .unwrap_or_else(|| panic!("no span {name}:\n{}", self.telemetry.dump()))
    }
}

pub(crate) async fn publish(
    channel: &Channel,
    queue: &ShortString,
    body: &str,
    properties: BasicProperties,
) -> PublisherConfirm {
    let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
    let publishing = channel.basic_publish(
        exchange,
        queue.clone(),
        options,
        body.as_bytes(),
        properties,
    );
    publishing.await.unwrap()
}

pub(crate) async fn consume(channel: &Channel, queue: &ShortString) -> Consumer {
    let options = BasicConsumeOptions::default();
    let consuming = channel.basic_consume(queue.clone(), "".into(), options, FieldTable::default());
    consuming.await.unwrap()
}

/// A header table.
pub(crate) fn headers<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(name.into(), value);
    }
    table
}

/// Attributes of an operation that spans and metrics both have.
pub(crate) type Pairs = Vec<(&'static str, Value)>;

pub(crate) fn server() -> Pairs {
    let uri: AMQPUri = url().parse().unwrap();
    vec![
        ("messaging.system.name", "rabbitmq".into()),
        ("server.address", uri.authority.host.into()),
        ("server.port", i64::from(uri.authority.port).into()),
    ]
}

/// The attributes of the metrics of an operation, but for its type.
pub(crate) fn measured(verb: &'static str, destination: &str) -> Pairs {
    let mut pairs = server();
    pairs.push(("messaging.operation.name", verb.into()));
    if !destination.is_empty() {
        pairs.push(("messaging.destination.name", destination.into()));
    }
    pairs
}

/// The same, with the class of an error.
pub(crate) fn failed(verb: &'static str, destination: &str, class: &str) -> Pairs {
    with(measured(verb, destination), "error.type", class)
}

pub(crate) fn with(mut pairs: Pairs, key: &'static str, value: impl Into<Value>) -> Pairs {
    pairs.push((key, value.into()));
    pairs
}

const fn class(verb: &str) -> (&'static str, SpanKind) {
    match verb.as_bytes() {
        b"publish" => ("send", SpanKind::Producer),
        b"get" => ("receive", SpanKind::Client),
        b"process" => ("process", SpanKind::Consumer),
        _ => ("settle", SpanKind::Client),
    }
}

/// The span of an operation on a destination that lasts.
pub(crate) fn span(verb: &'static str, destination: &str) -> ExpectedSpan {
    named(&format!("{verb} {destination}"), verb, destination)
}

/// The same, with a name of its own.
pub(crate) fn named(name: &str, verb: &'static str, destination: &str) -> ExpectedSpan {
    let (class, kind) = class(verb);
    expect_span(name)
        .kind(kind)
        .attributes(measured(verb, destination))
        .attribute("messaging.operation.type", class)
        .scope("otelware-lapin", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
}

/// The span of publishing to a queue.
pub(crate) fn published(queue: &ShortString) -> ExpectedSpan {
    span("publish", queue.as_str()).attribute("rabbitmq.destination.routing_key", queue.as_str())
}

/// The span of processing a message of a queue.
pub(crate) fn processed(queue: &ShortString, tag: i64) -> ExpectedSpan {
    span("process", queue.as_str())
        .attribute("rabbitmq.destination.routing_key", queue.as_str())
        .attribute("rabbitmq.message.delivery_tag", tag)
}

/// The span of a settlement.
pub(crate) fn settled(verb: &'static str, queue: &ShortString, tag: i64) -> ExpectedSpan {
    span(verb, queue.as_str()).attribute("rabbitmq.message.delivery_tag", tag)
}

/// `messaging.client.operation.duration` with these operations, and how often each was.
pub(crate) fn durations(points: Vec<(Pairs, u64)>) -> ExpectedMetric {
    let mut metric = expect_histogram("messaging.client.operation.duration")
        .unit("s")
        .description("Duration of messaging operation initiated by a producer or consumer client.")
        .boundaries(&HTTP_SECONDS)
        .scope("otelware-lapin", env!("CARGO_PKG_VERSION"), SCHEMA_URL);
    for (pairs, count) in points {
        let verb = pairs
            .iter()
            .find(|(key, _)| *key == "messaging.operation.name");
        let class = class(verb.unwrap().1.as_str().unwrap()).0;
        metric = metric.point(with(pairs, "messaging.operation.type", class), count);
    }
    metric
}

pub(crate) fn processing(points: Vec<(Pairs, u64)>) -> ExpectedMetric {
    let mut metric = expect_histogram("messaging.process.duration")
        .unit("s")
        .description("Duration of processing operation.")
        .boundaries(&HTTP_SECONDS)
        .scope("otelware-lapin", env!("CARGO_PKG_VERSION"), SCHEMA_URL);
    for (pairs, count) in points {
        metric = metric.point(pairs, count);
    }
    metric
}

pub(crate) fn counter(name: &str, unit: &str, points: Vec<(Pairs, u64)>) -> ExpectedMetric {
    let mut metric = expect_counter(name).unit(unit).scope(
        "otelware-lapin",
        env!("CARGO_PKG_VERSION"),
        SCHEMA_URL,
    );
    for (pairs, count) in points {
        metric = metric.point(pairs, count);
    }
    metric
}

pub(crate) fn in_flight(name: &str, unit: &str, points: Vec<(Pairs, i64)>) -> ExpectedMetric {
    let mut metric = expect_up_down_counter(name).unit(unit).scope(
        "otelware-lapin",
        env!("CARGO_PKG_VERSION"),
        SCHEMA_URL,
    );
    for (pairs, count) in points {
        metric = metric.point(pairs, count);
    }
    metric
}

/// `otelware.rabbitmq.unacknowledged_deliveries` of a queue.
pub(crate) fn unacknowledged(queue: &ShortString, count: i64) -> ExpectedMetric {
    let queue = with(server(), "otelware.rabbitmq.queue", queue.as_str());
    let name = "otelware.rabbitmq.unacknowledged_deliveries";
    in_flight(name, "{delivery}", vec![(queue, count)])
}
