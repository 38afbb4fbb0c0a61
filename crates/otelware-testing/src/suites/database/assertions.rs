//! Comparing all that was captured with what is expected.

use super::expected::{Database, ExpectedOperation};
use super::pool::{PoolState, Uses, assert_pool};
use crate::{Attributes, Capture, DATABASE_SECONDS, Span, expect_histogram};

const DURATION: &str = "db.client.operation.duration";
const ROWS: &str = "db.client.response.returned_rows";

/// The advised boundaries of returned rows.
const ROW_BOUNDARIES: [f64; 13] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0,
];

/// Asserts that all spans of the database's scope and all metrics are those of these operations, in
/// the order they began, and of the pool, if there is one, when all its connections are back.
///
/// # Panics
///
/// If they are not.
pub async fn assert_all(
    telemetry: &Capture,
    database: &Database,
    pool: impl Fn() -> Option<PoolState> + Send + Sync,
    uses: Uses,
    operations: &[ExpectedOperation],
) {
    // A connection that is dropped may go back to its pool a little later.
    let at_rest = || pool().is_none_or(PoolState::is_at_rest);
    telemetry
        .wait_until("all connections are idle", at_rest)
        .await;
    assert_spans(telemetry, database, operations);
    let mut names = assert_operations(telemetry, database, operations);
    if let Some(pool) = pool() {
        names.extend(assert_pool(telemetry, database, pool, uses));
    }
    names.sort_unstable();
    let metrics = telemetry.metrics();
    let found: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(found, names, "the metrics");
}

/// Asserts that the spans of the database's scope are those of these operations, in the order they
/// began, and that spans and durations are of one reading of the clock.
///
/// # Panics
///
/// If they are not, or a span is open still.
#[track_caller]
pub fn assert_spans(telemetry: &Capture, database: &Database, operations: &[ExpectedOperation]) {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.scope.name == database.scope.name);
    // Operations side by side may end in any order.
    spans.sort_by_key(|span| span.start_time);
    let with_span: Vec<&ExpectedOperation> = operations
        .iter()
        .filter(|operation| operation.has_span)
        .collect();
    let names =
        |spans: &[Span]| -> Vec<String> { spans.iter().map(|span| span.name.clone()).collect() };
    assert_eq!(
        spans.len(),
        with_span.len(),
        "the number of spans, which are {:?}",
        names(&spans)
    );
    for (operation, span) in with_span.iter().zip(&spans) {
        span.assert(operation.span(database));
    }
    assert_eq!(telemetry.open_spans(), 0, "open spans");
    let metrics = telemetry.metrics();
    let durations = metrics.iter().find(|metric| metric.name == DURATION);
    if let Some(durations) = durations
        && operations
            .iter()
            .all(|operation| operation.has_span && operation.has_metrics)
    {
        durations.assert_same_reading(&spans);
    }
}

/// Asserts that the metrics of operations are those of these; gives the metrics' names.
///
/// # Panics
///
/// If they are not.
#[track_caller]
pub fn assert_operations(
    telemetry: &Capture,
    database: &Database,
    operations: &[ExpectedOperation],
) -> Vec<&'static str> {
    let mut durations: Vec<(Attributes, u64)> = Vec::new();
    let mut rows: Vec<(Attributes, u64, u64)> = Vec::new();
    for operation in operations.iter().filter(|operation| operation.has_metrics) {
        let attributes = operation.metric_attributes(database);
        match durations.iter_mut().find(|point| point.0 == attributes) {
            Some(point) => point.1 += 1,
            None => durations.push((attributes.clone(), 1)),
        }
        let Some(returned) = operation.rows else {
            continue;
        };
        match rows.iter_mut().find(|point| point.0 == attributes) {
            Some(point) => {
                point.1 += 1;
                point.2 += returned;
            }
            None => rows.push((attributes, 1, returned)),
        }
    }
    let (scope, version, schema_url) = database.scope();
    let mut names = Vec::new();
    if !durations.is_empty() {
        names.push(DURATION);
        let mut expected = expect_histogram(DURATION)
            .unit("s")
            .description("Duration of database client operations.")
            .boundaries(&DATABASE_SECONDS)
            .scope(scope, version, schema_url);
        for (attributes, count) in durations {
            expected = expected.point(attributes, count);
        }
        telemetry.metric(DURATION).assert(expected);
    }
    if !rows.is_empty() {
        names.push(ROWS);
        let mut expected = expect_histogram(ROWS)
            .unit("{row}")
            .description("The actual number of records returned by the database operation.")
            .boundaries(&ROW_BOUNDARIES)
            .scope(scope, version, schema_url);
        for (attributes, count, sum) in rows {
            expected = expected.point_with_sum(attributes, count, sum as f64);
        }
        telemetry.metric(ROWS).assert(expected);
    }
    names
}
