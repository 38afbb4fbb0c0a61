//! What the suite's expectations say, and that comparing with them fails where it must.

use std::time::{Duration, SystemTime};

use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use otelware_testing::suites::database::{
    Cancellation, Database, ExpectedOperation, Failure, PoolState, assert_all, assert_operations,
    assert_spans, taken,
};
use otelware_testing::{Capture, Scope, attributes};

use crate::failure;

fn database() -> Database {
    Database {
        scope: Scope::new("store", "1", "https://example.com"),
        system: "other_store",
        namespace: None,
        address: Some("db.shop".to_owned()),
        port: Some(7_000),
        pool: "db.shop:7000".to_owned(),
    }
}

fn known(operation: &'static str) -> [KeyValue; 4] {
    [
        KeyValue::new("db.system.name", "other_store"),
        KeyValue::new("server.address", "db.shop"),
        KeyValue::new("server.port", 7_000),
        KeyValue::new("db.operation.name", operation),
    ]
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("store")
        .with_version("1")
        .with_schema_url("https://example.com")
        .build()
}

/// The span of an operation that takes this long.
fn span(telemetry: &Capture, operation: &'static str, took: Duration) {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let tracer = telemetry.tracer_provider().tracer_with_scope(scope());
    let builder = SpanBuilder::from_name(operation)
        .with_kind(SpanKind::Client)
        .with_attributes(known(operation))
        .with_start_time(start);
    tracer.build(builder).end_with_timestamp(start + took);
}

/// Its metrics.
fn measure(telemetry: &Capture, operation: &'static str, took: Duration, rows: u64) {
    let meter = telemetry.meter_provider().meter_with_scope(scope());
    let boundaries = otelware_testing::DATABASE_SECONDS.to_vec();
    let duration = meter
        .f64_histogram("db.client.operation.duration")
        .with_unit("s")
        .with_description("Duration of database client operations.")
        .with_boundaries(boundaries)
        .build();
    duration.record(took.as_secs_f64(), &known(operation));
    let returned = meter
        .u64_histogram("db.client.response.returned_rows")
        .with_unit("{row}")
        .with_description("The actual number of records returned by the database operation.")
        .with_boundaries(vec![
            1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0,
        ])
        .build();
    returned.record(rows, &known(operation));
}

fn get() -> ExpectedOperation {
    ExpectedOperation::new("GET").on_both("db.operation.name", "GET")
}

const TOOK: Duration = Duration::from_millis(3);

/// Two like operations, of two rows and of three.
fn two() -> Capture {
    let telemetry = Capture::new();
    for rows in [2, 3] {
        span(&telemetry, "GET", TOOK);
        measure(&telemetry, "GET", TOOK, rows);
    }
    telemetry
}

