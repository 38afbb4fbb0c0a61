//! The engine: every way in which an operation can end, on span, metric and in-flight count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Sampler;
use otelware::operation::{
    Cancellation, Describe, End, ErrorType, Family, Instrumentation, Operation, Outcome, Providers,
    Series, Signals, Start, is_doubled,
};
use otelware_testing::{
    Capture, RemoteParent, expect_histogram, expect_span, expect_up_down_counter,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const SCHEMA: &str = "https://opentelemetry.io/schemas/1.45.0";

struct Library {
    instrumentation: Instrumentation,
    duration: Arc<Series<Histogram<f64>>>,
    in_flight: Series<UpDownCounter<i64>>,
}

struct Job {
    duration: Arc<Series<Histogram<f64>>>,
    item: &'static str,
}

impl Describe for Job {
    fn end(&mut self, end: &End<'_>) {
        if let Some(span) = end.span() {
            span.set_attribute(KeyValue::new("ended", true));
        }
        if end.metrics() {
            let error = end.error_type().cloned();
            self.duration
                .measure(end.duration().as_secs_f64(), None, || {
                    let mut list = vec![KeyValue::new("item", self.item)];
                    list.extend(
                        error
                            .as_ref()
                            .map(|class| KeyValue::new("error.type", class.value())),
                    );
                    list
                });
        }
    }
}

impl Library {
    fn new(capture: &Capture, late: bool) -> Self {
        let mut providers = Providers::default();
        providers.set_tracer_provider(capture.tracer_provider());
        providers.set_meter_provider(capture.meter_provider());
        if late {
            providers.set_late_attributes();
        }
        let instrumentation = Instrumentation::new("library", "1.2.3", &providers);
        let duration = instrumentation.durations("job.duration", "How long jobs take.", &[1.0]);
        Self {
            in_flight: instrumentation.in_flight("job.active", "Jobs in flight.", "{job}"),
            duration: Arc::new(duration),
            instrumentation,
        }
    }

    fn start_with(
        &self,
        parent: Context,
        signals: Signals,
        policy: Cancellation,
    ) -> Operation<Job> {
        self.start_unless_shorter(None, parent, signals, policy)
    }

    fn start_unless_shorter(
        &self,
        minimum_duration: Option<Duration>,
        parent: Context,
        signals: Signals,
        policy: Cancellation,
    ) -> Operation<Job> {
        let start = Start {
            name: "job".into(),
            kind: SpanKind::Client,
            family: Family::Database,
            parent,
            links: Vec::new(),
            signals,
            cancellation: policy,
            in_flight: Some(
                self.in_flight
                    .count(Some([1, 0, 0, 0]), || vec![KeyValue::new("item", "a")]),
            ),
            minimum_duration,
        };
        let job = Job {
            duration: self.duration.clone(),
            item: "a",
        };
        self.instrumentation.start(start, job, |job, list| {
            list.push(KeyValue::new("item", job.item));
        })
    }

    fn start(&self, policy: Cancellation) -> Operation<Job> {
        self.start_with(Context::new(), Signals::ALL, policy)
    }
}

/// What span and metric must say of an end.
fn assert_end(capture: &Capture, error_type: Option<&str>, status_is_error: bool) {
    let span = capture.span("job");
    let mut expected = expect_span("job")
        .kind(SpanKind::Client)
        .no_parent()
        .attribute("item", "a")
        .attribute("ended", true)
        .scope("library", "1.2.3", SCHEMA);
    let mut attributes = vec![("item", "a")];
    if let Some(class) = error_type {
        expected = expected.attribute("error.type", class);
        attributes.push(("error.type", class));
    }
    span.assert(if status_is_error {
        expected.error()
    } else {
        expected.status_unset()
    });
    let duration = capture.metric("job.duration");
    duration.assert(
        expect_histogram("job.duration")
            .unit("s")
            .boundaries(&[1.0])
            .point(attributes, 1),
    );
    duration.assert_same_reading([&span]);
    capture.metric("job.active").assert(
        expect_up_down_counter("job.active")
            .unit("{job}")
            .point([("item", "a")], 0),
    );
}

#[test]
fn success() {
    let capture = Capture::new();
    Library::new(&capture, false)
        .start(Cancellation::Mark)
        .finish(&Outcome::Success);
    assert_end(&capture, None, false);
}

#[test]
fn error() {
    let capture = Capture::new();
    let operation = Library::new(&capture, false).start(Cancellation::Mark);
    operation.finish(&Outcome::Error(ErrorType::from("23505")));
    assert_end(&capture, Some("23505"), true);
}

#[test]
fn cancelled() {
    for (policy, error_type, status_is_error) in [
        (Cancellation::Ignore, None, false),
        (Cancellation::Mark, Some("cancelled"), false),
        (Cancellation::Error, Some("cancelled"), true),
    ] {
        let capture = Capture::new();
        drop(Library::new(&capture, false).start(policy));
        assert_end(&capture, error_type, status_is_error);
    }
}

#[test]
fn panicked_while_entered_and_caught_further_in_than_the_owner() {
    let capture = Capture::new();
    let mut operation = Library::new(&capture, false).start(Cancellation::Ignore);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _entered = operation.enter();
        panic!("the job panics");
    }));
    assert!(caught.is_err());
    assert_end(&capture, Some("panic"), true);
    // The owner drops it later, outside of the panic: it has ended once and for all.
    drop(operation);
    assert_eq!(capture.spans().len(), 1);
}

#[test]
fn dropped_by_an_unwinding_owner() {
    let capture = Capture::new();
    let library = Library::new(&capture, false);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _operation = library.start(Cancellation::Ignore);
        panic!("the owner panics");
    }));
    assert!(caught.is_err());
    assert_end(&capture, Some("panic"), true);
}

