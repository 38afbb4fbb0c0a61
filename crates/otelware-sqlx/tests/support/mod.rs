//! What the tests against databases share: what operations and pools must leave behind, and the
//! tests that are the same for all databases.
#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod common;
pub(crate) mod proxy;

use otelware_sqlx::otelware::opentelemetry::trace::{SpanContext, SpanKind};
use otelware_sqlx::otelware::semconv::SCHEMA_URL;
use otelware_sqlx::{Driver, Pool, SqlOptions};
use otelware_testing::{
    Attributes, Capture, DATABASE_SECONDS, Span, SpanIdentity, Value, attributes, expect_counter,
    expect_histogram, expect_span, expect_up_down_counter,
};
use std::panic::resume_unwind;

/// The scope of all telemetry: name, version, schema.
const SCOPE: (&str, &str, &str) = ("otelware-sqlx", env!("CARGO_PKG_VERSION"), SCHEMA_URL);

const DURATION: &str = "db.client.operation.duration";
const ROWS: &str = "db.client.response.returned_rows";

/// The advised boundaries of returned rows.
const ROW_BOUNDARIES: [f64; 13] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0,
];

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

/// What all spans and metrics say of a database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pub(crate) system: &'static str,
    pub(crate) namespace: Option<String>,
    pub(crate) address: Option<String>,
    /// Where it is not the usual one.
    pub(crate) port: Option<u16>,
    /// The name of its pools.
    pub(crate) pool: String,
}

impl Database {
    fn attributes(&self) -> Attributes {
        let mut list = attributes! { "db.system.name" => self.system };
        let mut insert = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                list.insert(key.to_owned(), value);
            }
        };
        insert("db.namespace", self.namespace.as_ref().map(Value::from));
        insert("server.address", self.address.as_ref().map(Value::from));
        insert("server.port", self.port.map(Value::from));
        list
    }
}

/// Everything that one operation must leave behind: what is not said must be absent.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Call {
    summary: Option<String>,
    text: Option<String>,
    rows: Option<u64>,
    rows_on_span: bool,
    code: Option<String>,
    class: Option<String>,
    failed: bool,
    description: String,
    parent: Option<SpanContext>,
    on_span: Attributes,
    on_metrics: Attributes,
    has_span: bool,
    has_metrics: bool,
}

impl Call {
    /// One that succeeds, has no parent, and returns nothing.
    pub(crate) fn new(summary: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            summary: Some(summary.into()),
            text: Some(text.into()),
            rows: None,
            rows_on_span: false,
            code: None,
            class: None,
            failed: false,
            description: String::new(),
            parent: None,
            on_span: Attributes::new(),
            on_metrics: Attributes::new(),
            has_span: true,
            has_metrics: true,
        }
    }

    /// The beginning or end of a transaction.
    pub(crate) fn step(text: &str) -> Self {
        Self::new(text, text)
    }

    /// Nothing was recognised in its text.
    pub(crate) fn without_summary(mut self) -> Self {
        self.summary = None;
        self
    }

    pub(crate) fn without_text(mut self) -> Self {
        self.text = None;
        self
    }

    /// Returns so many rows, of which the metric tells.
    pub(crate) fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The span tells of the rows, too.
    pub(crate) fn rows_on_span(mut self) -> Self {
        self.rows_on_span = true;
        self
    }

    /// Fails with this code of the database.
    pub(crate) fn fails(mut self, code: impl Into<String>) -> Self {
        let code = code.into();
        self.code = Some(code.clone());
        self.class = Some(code);
        self.failed = true;
        self
    }

    /// Fails with an error that is not the database's.
    pub(crate) fn fails_here(mut self, class: &str) -> Self {
        self.class = Some(class.to_owned());
        self.failed = true;
        self
    }

    /// Is cancelled, which is marked, but is no error.
    pub(crate) fn cancelled(mut self) -> Self {
        self.class = Some("cancelled".to_owned());
        self
    }

    /// The description of the span's status.
    pub(crate) fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    pub(crate) fn child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Some(parent.span_context());
        self
    }

    pub(crate) fn on_span(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_span.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn on_metrics(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_metrics.insert(key.to_owned(), value.into());
        self
    }

    /// Leaves no span.
    pub(crate) fn no_span(mut self) -> Self {
        self.has_span = false;
        self
    }

    /// Leaves no metrics.
    pub(crate) fn no_metrics(mut self) -> Self {
        self.has_metrics = false;
        self
    }

    #[track_caller]
    fn assert_span(&self, database: &Database, span: &Span) {
        let name = self.summary.as_deref().unwrap_or(database.system);
        let mut whole = self.known(database);
        if let Some(text) = &self.text {
            whole.insert("db.query.text".to_owned(), text.into());
        }
        if let Some(rows) = self.rows.filter(|_| self.rows_on_span) {
            whole.insert("db.response.returned_rows".to_owned(), rows.into());
        }
        whole.extend(self.on_span.clone());
        let (scope, version, schema) = SCOPE;
        let mut expected = expect_span(name)
            .kind(SpanKind::Client)
            .scope(scope, version, schema)
            .attributes(whole);
        if let Some(parent) = &self.parent {
            expected = expected.child_of(parent);
        }
        if self.failed {
            expected = expected.error_description(&self.description);
        }
        span.assert(expected);
    }

    /// What span and metrics have in common.
    fn known(&self, database: &Database) -> Attributes {
        let mut known = database.attributes();
        let mut insert = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                known.insert(key.to_owned(), value.into());
            }
        };
        insert("db.query.summary", &self.summary);
        insert("db.response.status_code", &self.code);
        insert("error.type", &self.class);
        known
    }

    fn metric_attributes(&self, database: &Database) -> Attributes {
        let mut list = self.known(database);
        list.extend(self.on_metrics.clone());
        list
    }
}

