//! What operations must leave behind.

use crate::support::Server;
use otelware_redis::otelware::semconv::SCHEMA_URL;
use otelware_redis::{Instrument, RedisOptions};
use otelware_testing::suites::database::{assert_all, taken};
use otelware_testing::{Attributes, Capture, ExpectedMetric, Scope, expect_counter};

pub(crate) use otelware_testing::suites::database::{
    Database, ExpectedOperation as Call, assert_operations, assert_spans,
};

/// Options with the providers of the capture.
pub(crate) fn options(telemetry: &Capture) -> RedisOptions {
    RedisOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
}

/// A client of that server, observed by the capture.
pub(crate) fn client(server: &Server, telemetry: &Capture) -> otelware_redis::Client {
    server.client().instrument_with(options(telemetry))
}

/// The server on this port of loopback.
pub(crate) fn database(port: u16) -> Database {
    Database {
        scope: Scope::new("otelware-redis", env!("CARGO_PKG_VERSION"), SCHEMA_URL),
        system: "redis",
        namespace: Some("0".to_owned()),
        address: Some("127.0.0.1".to_owned()),
        port: (port != 6_379).then_some(port),
        pool: format!("127.0.0.1:{port}/0"),
    }
}

/// A command with this text.
pub(crate) fn command(text: impl Into<String>) -> Call {
    let text = text.into();
    let name = text.split(' ').next().unwrap().to_owned();
    named(&name, text)
}

/// Several commands of one name or of different ones.
pub(crate) fn batch(name: &str, size: i64, text: &str) -> Call {
    named(name, text.to_owned()).on_span("db.operation.batch.size", size)
}

fn named(name: &str, text: String) -> Call {
    Call::new(name)
        .on_both("db.operation.name", name)
        .on_span("db.query.text", text)
}

/// All spans and metrics are those of these operations, in the order they began.
pub(crate) async fn all(telemetry: &Capture, database: &Database, calls: &[Call]) {
    assert_all(telemetry, database, || None, taken(0), calls).await;
}

/// A counter of ours with these attributes and this count.
pub(crate) fn counter(
    name: &str,
    description: &str,
    unit: &str,
    attributes: Attributes,
    count: u64,
) -> ExpectedMetric {
    expect_counter(name)
        .unit(unit)
        .description(description)
        .scope("otelware-redis", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
        .point(attributes, count)
}