#[test]
fn entered_by_a_destructor_during_a_panic_it_has_not_panicked_itself() {
    struct WorksWhenDropped<'a>(&'a Library);
    impl Drop for WorksWhenDropped<'_> {
        fn drop(&mut self) {
            let mut operation = self.0.start(Cancellation::Mark);
            drop(operation.enter());
            operation.finish(&Outcome::Success);
        }
    }
    let capture = Capture::new();
    let library = Library::new(&capture, false);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _works = WorksWhenDropped(&library);
        panic!("elsewhere");
    }));
    assert!(caught.is_err());
    assert_end(&capture, None, false);
}

#[test]
fn signals_are_told_apart() {
    for (signals, spans, counts) in [
        (Signals::ALL, 1, 1),
        (Signals::TRACES, 1, 0),
        (Signals::METRICS, 0, 1),
        (Signals::NONE, 0, 0),
    ] {
        let capture = Capture::new();
        let library = Library::new(&capture, false);
        let remote = RemoteParent::sampled();
        let mut operation = library.start_with(remote.context(), signals, Cancellation::Mark);
        let entered = operation.enter();
        // Whatever is produced, the trace goes on.
        let trace_id = Context::current().span().span_context().trace_id();
        assert_eq!(trace_id, remote.trace_id);
        drop(entered);
        operation.finish(&Outcome::Success);
        assert_eq!(capture.spans().len(), spans, "{signals:?}");
        let recorded = capture
            .metrics()
            .iter()
            .any(|metric| metric.name == "job.duration");
        assert_eq!(usize::from(recorded), counts, "{signals:?}");
    }
}

#[test]
fn attributes_are_there_at_the_start_unless_they_are_late() {
    for late in [false, true] {
        let capture = Capture::new();
        let library = Library::new(&capture, late);
        library.start(Cancellation::Mark).finish(&Outcome::Success);
        let seen: Vec<_> = capture
            .started()
            .iter()
            .map(|span| span.attribute("item").is_some())
            .collect();
        assert_eq!(seen, [!late]);
        assert_end(&capture, None, false);
    }
}

#[test]
fn under_an_unsampled_parent_attributes_are_built_only_for_a_span_that_records() {
    for (sampler, recorded) in [
        (Sampler::ParentBased(Box::new(Sampler::AlwaysOn)), 0),
        (Sampler::AlwaysOn, 1),
    ] {
        let capture = Capture::builder().sampler(sampler).build();
        let library = Library::new(&capture, false);
        let parent = RemoteParent::unsampled();
        let operation = library.start_with(parent.context(), Signals::ALL, Cancellation::Mark);
        operation.finish(&Outcome::Success);
        assert_eq!(capture.started().len(), 1);
        assert!(
            capture
                .started()
                .iter()
                .all(|span| span.attribute("item").is_none())
        );
        let spans = capture.spans();
        assert_eq!(spans.len(), recorded);
        for span in spans {
            span.assert(
                expect_span("job")
                    .kind(SpanKind::Client)
                    .remote_child_of(&parent)
                    .attribute("item", "a")
                    .attribute("ended", true)
                    .status_unset(),
            );
        }
        assert_eq!(capture.metric("job.duration").total_count(), 1);
    }
}

#[test]
fn an_operation_is_the_innermost_only_while_it_is_entered() {
    let capture = Capture::new();
    let library = Library::new(&capture, false);
    let mut operation = library.start(Cancellation::Mark);
    assert!(!is_doubled(Family::Database));
    let entered = operation.enter();
    assert!(is_doubled(Family::Database));
    assert!(!is_doubled(Family::HttpClient));
    let mut custom = otelware::operation("in between")
        .with_tracer_provider(capture.tracer_provider())
        .start();
    custom.in_scope(|| assert!(!is_doubled(Family::Database)));
    assert!(is_doubled(Family::Database));
    drop(entered);
    assert!(!is_doubled(Family::Database));
}

#[test]
fn a_hundred_thousand_attribute_sets_stay_within_the_limit_of_the_sdk() {
    let capture = Capture::new();
    let library = Library::new(&capture, false);
    for number in 0..100_000_u64 {
        let key = Some([number, 0, 0, 0]);
        let attributes = || vec![KeyValue::new("number", i64::try_from(number).unwrap())];
        library.duration.measure(0.5, key, attributes);
    }
    let metric = capture.metric("job.duration");
    assert_eq!(metric.total_count(), 100_000);
    assert!(
        metric.points.len() <= 2_001,
        "{} points",
        metric.points.len()
    );
    let overflow = metric.point([("otel.metric.overflow", true)]);
    assert!(overflow.count() >= 98_000);
}

#[test]
fn an_operation_that_is_shorter_than_the_minimum_has_no_span_unless_it_fails() {
    let (short, long) = (Some(Duration::ZERO), Some(Duration::from_secs(3_600)));
    for (minimum, outcome, error_type, has_span) in [
        (short, Outcome::Success, None, true),
        (long, Outcome::Success, None, false),
        (long, Outcome::Error("x".into()), Some("x"), true),
    ] {
        let capture = Capture::new();
        let library = Library::new(&capture, false);
        let (context, policy) = (Context::new(), Cancellation::Ignore);
        let mut job = library.start_unless_shorter(minimum, context, Signals::ALL, policy);
        drop(job.enter());
        job.finish(&outcome);
        if has_span {
            assert_end(&capture, error_type, error_type.is_some());
        } else {
            assert!(capture.spans().is_empty());
            let expected = expect_histogram("job.duration").point([("item", "a")], 1);
            capture
                .metric("job.duration")
                .assert(expected.unit("s").boundaries(&[1.0]));
        }
    }
}