/// How often connections were taken out of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uses {
    /// So many were, and all came back.
    pub(crate) taken: u64,
    /// So many were waited for in vain, until a timeout.
    pub(crate) timed_out: u64,
    /// Whether all that were taken had been asked for and waited for.
    pub(crate) waited: u64,
}

/// So many connections were taken out of the pool, and came back.
pub(crate) const fn taken(taken: u64) -> Uses {
    Uses {
        taken,
        timed_out: 0,
        waited: taken,
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
    // A connection that is dropped goes back to its pool a little later.
    let raw = pool.inner().clone();
    telemetry
        .wait_until("all connections are idle", move || {
            raw.num_idle() == raw.size() as usize
        })
        .await;
    assert_spans(telemetry, database, calls);
    let mut names = assert_operations(telemetry, database, calls);
    names.extend(assert_pool(telemetry, database, pool, uses));
    names.sort_unstable();
    let metrics = telemetry.metrics();
    let found: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(found, names, "the metrics");
}

/// The spans of operations are those of these, in the order they began.
#[track_caller]
pub(crate) fn assert_spans(telemetry: &Capture, database: &Database, calls: &[Call]) {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.scope.name == SCOPE.0);
    // Operations side by side may end in any order.
    spans.sort_by_key(|span| span.start_time);
    let with_span: Vec<&Call> = calls.iter().filter(|call| call.has_span).collect();
    let names =
        |spans: &[Span]| -> Vec<String> { spans.iter().map(|span| span.name.clone()).collect() };
    assert_eq!(
        spans.len(),
        with_span.len(),
        "the number of spans, which are {:?}",
        names(&spans)
    );
    for (call, span) in with_span.iter().zip(&spans) {
        call.assert_span(database, span);
    }
    assert_eq!(telemetry.open_spans(), 0, "open spans");
    let metrics = telemetry.metrics();
    let durations = metrics.iter().find(|metric| metric.name == DURATION);
    if let Some(durations) = durations
        && calls.iter().all(|call| call.has_span && call.has_metrics)
    {
        durations.assert_same_reading(&spans);
    }
}

