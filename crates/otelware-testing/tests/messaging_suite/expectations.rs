//! What the suite's expectations say, and that comparing with them fails where it must.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use otelware_testing::suites::messaging::{
    Broker, Cancellation, Class, ExpectedOperation, Message, Propagator, assert_all,
    assert_metrics, assert_spans,
};
use otelware_testing::{Capture, HTTP_SECONDS, RemoteParent, Scope};

use crate::support::failure;

const TOOK: Duration = Duration::from_millis(3);

fn broker() -> Broker {
    Broker {
        scope: Scope::new("post", "1", "https://example.com"),
        system: "post",
        address: Some("post.shop".to_owned()),
        port: Some(7_000),
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("post")
        .with_version("1")
        .with_schema_url("https://example.com")
        .build()
}

fn known(operation: &'static str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system.name", "post"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.destination.name", "orders"),
        KeyValue::new("server.address", "post.shop"),
        KeyValue::new("server.port", 7_000),
    ]
}

fn process() -> ExpectedOperation {
    ExpectedOperation::new(Class::Process, "process", "orders")
}

fn consume() -> ExpectedOperation {
    ExpectedOperation::new(Class::Consume, "receive", "orders")
}

/// The span of processing that has this attribute besides, if any.
fn span(telemetry: &Capture, further: Option<KeyValue>) {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let tracer = telemetry.tracer_provider().tracer_with_scope(scope());
    let mut attributes = known("process");
    attributes.push(KeyValue::new("messaging.operation.type", "process"));
    attributes.extend(further);
    let builder = SpanBuilder::from_name("process orders")
        .with_kind(SpanKind::Consumer)
        .with_attributes(attributes)
        .with_start_time(start);
    tracer.build(builder).end_with_timestamp(start + TOOK);
}

/// The metrics of a message that was handed over, and processed in so much time.
fn measure(telemetry: &Capture, took: Duration) {
    let meter = telemetry.meter_provider().meter_with_scope(scope());
    meter
        .u64_counter("messaging.client.consumed.messages")
        .with_unit("{message}")
        .with_description("Number of messages that were delivered to the application.")
        .build()
        .add(1, &known("receive"));
    meter
        .f64_histogram("messaging.process.duration")
        .with_unit("s")
        .with_description("Duration of processing operation.")
        .with_boundaries(HTTP_SECONDS.to_vec())
        .build()
        .record(took.as_secs_f64(), &known("process"));
}

/// Two messages.
fn two() -> Capture {
    let telemetry = Capture::new();
    for _ in 0..2 {
        span(&telemetry, None);
        measure(&telemetry, TOOK);
    }
    telemetry
}

fn both() -> [ExpectedOperation; 4] {
    [consume(), process(), consume(), process()]
}

#[test]
fn what_is_as_expected_passes() {
    assert_all(&two(), &broker(), &both());
    assert_all(&Capture::new(), &broker(), &[]);
}

#[test]
fn the_number_of_spans_must_be_right() {
    for operations in [vec![process()], vec![process(), process(), process()]] {
        let message = failure(|| assert_spans(&two(), &broker(), &operations));
        assert!(message.contains("the number of spans"), "{message}");
    }
}

#[test]
fn spans_of_other_scopes_do_not_count_and_open_ones_are_found() {
    let telemetry = two();
    let tracer = telemetry.tracer_provider().tracer("test");
    drop(tracer.start("other"));
    assert_spans(&telemetry, &broker(), &both());
    let open = tracer.start("open");
    let message = failure(|| assert_spans(&telemetry, &broker(), &both()));
    assert!(message.contains("open spans"), "{message}");
    drop(open);
}

#[test]
fn spans_and_durations_must_be_of_one_reading() {
    let telemetry = Capture::new();
    span(&telemetry, None);
    measure(&telemetry, TOOK * 2);
    let message = failure(|| assert_spans(&telemetry, &broker(), &[process()]));
    assert!(message.contains("messaging.process.duration"), "{message}");
    // One that has no span is measured nevertheless.
    assert_spans(&telemetry, &broker(), &[process(), process().no_span()]);
}

