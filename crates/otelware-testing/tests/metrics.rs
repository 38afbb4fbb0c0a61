//! Whole metrics: what is equal passes, every kind of difference fails and is named.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::time::{Duration, SystemTime};

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use otelware_testing::{
    Capture, ExpectedMetric, HTTP_SECONDS, MetricKind, PointData, Value, attributes,
    expect_counter, expect_gauge, expect_histogram, expect_up_down_counter,
};
use support::{differences, failure};

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";
const DURATION: &str = "http.server.request.duration";

fn meter(telemetry: &Capture) -> Meter {
    let scope = InstrumentationScope::builder("otelware-tower")
        .with_version("0.1.0")
        .with_schema_url(SCHEMA_URL)
        .build();
    telemetry.meter_provider().meter_with_scope(scope)
}

fn record_duration(telemetry: &Capture, seconds: f64, status: i64) {
    meter(telemetry)
        .f64_histogram(DURATION)
        .with_unit("s")
        .with_description("Duration of HTTP server requests.")
        .with_boundaries(HTTP_SECONDS.to_vec())
        .build()
        .record(
            seconds,
            &[KeyValue::new("http.response.status_code", status)],
        );
}

fn durations() -> Capture {
    let telemetry = Capture::new();
    record_duration(&telemetry, 0.25, 200);
    record_duration(&telemetry, 0.5, 200);
    record_duration(&telemetry, 2.0, 500);
    telemetry
}

fn expected_durations() -> ExpectedMetric {
    expect_histogram(DURATION)
        .unit("s")
        .description("Duration of HTTP server requests.")
        .boundaries(&HTTP_SECONDS)
        .scope("otelware-tower", "0.1.0", SCHEMA_URL)
        .point([("http.response.status_code", 200)], 2)
        .point_with_sum([("http.response.status_code", 500)], 1, 2.0)
}

#[test]
fn a_histogram_equal_in_everything_passes() {
    let telemetry = durations();
    let metric = telemetry.metric(DURATION);
    metric.assert(expected_durations());
    assert_eq!((metric.total_count(), metric.total_sum()), (3, 2.75));
    let point = metric.point([("http.response.status_code", 500)]);
    assert_eq!(
        point.data,
        PointData::Histogram {
            count: 1,
            sum: 2.0,
            boundaries: HTTP_SECONDS.to_vec(),
            bucket_counts: vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        }
    );
}

#[test]
fn every_property_of_a_metric_counts() {
    let metric = durations().metric(DURATION);
    let scope = format!("otelware-tower 0.1.0 {SCHEMA_URL}");
    assert_eq!(
        differences(|| metric.assert(expected_durations().unit("ms"))),
        ["different  unit: expected \"ms\", found \"s\""]
    );
    assert_eq!(
        differences(|| metric.assert(expected_durations().description("other"))),
        ["different  description: expected \"other\", found \"Duration of HTTP server requests.\""]
    );
    assert_eq!(
        differences(|| metric.assert(expected_durations().boundaries(&[1.0, 2.0]))),
        [format!(
            "different  boundaries: expected [1.0, 2.0], found {HTTP_SECONDS:?}"
        )]
    );
    assert_eq!(
        differences(|| metric.assert(expected_durations().scope("other", "0.1.0", SCHEMA_URL))),
        [format!(
            "different  scope: expected other 0.1.0 {SCHEMA_URL}, found {scope}"
        )]
    );
    let other_name = expect_histogram("other")
        .point([("http.response.status_code", 200)], 2)
        .point([("http.response.status_code", 500)], 1);
    assert_eq!(
        differences(|| metric.assert(other_name)),
        [format!(
            "different  name: expected \"other\", found \"{DURATION}\""
        )]
    );
}

#[test]
fn the_set_of_points_is_exact() {
    let metric = durations().metric(DURATION);
    let expected = expect_histogram(DURATION)
        .point([("http.response.status_code", 200)], 1)
        .point([("http.response.status_code", "500")], 1);
    assert_eq!(
        differences(|| metric.assert(expected)),
        [
            "different  point {http.response.status_code=200}: expected count 1, found count 2",
            "missing    point {http.response.status_code=\"500\"}: count 1",
            "unexpected point {http.response.status_code=500}: count 1"
        ]
    );
}

#[test]
fn a_sum_is_compared_when_stated() {
    let metric = durations().metric(DURATION);
    let expected = expect_histogram(DURATION)
        .point_with_sum([("http.response.status_code", 200)], 2, 1.0)
        .point([("http.response.status_code", 500)], 1);
    assert_eq!(
        differences(|| metric.assert(expected)),
        [
            "different  point {http.response.status_code=200}: expected count 2, sum 1.0, found count 2, sum 0.75"
        ]
    );
}

#[test]
fn kinds_of_instruments_differ() {
    let telemetry = Capture::new();
    let meter = meter(&telemetry);
    let attributes = [KeyValue::new("a", "x")];
    meter.u64_counter("counter").build().add(3, &attributes);
    meter
        .i64_up_down_counter("up_down")
        .build()
        .add(-2, &attributes);
    meter.f64_gauge("gauge").build().record(0.5, &attributes);
    let point = attributes! { "a" => "x" };
    telemetry
        .metric("counter")
        .assert(expect_counter("counter").point(point.clone(), 3));
    telemetry
        .metric("up_down")
        .assert(expect_up_down_counter("up_down").point(point.clone(), -2));
    telemetry
        .metric("gauge")
        .assert(expect_gauge("gauge").point(point.clone(), 0.5));
    assert_eq!(
        differences(|| telemetry
            .metric("counter")
            .assert(expect_up_down_counter("counter").point(point.clone(), 3))),
        ["different  kind: expected UpDownCounter, found Counter"]
    );
    assert_eq!(
        differences(|| telemetry
            .metric("up_down")
            .assert(expect_up_down_counter("up_down").point(point, -2.0))),
        ["different  point {a=\"x\"}: expected -2.0 (double), found -2 (int)"]
    );
}