/// The metrics of operations are those of these; gives the metrics' names.
#[track_caller]
pub(crate) fn assert_operations(
    telemetry: &Capture,
    database: &Database,
    calls: &[Call],
) -> Vec<&'static str> {
    let mut durations: Vec<(Attributes, u64)> = Vec::new();
    let mut rows: Vec<(Attributes, u64, u64)> = Vec::new();
    for call in calls.iter().filter(|call| call.has_metrics) {
        let attributes = call.metric_attributes(database);
        match durations.iter_mut().find(|point| point.0 == attributes) {
            Some(point) => point.1 += 1,
            None => durations.push((attributes.clone(), 1)),
        }
        let Some(returned) = call.rows else { continue };
        match rows.iter_mut().find(|point| point.0 == attributes) {
            Some(point) => {
                point.1 += 1;
                point.2 += returned;
            }
            None => rows.push((attributes, 1, returned)),
        }
    }
    let (scope, version, schema) = SCOPE;
    let mut names = Vec::new();
    if !durations.is_empty() {
        names.push(DURATION);
        let expected = expect_histogram(DURATION)
            .unit("s")
            .description("Duration of database client operations.")
            .boundaries(&DATABASE_SECONDS)
            .scope(scope, version, schema);
        let add = |expected: otelware_testing::ExpectedMetric, (attributes, count)| {
            expected.point(attributes, count)
        };
        telemetry
            .metric(DURATION)
            .assert(durations.into_iter().fold(expected, add));
    }
    if !rows.is_empty() {
        names.push(ROWS);
        let expected = expect_histogram(ROWS)
            .unit("{row}")
            .description("The actual number of records returned by the database operation.")
            .boundaries(&ROW_BOUNDARIES)
            .scope(scope, version, schema);
        let add = |expected: otelware_testing::ExpectedMetric, (attributes, count, sum)| {
            expected.point_with_sum(attributes, count, sum as f64)
        };
        telemetry
            .metric(ROWS)
            .assert(rows.into_iter().fold(expected, add));
    }
    names
}

/// The metrics of the pool, which is at rest; gives their names.
#[track_caller]
fn assert_pool<DB: Driver>(
    telemetry: &Capture,
    database: &Database,
    pool: &Pool<DB>,
    uses: Uses,
) -> Vec<&'static str> {
    if uses.taken + uses.waited + uses.timed_out == 0 {
        return Vec::new();
    }
    let (scope, version, schema) = SCOPE;
    let of_pool = attributes! { "db.client.connection.pool.name" => &database.pool };
    let in_state = |state: &str| {
        let mut list = of_pool.clone();
        list.insert("db.client.connection.state".to_owned(), state.into());
        list
    };
    let mut expected = vec![
        (
            "db.client.connection.count",
            expect_up_down_counter("db.client.connection.count")
                .unit("{connection}")
                .description(
                    "The number of connections that are currently in state described by the \
                     state attribute.",
                )
                .point(in_state("idle"), i64::from(pool.size()))
                .point(in_state("used"), 0),
        ),
        (
            "db.client.connection.idle.min",
            expect_up_down_counter("db.client.connection.idle.min")
                .unit("{connection}")
                .description("The minimum number of idle open connections allowed.")
                .point(of_pool.clone(), pool.options().get_min_connections()),
        ),
        (
            "db.client.connection.limit",
            expect_up_down_counter("db.client.connection.limit")
                .unit("{connection}")
                .description("The maximum number of open connections allowed.")
                .point(of_pool.clone(), pool.options().get_max_connections()),
        ),
    ];
    if uses.waited + uses.timed_out > 0 {
        expected.push((
            "db.client.connection.pending_requests",
            expect_up_down_counter("db.client.connection.pending_requests")
                .unit("{request}")
                .description("The number of current pending requests for an open connection.")
                .point(of_pool.clone(), 0),
        ));
    }
    if uses.timed_out > 0 {
        expected.push((
            "db.client.connection.timeouts",
            expect_counter("db.client.connection.timeouts")
                .unit("{timeout}")
                .description(
                    "The number of connection timeouts that have occurred trying to obtain a \
                     connection from the pool.",
                )
                .point(of_pool.clone(), uses.timed_out),
        ));
    }
    for (name, description, count) in [
        (
            "db.client.connection.use_time",
            "The time between borrowing a connection and returning it to the pool.",
            uses.taken,
        ),
        (
            "db.client.connection.wait_time",
            "The time it took to obtain an open connection from the pool.",
            uses.waited,
        ),
    ] {
        if count > 0 {
            let histogram = expect_histogram(name)
                .unit("s")
                .description(description)
                .boundaries(&DATABASE_SECONDS)
                .point(of_pool.clone(), count);
            expected.push((name, histogram));
        }
    }
    let assert = |(name, metric): (&'static str, otelware_testing::ExpectedMetric)| {
        telemetry
            .metric(name)
            .assert(metric.scope(scope, version, schema));
        name
    };
    expected.into_iter().map(assert).collect()
}
