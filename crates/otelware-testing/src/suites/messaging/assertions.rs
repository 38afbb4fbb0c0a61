//! Comparing all that was captured with what is expected.

use super::expected::{Broker, Class, ExpectedOperation};
use crate::{
    Attributes, Capture, ExpectedMetric, HTTP_SECONDS, Span, expect_counter, expect_histogram,
};

const OPERATIONS: &str = "messaging.client.operation.duration";
const PROCESSING: &str = "messaging.process.duration";
const SENT: &str = "messaging.client.sent.messages";
const CONSUMED: &str = "messaging.client.consumed.messages";

/// Asserts that all spans of the broker's scope, and all metrics that the conventions have for
/// messaging, are those of these operations. Spans are in the order they began.
///
/// # Panics
///
/// If they are not, or a span is open still.
#[track_caller]
pub fn assert_all(telemetry: &Capture, broker: &Broker, operations: &[ExpectedOperation]) {
    assert_spans(telemetry, broker, operations);
    assert_metrics(telemetry, broker, operations);
}

/// Asserts that the spans of the broker's scope are those of these operations, in the order they
/// began, and that spans and durations are of one reading of the clock.
///
/// # Panics
///
/// If they are not, or a span is open still.
#[track_caller]
pub fn assert_spans(telemetry: &Capture, broker: &Broker, operations: &[ExpectedOperation]) {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.scope.name == broker.scope.name);
    // Operations side by side may end in any order.
    spans.sort_by_key(|span| span.start_time);
    let with_span: Vec<&ExpectedOperation> = operations
        .iter()
        .filter(|operation| operation.has_span)
        .collect();
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        spans.len(),
        with_span.len(),
        "the number of spans, which are {names:?}"
    );
    for (operation, span) in with_span.iter().zip(&spans) {
        span.assert(operation.span(broker, span));
    }
    assert_eq!(telemetry.open_spans(), 0, "open spans");
    for (metric, is_process) in [(OPERATIONS, false), (PROCESSING, true)] {
        let is_of_it = |operation: &ExpectedOperation| match operation.class {
            Class::Process => is_process,
            Class::Send | Class::Settle => !is_process,
            Class::Consume => false,
        };
        assert_same_reading(telemetry, metric, operations, &spans, is_of_it);
    }
}

#[track_caller]
fn assert_same_reading(
    telemetry: &Capture,
    metric: &str,
    operations: &[ExpectedOperation],
    spans: &[Span],
    is_of_it: impl Fn(&ExpectedOperation) -> bool,
) {
    let mut all = operations.iter().filter(|operation| is_of_it(operation));
    if !all.all(|operation| operation.has_span && operation.has_metrics) {
        return;
    }
    let with_span = operations.iter().filter(|operation| operation.has_span);
    let measured = with_span
        .zip(spans)
        .filter(|(operation, _)| is_of_it(operation))
        .map(|(_, span)| span);
    let metrics = telemetry.metrics();
    if let Some(durations) = metrics.iter().find(|other| other.name == metric) {
        durations.assert_same_reading(measured);
    }
}

/// Asserts that the metrics that the conventions have for messaging are those of these operations.
///
/// # Panics
///
/// If they are not.
#[track_caller]
pub fn assert_metrics(telemetry: &Capture, broker: &Broker, operations: &[ExpectedOperation]) {
    assert_metrics_but(telemetry, broker, operations, None);
}

/// As [`assert_metrics`], whatever the counter of messages that were handed over says.
#[track_caller]
pub(super) fn assert_metrics_but_counts(
    telemetry: &Capture,
    broker: &Broker,
    operations: &[ExpectedOperation],
) {
    assert_metrics_but(telemetry, broker, operations, Some(CONSUMED));
}

#[track_caller]
fn assert_metrics_but(
    telemetry: &Capture,
    broker: &Broker,
    operations: &[ExpectedOperation],
    left_out: Option<&str>,
) {
    let (mut durations, mut processing) = (Points::default(), Points::default());
    let (mut sent, mut consumed) = (Points::default(), Points::default());
    for operation in operations.iter().filter(|operation| operation.has_metrics) {
        let (attributes, messages) = (operation.metric_attributes(broker), operation.messages);
        match operation.class {
            Class::Consume => consumed.add(attributes, messages),
            Class::Process => processing.add(attributes, 1),
            Class::Settle => durations.add(operation.duration_attributes(broker), 1),
            Class::Send => {
                durations.add(operation.duration_attributes(broker), 1);
                sent.add(attributes, messages);
            }
        }
    }
    let expected = [
        (
            CONSUMED,
            consumed,
            expect_counter(CONSUMED)
                .unit("{message}")
                .description("Number of messages that were delivered to the application."),
        ),
        (
            OPERATIONS,
            durations,
            expect_histogram(OPERATIONS)
                .unit("s")
                .description(
                    "Duration of messaging operation initiated by a producer or consumer client.",
                )
                .boundaries(&HTTP_SECONDS),
        ),
        (
            SENT,
            sent,
            expect_counter(SENT)
                .unit("{message}")
                .description("Number of messages producer attempted to send to the broker."),
        ),
        (
            PROCESSING,
            processing,
            expect_histogram(PROCESSING)
                .unit("s")
                .description("Duration of processing operation.")
                .boundaries(&HTTP_SECONDS),
        ),
    ];
    let mut names = telemetry.metrics();
    let is_asked_for = |name: &str| Some(name) != left_out;
    names.retain(|metric| metric.name.starts_with("messaging.") && is_asked_for(&metric.name));
    let mut names: Vec<String> = names.into_iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    let mut wanted: Vec<&str> = expected
        .iter()
        .filter(|(name, points, _)| !points.0.is_empty() && is_asked_for(name))
        .map(|(name, ..)| *name)
        .collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "the metrics");
    let (scope, version, schema_url) = broker.scope();
    for (name, points, metric) in expected {
        if !points.0.is_empty() && is_asked_for(name) {
            let metric = points.of(metric.scope(scope, version, schema_url));
            telemetry.metric(name).assert(metric);
        }
    }
}

/// The points of a metric, with their values or counts.
#[derive(Default)]
struct Points(Vec<(Attributes, u64)>);

impl Points {
    fn add(&mut self, attributes: Attributes, value: u64) {
        match self.0.iter_mut().find(|point| point.0 == attributes) {
            Some(point) => point.1 += value,
            None => self.0.push((attributes, value)),
        }
    }

    fn of(self, mut metric: ExpectedMetric) -> ExpectedMetric {
        for (attributes, value) in self.0 {
            metric = metric.point(attributes, value);
        }
        metric
    }
}
