//! Operations without a tracer provider: they cost no span, nor the attributes of one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue, global};
use otelware::operation::{
    Cancellation, Describe, End, Family, Instrumentation, Operation, Outcome, Providers, Signals,
    Start,
};
use otelware_testing::{Capture, RemoteParent};

struct Nothing;

impl Describe for Nothing {
    fn end(&mut self, _: &End<'_>) {}
}

/// An operation beneath this context, and whether its attributes were asked for.
fn start(instrumentation: &Instrumentation, parent: Context) -> (Operation<Nothing>, bool) {
    let mut asked = false;
    let start = Start {
        name: "work".into(),
        kind: SpanKind::Internal,
        family: Family::Custom,
        parent,
        links: Vec::new(),
        signals: Signals::ALL,
        cancellation: Cancellation::Ignore,
        in_flight: None,
        minimum_duration: None,
    };
    let attributes = |_: &mut Nothing, list: &mut Vec<KeyValue>| {
        asked = true;
        list.push(KeyValue::new("key", "value"));
    };
    let operation = instrumentation.start(start, Nothing, attributes);
    (operation, asked)
}

fn instrumentation() -> Instrumentation {
    Instrumentation::new("library", "1.2.3", &Providers::default())
}

// One test, since the global provider is the process's.
#[test]
fn without_a_provider_nothing_is_built_from_the_second_operation_on() {
    let untraced = instrumentation();
    let remote = RemoteParent::sampled();
    for expected in [true, false, false] {
        let (operation, asked) = start(&untraced, remote.context());
        assert_eq!(asked, expected);
        // The context goes on.
        let span = operation.context().span().span_context().clone();
        assert_eq!(&span, remote.context().span().span_context());
        operation.finish(&Outcome::Success);
    }

    let capture = Capture::new();
    global::set_tracer_provider(capture.tracer_provider());
    let traced = instrumentation();
    // What is suppressed tells nothing of the provider.
    let suppressed = Context::new().with_telemetry_suppressed();
    start(&traced, suppressed.clone())
        .0
        .finish(&Outcome::Success);
    let suppressed = Context::new().with_telemetry_suppressed();
    start(&traced, suppressed).0.finish(&Outcome::Success);
    assert_eq!(capture.spans().len(), 0);
    for count in 1..=2 {
        let (operation, asked) = start(&traced, Context::new());
        assert!(asked);
        operation.finish(&Outcome::Success);
        assert_eq!(capture.spans().len(), count);
    }
    // The one from before stays without.
    start(&untraced, Context::new()).0.finish(&Outcome::Success);
    assert_eq!(capture.spans().len(), 2);
}
