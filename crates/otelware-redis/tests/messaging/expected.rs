//! What both sides must leave behind.

use crate::support::Shared;
use otelware_redis::otelware::opentelemetry::trace::SpanKind;
use otelware_redis::otelware::propagation::CompositePropagator;
use otelware_redis::otelware::semconv::SCHEMA_URL;
use otelware_redis::{Client, Instrument, RedisOptions};
use otelware_testing::{
    Attributes, Capture, ExpectedMetric, ExpectedSpan, attributes, expect_span,
};
use redis::Connection;

/// Options with all providers of the capture, and the propagator that services have.
pub(crate) fn options(telemetry: &Capture) -> RedisOptions {
    RedisOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_logger_provider(telemetry.logger_provider())
        .with_propagator(CompositePropagator::default())
}

/// A client of the shared server with these options.
pub(crate) fn client_with(shared: &Shared, options: RedisOptions) -> Client {
    let raw = redis::Client::open(shared.url()).unwrap();
    raw.instrument_with(options)
}

pub(crate) fn client(shared: &Shared, telemetry: &Capture) -> Client {
    client_with(shared, options(telemetry))
}

/// One that writes its context into entries.
pub(crate) fn producer(shared: &Shared, telemetry: &Capture) -> Client {
    client_with(shared, options(telemetry).with_stream_context())
}

/// An entry's id, and its fields in their order.
pub(crate) type Read = (String, Vec<(String, String)>);

/// The entries of a stream as another client sees them.
pub(crate) fn read(connection: &mut Connection, stream: &str) -> Vec<Read> {
    let mut range = redis::cmd("XRANGE");
    let entries: Vec<(String, Vec<String>)> = range
        .arg(stream)
        .arg("-")
        .arg("+")
        .query(connection)
        .unwrap();
    let pairs = |fields: Vec<String>| {
        let pairs = fields
            .chunks(2)
            .map(|pair| (pair[0].clone(), pair[1].clone()));
        pairs.collect()
    };
    entries
        .into_iter()
        .map(|(id, fields)| (id, pairs(fields)))
        .collect()
}

/// What all metrics of the operation on a destination have.
pub(crate) fn point(operation: &'static str, destination: &str, group: Option<&str>) -> Attributes {
    let mut attributes = attributes! {
        "messaging.system.name" => "redis",
        "messaging.operation.name" => operation,
        "messaging.destination.name" => destination.to_owned(),
        "server.address" => "127.0.0.1",
        "server.port" => 6_379,
    };
    if let Some(group) = group {
        attributes.insert(
            "messaging.consumer.group.name".to_owned(),
            group.to_owned().into(),
        );
    }
    attributes
}

/// The span of what is processed, of a destination that is shown as `shown`.
pub(crate) fn process(destination: &str, shown: &str) -> ExpectedSpan {
    let span = expect_span(format!("process {shown}"))
        .kind(SpanKind::Consumer)
        .scope("otelware-redis", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
        .attribute("messaging.system.name", "redis")
        .attribute("messaging.operation.name", "process")
        .attribute("messaging.operation.type", "process")
        .attribute("messaging.destination.name", destination)
        .attribute("server.address", "127.0.0.1")
        .attribute("server.port", 6_379);
    match destination == shown {
        true => span,
        false => span.attribute("messaging.destination.template", shown),
    }
}

/// The same of an entry that a consumer of the group `billing` has.
pub(crate) fn process_entry(stream: &str) -> ExpectedSpan {
    process(stream, stream)
        .attribute("messaging.consumer.group.name", "billing")
        .attribute("messaging.client.id", "worker-1")
}

/// A metric of this crate.
pub(crate) fn of_ours(metric: ExpectedMetric, unit: &str, description: &str) -> ExpectedMetric {
    metric.unit(unit).description(description).scope(
        "otelware-redis",
        env!("CARGO_PKG_VERSION"),
        SCHEMA_URL,
    )
}

/// The names of all metrics.
pub(crate) fn metrics(telemetry: &Capture) -> Vec<String> {
    let mut names: Vec<_> = telemetry
        .metrics()
        .iter()
        .map(|metric| metric.name.clone())
        .collect();
    names.sort();
    names
}