#[tokio::test]
async fn what_is_as_expected_passes() {
    let telemetry = two();
    let operations = [get().rows(2), get().rows(3)];
    assert_all(&telemetry, &database(), || None, taken(2), &operations).await;
    let names = assert_operations(&telemetry, &database(), &operations);
    let expected = [
        "db.client.operation.duration",
        "db.client.response.returned_rows",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_number_of_spans_must_be_right() {
    for operations in [vec![get()], vec![get(), get(), get()]] {
        let message = failure(|| assert_spans(&two(), &database(), &operations));
        assert!(message.contains("the number of spans"), "{message}");
    }
}

#[test]
fn spans_of_other_scopes_do_not_count() {
    let telemetry = two();
    drop(telemetry.tracer_provider().tracer("test").start("other"));
    assert_spans(&telemetry, &database(), &[get(), get()]);
}

#[test]
fn a_span_that_is_open_is_found() {
    let telemetry = two();
    let open = telemetry.tracer_provider().tracer("test").start("open");
    let message = failure(|| assert_spans(&telemetry, &database(), &[get(), get()]));
    assert!(message.contains("open spans"), "{message}");
    drop(open);
}

#[test]
fn spans_and_durations_must_be_of_one_reading() {
    let telemetry = Capture::new();
    span(&telemetry, "GET", TOOK);
    measure(&telemetry, "GET", TOOK * 2, 1);
    let message = failure(|| assert_spans(&telemetry, &database(), &[get()]));
    assert!(message.contains("the spans are 1"), "{message}");
    // One that has no span is measured nevertheless.
    measure(&telemetry, "GET", TOOK, 1);
    assert_spans(&telemetry, &database(), &[get(), get().no_span()]);
}

#[test]
fn counts_and_rows_must_be_right() {
    for operations in [
        [get().rows(2), get().rows(2)],
        [get().rows(5), get()],
        [get().rows(2), get().rows(3).no_metrics()],
        [get().rows(2), get().rows(3).fails("ERR")],
    ] {
        let message = failure(|| assert_operations(&two(), &database(), &operations));
        assert!(message.contains("point {"), "{message}");
    }
}

#[tokio::test]
async fn other_metrics_are_found() {
    let telemetry = two();
    let meter = telemetry.meter_provider().meter("test");
    meter.u64_counter("other").build().add(1, &[]);
    let comparing = tokio::spawn(async move {
        let operations = [get().rows(2), get().rows(3)];
        assert_all(&telemetry, &database(), || None, taken(2), &operations).await;
    });
    let panic = comparing.await.unwrap_err().into_panic();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains("the metrics"), "{message}");
}

#[tokio::test]
async fn a_pool_that_was_not_used_tells_nothing() {
    let pool = PoolState {
        open: 1,
        idle: 1,
        limit: 1,
        idle_min: None,
        idle_max: None,
    };
    let telemetry = Capture::new();
    assert_all(&telemetry, &database(), || Some(pool), taken(0), &[]).await;
}

#[test]
fn an_end_is_told_on_span_and_metrics() {
    let start = attributes! {
        "db.system.name" => "other_store",
        "server.address" => "db.shop",
        "server.port" => 7_000,
        "db.operation.name" => "GET",
    };
    let with = |list: &[(&str, &str)]| {
        let mut all = start.clone();
        for (key, value) in list {
            all.insert((*key).to_owned(), (*value).into());
        }
        all
    };
    let coded = [("db.response.status_code", "ERR"), ("error.type", "ERR")];
    for (operation, end) in [
        (get(), &[][..]),
        (get().fails("ERR"), &coded[..]),
        (get().failing(Failure::Code("ERR")), &coded[..]),
        (get().fails_here("timeout"), &[("error.type", "timeout")]),
        (
            get().failing(Failure::Class("timeout")),
            &[("error.type", "timeout")],
        ),
        (get().dropped(Cancellation::Ignore), &[]),
        (
            get().dropped(Cancellation::Mark),
            &[("error.type", "cancelled")],
        ),
        (
            get().dropped(Cancellation::Error),
            &[("error.type", "cancelled")],
        ),
    ] {
        assert_eq!(operation.metric_attributes(&database()), with(end));
        assert_eq!(operation.started_attributes(&database()), start);
        let class = end.iter().find(|(key, _)| *key == "error.type");
        assert_eq!(operation.error_type(), class.map(|(_, class)| *class));
    }
}

#[test]
fn attributes_of_one_signal_are_not_the_others() {
    let operation = get()
        .on_span("db.query.text", "GET name")
        .at_end("network.peer.port", 7_000)
        .on_metrics("shop.plan", "gold")
        .on_metrics("server.address", "cluster");
    let mut on_metrics = get().metric_attributes(&database());
    on_metrics.insert("shop.plan".to_owned(), "gold".into());
    on_metrics.insert("server.address".to_owned(), "cluster".into());
    assert_eq!(operation.metric_attributes(&database()), on_metrics);
    let mut started = get().started_attributes(&database());
    started.insert("db.query.text".to_owned(), "GET name".into());
    assert_eq!(operation.started_attributes(&database()), started);
    let without = operation.without("db.query.text").without("shop.plan");
    assert_eq!(
        without.started_attributes(&database()),
        get().started_attributes(&database())
    );
    assert!(
        !without
            .metric_attributes(&database())
            .contains_key("shop.plan")
    );
}

#[test]
fn a_nameless_operation_has_the_name_of_the_system() {
    assert_eq!(
        ExpectedOperation::nameless().name(&database()),
        "other_store"
    );
    assert_eq!(get().name(&database()), "GET");
}