#[test]
fn the_only_metric_of_a_name_or_a_list() {
    let telemetry = durations();
    assert_eq!(
        failure(|| telemetry.metric("other")),
        format!(
            "expected one metric \"other\", found 0; there are:\n  {DURATION} (otelware-tower)\n"
        )
    );
    assert!(
        failure(|| telemetry.metric(DURATION).point([("a", 1)]).clone()).starts_with(&format!(
            "metric {DURATION:?} has no point {{a=1}}; it is:\n"
        ))
    );
    assert_eq!(
        failure(|| expected_durations().point([("http.response.status_code", 200)], 1)),
        "point {http.response.status_code=200} is expected twice"
    );
}

#[test]
fn in_flight_must_be_zero_everywhere_and_exist() {
    let telemetry = durations();
    assert_eq!(
        failure(|| telemetry.assert_in_flight_zero()),
        "there is no up-down counter"
    );
    let active = meter(&telemetry)
        .i64_up_down_counter("http.server.active_requests")
        .build();
    let (get, post) = ([KeyValue::new("m", "GET")], [KeyValue::new("m", "POST")]);
    active.add(1, &get);
    active.add(-1, &get);
    telemetry.assert_in_flight_zero();
    active.add(1, &get);
    active.add(-1, &post);
    assert_eq!(
        failure(|| telemetry.assert_in_flight_zero()),
        "up-down counters are not back at zero:\n  \
         http.server.active_requests {m=\"GET\"}: 1.0\n  \
         http.server.active_requests {m=\"POST\"}: -1.0\n"
    );
}

#[test]
fn the_same_reading_serves_span_and_metric() {
    let telemetry = Capture::new();
    let tracer = telemetry.tracer_provider().tracer("test");
    let start = SystemTime::UNIX_EPOCH;
    for millis in [250, 500] {
        tracer
            .span_builder("GET /")
            .with_start_time(start)
            .start(&tracer)
            .end_with_timestamp(start + Duration::from_millis(millis));
    }
    let spans = telemetry.spans();
    record_duration(&telemetry, 0.25, 200);
    assert!(
        failure(|| telemetry.metric(DURATION).assert_same_reading(&spans)).contains("1 values")
    );
    record_duration(&telemetry, 0.500_001, 500);
    telemetry.metric(DURATION).assert_same_reading(&spans);
    record_duration(&telemetry, 0.000_01, 500);
    assert!(
        failure(|| telemetry.metric(DURATION).assert_same_reading(&spans)).contains("3 values")
    );

    telemetry.reset();
    record_duration(&telemetry, 0.25, 200);
    record_duration(&telemetry, 0.500_01, 500);
    assert!(
        failure(|| telemetry.metric(DURATION).assert_same_reading(&spans))
            .ends_with("the spans are 2 of 0.75 s in all")
    );
}

#[test]
fn the_same_reading_needs_seconds_and_as_many_values_as_spans() {
    let telemetry = Capture::new();
    let tracer = telemetry.tracer_provider().tracer("test");
    let start = SystemTime::UNIX_EPOCH;
    tracer
        .span_builder("GET /")
        .with_start_time(start)
        .start(&tracer)
        .end_with_timestamp(start + Duration::from_millis(500));
    let spans = telemetry.spans();
    let meter = meter(&telemetry);
    let halves = meter.f64_histogram("halves").with_unit("s").build();
    halves.record(0.25, &[]);
    halves.record(0.25, &[]);
    let milliseconds = meter.f64_histogram("milliseconds").with_unit("ms").build();
    milliseconds.record(0.5, &[]);
    let spans_text = "the spans are 1 of 0.5 s in all";
    assert_eq!(
        failure(|| telemetry.metric("halves").assert_same_reading(&spans)),
        format!("metric \"halves\" recorded 2 values of 0.5 s in all, {spans_text}")
    );
    assert_eq!(
        failure(|| telemetry.metric("milliseconds").assert_same_reading(&spans)),
        format!("metric \"milliseconds\" recorded 1 values of 0.5 ms in all, {spans_text}")
    );
}

#[test]
fn a_reset_forgets_what_was_counted_but_not_what_is_in_flight() {
    let telemetry = durations();
    let meter = meter(&telemetry);
    let calls = meter.u64_counter("calls").build();
    let active = meter.i64_up_down_counter("active").build();
    calls.add(5, &[]);
    active.add(1, &[]);
    telemetry.reset();
    let names: Vec<String> = telemetry.metrics().into_iter().map(|m| m.name).collect();
    assert_eq!(names, ["active"]);

    record_duration(&telemetry, 2.0, 500);
    calls.add(1, &[]);
    telemetry
        .metric(DURATION)
        .assert(expect_histogram(DURATION).point_with_sum(
            [("http.response.status_code", 500)],
            1,
            2.0,
        ));
    telemetry
        .metric("calls")
        .assert(expect_counter("calls").point(attributes! {}, 1));
    let active = telemetry.metric("active");
    assert_eq!(
        (active.kind, &active.points[0].data),
        (MetricKind::UpDownCounter, &PointData::Number(Value::Int(1)))
    );
}

#[test]
fn metrics_stay_readable_after_shutdown() {
    let telemetry = durations();
    telemetry.meter_provider().shutdown().unwrap();
    telemetry.metric(DURATION).assert(expected_durations());
}
