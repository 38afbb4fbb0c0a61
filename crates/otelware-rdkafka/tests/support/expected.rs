//! What spans and metrics must be like.

use otelware_rdkafka::otelware::opentelemetry::trace::SpanKind;
use otelware_rdkafka::otelware::semconv::{SCHEMA_URL, boundaries};
use otelware_testing::{
    ExpectedMetric, ExpectedSpan, Value, expect_counter, expect_histogram, expect_span,
};
use rdkafka::ClientConfig;

type Pairs = Vec<(&'static str, Value)>;

/// What all spans and metrics of a client with this configuration have.
pub(crate) fn server(config: &ClientConfig) -> Pairs {
    let bootstrap = config.get("bootstrap.servers").unwrap();
    let (host, port) = bootstrap.rsplit_once(':').unwrap();
    vec![
        ("messaging.system.name", "kafka".into()),
        ("server.address", host.to_owned().into()),
        ("server.port", port.parse::<i64>().unwrap().into()),
    ]
}

fn group(config: &ClientConfig) -> Pairs {
    let group = config.get("group.id");
    let group = group.map(|group| ("messaging.consumer.group.name", group.to_owned().into()));
    group.into_iter().collect()
}

/// A span of a client with this configuration.
fn span(
    config: &ClientConfig,
    kind: SpanKind,
    (name, class): (&'static str, Option<&'static str>),
    topic: &str,
) -> ExpectedSpan {
    let whole = format!("{name} {topic}");
    let mut span = expect_span(whole.trim_end())
        .kind(kind)
        .scope("otelware-rdkafka", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
        .attributes(server(config))
        .attribute("messaging.client.id", config.get("client.id").unwrap())
        .attribute("messaging.operation.name", name);
    if let Some(class) = class {
        span = span.attribute("messaging.operation.type", class);
    }
    if !topic.is_empty() {
        span = span.attribute("messaging.destination.name", topic);
    }
    span
}

/// The span of a message that is sent.
pub(crate) fn send(config: &ClientConfig, topic: &str) -> ExpectedSpan {
    span(config, SpanKind::Producer, ("send", Some("send")), topic)
}

/// The span of a message that is sent with the context that it had.
pub(crate) fn send_by_client(config: &ClientConfig, topic: &str) -> ExpectedSpan {
    send(config, topic).kind(SpanKind::Client)
}

/// The span of a message, or a batch, that is processed.
pub(crate) fn process(config: &ClientConfig, topic: &str) -> ExpectedSpan {
    let verb = ("process", Some("process"));
    span(config, SpanKind::Consumer, verb, topic).attributes(group(config))
}

/// The span of a message that is received.
pub(crate) fn poll(config: &ClientConfig, topic: &str) -> ExpectedSpan {
    let verb = ("poll", Some("receive"));
    span(config, SpanKind::Client, verb, topic).attributes(group(config))
}

/// The span of messages that are settled.
pub(crate) fn settle(config: &ClientConfig, name: &'static str, topic: &str) -> ExpectedSpan {
    let verb = (name, Some("settle"));
    span(config, SpanKind::Client, verb, topic).attributes(group(config))
}

/// The span of a step of a transaction.
pub(crate) fn step(config: &ClientConfig, name: &'static str) -> ExpectedSpan {
    let id = config.get("transactional.id").unwrap();
    span(config, SpanKind::Client, (name, None), "")
        .attributes(group(config))
        .attribute("otelware.kafka.transaction.id", id)
}

/// Where a message is.
pub(crate) fn at(partition: &'static str, offset: i64) -> Pairs {
    vec![
        ("messaging.destination.partition.id", partition.into()),
        ("kafka.offset", offset.into()),
    ]
}

/// The attributes of a metric of a client with this configuration.
pub(crate) fn measured(config: &ClientConfig, name: &'static str, topic: &str) -> Pairs {
    let mut pairs = server(config);
    pairs.push(("messaging.operation.name", name.into()));
    if !topic.is_empty() {
        pairs.push(("messaging.destination.name", topic.to_owned().into()));
    }
    if name != "send" {
        pairs.extend(group(config));
    }
    pairs
}

/// The same, for a partition.
pub(crate) fn measured_at(
    config: &ClientConfig,
    name: &'static str,
    topic: &str,
    partition: &'static str,
) -> Pairs {
    let mut pairs = measured(config, name, topic);
    pairs.push(("messaging.destination.partition.id", partition.into()));
    pairs
}

/// The same, with one more attribute.
pub(crate) fn and(mut pairs: Pairs, key: &'static str, value: impl Into<Value>) -> Pairs {
    pairs.push((key, value.into()));
    pairs
}

fn scoped(metric: ExpectedMetric) -> ExpectedMetric {
    metric.scope("otelware-rdkafka", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
}

pub(crate) fn sent() -> ExpectedMetric {
    scoped(expect_counter("messaging.client.sent.messages"))
        .unit("{message}")
        .description("Number of messages producer attempted to send to the broker.")
}

pub(crate) fn consumed() -> ExpectedMetric {
    scoped(expect_counter("messaging.client.consumed.messages"))
        .unit("{message}")
        .description("Number of messages that were delivered to the application.")
}

pub(crate) fn operations() -> ExpectedMetric {
    scoped(expect_histogram("messaging.client.operation.duration"))
        .unit("s")
        .description("Duration of messaging operation initiated by a producer or consumer client.")
        .boundaries(&boundaries::REQUEST_SECONDS)
}

pub(crate) fn processings() -> ExpectedMetric {
    scoped(expect_histogram("messaging.process.duration"))
        .unit("s")
        .description("Duration of processing operation.")
        .boundaries(&boundaries::REQUEST_SECONDS)
}
