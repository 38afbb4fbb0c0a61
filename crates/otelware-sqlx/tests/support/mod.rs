//! What the tests against databases share: what operations must leave behind, and the tests that
//! are the same for all databases.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod common;
pub(crate) mod proxy;
pub(crate) mod under_test;

use otelware_sqlx::otelware::semconv::SCHEMA_URL;
use otelware_sqlx::{Driver, Pool, SqlOptions};
use otelware_testing::suites::database::{PoolState, Uses};
use otelware_testing::{Capture, Scope};
use std::panic::resume_unwind;

pub(crate) use otelware_testing::suites::database::{
    Database, ExpectedOperation as Call, assert_operations, assert_spans,
};

/// The scope of all telemetry.
pub(crate) fn scope() -> Scope {
    Scope::new("otelware-sqlx", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
}

/// A statement that succeeds, with this summary and this text.
pub(crate) fn sql(summary: impl Into<String>, text: impl Into<String>) -> Call {
    let summary = summary.into();
    Call::new(summary.clone())
        .on_both("db.query.summary", summary)
        .on_span("db.query.text", text.into())
}

/// A statement in whose text nothing was recognised.
pub(crate) fn unknown_sql(text: &str) -> Call {
    Call::nameless().on_span("db.query.text", text)
}

/// The beginning or end of a transaction.
pub(crate) fn step(text: &str) -> Call {
    sql(text, text)
}

/// Options with the providers of the capture.
pub(crate) fn options(telemetry: &Capture) -> SqlOptions {
    SqlOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
}

/// Runs a test that leaves something behind in the database, and what removes it, be it that the
/// test panics.
pub(crate) async fn finally(
    test: impl Future<Output = ()> + Send + 'static,
    clean_up: impl Future<Output = ()>,
) {
    let result = tokio::spawn(test).await;
    clean_up.await;
    if let Err(error) = result {
        resume_unwind(error.into_panic());
    }
}

/// A port that nothing listens on.
pub(crate) async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    listener.unwrap().local_addr().unwrap().port()
}

/// A name for a table that no other test has, nor the same test in another process.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}_{}", std::process::id())
}

/// A place: address, port and database.
type Place = (Option<String>, Option<u16>, Option<String>);

/// The addresses of which something other than this is told, and what it is.
pub(crate) fn wrong_addresses(
    all: &[(&'static str, &str, Option<u16>, &str)],
    place_of: impl Fn(&str) -> Place,
) -> Vec<(&'static str, Place)> {
    let mut wrong = Vec::new();
    for (url, address, port, namespace) in all {
        let namespace = (!namespace.is_empty()).then(|| (*namespace).to_owned());
        let place = place_of(url);
        if place != (Some((*address).to_owned()), *port, namespace) {
            wrong.push((*url, place));
        }
    }
    wrong
}

/// A pool of sqlx as it is for the moment.
pub(crate) fn state<DB: Driver>(pool: &Pool<DB>) -> PoolState {
    let options = pool.options();
    PoolState {
        open: pool.size(),
        // For a moment sqlx may count one less than none.
        idle: u32::try_from(pool.num_idle()).unwrap_or(u32::MAX),
        limit: options.get_max_connections(),
        idle_min: Some(options.get_min_connections()),
        idle_max: None,
    }
}

/// All spans and metrics are those of these operations, in the order they began, and of the pool
/// whose connections are all back.
pub(crate) async fn assert_all<DB: Driver>(
    telemetry: &Capture,
    database: &Database,
    pool: &Pool<DB>,
    uses: Uses,
    calls: &[Call],
) {
    let pool = || Some(state(pool));
    otelware_testing::suites::database::assert_all(telemetry, database, pool, uses, calls).await;
}