#[test]
fn counts_and_classes_must_be_right() {
    for operations in [
        vec![consume(), consume(), process()],
        vec![consume(), process(), process()],
        vec![consume(), consume(), process(), process().fails("sold_out")],
        vec![
            consume(),
            consume().no_metrics(),
            process(),
            process().no_span(),
        ],
        vec![consume().batch(3), process(), process()],
        vec![
            consume(),
            consume(),
            process(),
            process().dropped(Cancellation::Mark),
        ],
    ] {
        let message = failure(|| assert_metrics(&two(), &broker(), &operations));
        assert!(message.contains("point {"), "{message}");
    }
    let message = failure(|| assert_metrics(&two(), &broker(), &[process(), process()]));
    assert!(message.contains("the metrics"), "{message}");
    let send = ExpectedOperation::new(Class::Send, "send", "orders");
    let mut operations = both().to_vec();
    operations.push(send);
    let message = failure(|| assert_metrics(&two(), &broker(), &operations));
    assert!(message.contains("the metrics"), "{message}");
}

#[test]
fn the_broker_s_own_metrics_are_not_compared() {
    let telemetry = two();
    let meter = telemetry.meter_provider().meter("test");
    meter.u64_counter("post.stamps").build().add(1, &[]);
    assert_metrics(&telemetry, &broker(), &both());
    meter.u64_counter("messaging.stamps").build().add(1, &[]);
    let message = failure(|| assert_metrics(&telemetry, &broker(), &both()));
    assert!(message.contains("the metrics"), "{message}");
}

#[test]
fn what_may_be_there_is_right_if_it_is() {
    let expected = [process().may_have("post.office", "7")];
    for (found, is_right) in [(None, true), (Some("7"), true), (Some("8"), false)] {
        let telemetry = Capture::new();
        span(
            &telemetry,
            found.map(|office| KeyValue::new("post.office", office)),
        );
        if is_right {
            assert_spans(&telemetry, &broker(), &expected);
        } else {
            let message = failure(|| assert_spans(&telemetry, &broker(), &expected));
            assert!(message.contains("post.office"), "{message}");
        }
    }
}

#[test]
fn headers_of_a_message_are_sorted_and_all_are_found() {
    let message = Message::new("3 pens")
        .header("b", "2")
        .header("a", "1")
        .header("b", "1");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        message.headers,
        [pair("a", "1"), pair("b", "1"), pair("b", "2")]
    );
    assert_eq!(message.values("b"), ["1", "2"]);
    assert_eq!(message.values("c"), Vec::<&str>::new());
}

#[test]
fn a_context_is_carried_by_fields_with_the_prefix_and_by_no_others() {
    let sender = RemoteParent::sampled().with_trace_state("shop=edge");
    let context = sender.context();
    let context = context.with_baggage([KeyValue::new("tenant", "7")]);
    let propagator = Propagator::new("shop-").clone();
    let mut carrier = HashMap::new();
    propagator.inject_context(&context, &mut carrier);
    let mut names: Vec<&str> = carrier.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["shop-baggage", "shop-traceparent", "shop-tracestate"]
    );
    let mut fields: Vec<&str> = propagator.fields().collect();
    fields.sort_unstable();
    assert_eq!(fields, names);
    let found = propagator.extract_with_context(&Context::new(), &carrier);
    let span = found.span().span_context().clone();
    assert_eq!(
        (span.trace_id(), span.span_id()),
        (sender.trace_id, sender.span_id)
    );
    assert_eq!(found.baggage().to_string(), "tenant=7");
    let other = Propagator::new("").extract_with_context(&Context::new(), &carrier);
    assert!(!other.has_active_span());
    assert_eq!(other.baggage().to_string(), "");
}
