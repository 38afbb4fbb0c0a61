//! Whole spans: what is equal passes, every kind of difference fails and is named.
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

use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue, StringValue};
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracer, ShouldSample, SpanLimits,
};
use otelware_testing::{
    Capture, ExpectedSpan, RemoteParent, SpanIdentity, Value, attributes, expect_span,
};
use support::{differences, failure};

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

fn tracer(telemetry: &Capture) -> SdkTracer {
    let scope = InstrumentationScope::builder("otelware-tower")
        .with_version("0.1.0")
        .with_schema_url(SCHEMA_URL)
        .build();
    telemetry.tracer_provider().tracer_with_scope(scope)
}

fn linked() -> SpanContext {
    RemoteParent::unsampled().span_context()
}

/// A server span that has one of everything.
fn full_span() -> Capture {
    let telemetry = Capture::new();
    let tracer = tracer(&telemetry);
    let mut span = tracer
        .span_builder("GET /users/{id}")
        .with_kind(SpanKind::Server)
        .with_attributes([KeyValue::new("http.request.method", "GET")])
        .with_links(vec![Link::new(
            linked(),
            vec![KeyValue::new("reason", "retry")],
            0,
        )])
        .start_with_context(&tracer, &RemoteParent::sampled().context());
    span.set_attribute(KeyValue::new("http.response.status_code", 500));
    span.set_attribute(KeyValue::new("ratio", 0.5));
    span.set_attribute(KeyValue::new("cached", true));
    span.set_attribute(KeyValue::new(
        "tags",
        opentelemetry::Value::Array(vec![StringValue::from("a"), StringValue::from("b")].into()),
    ));
    span.add_event("retry", vec![KeyValue::new("attempt", 2)]);
    span.set_status(Status::error("broken"));
    span.end();
    telemetry
}

fn expected_full_span() -> ExpectedSpan {
    expect_span("GET /users/{id}")
        .kind(SpanKind::Server)
        .child_of(&RemoteParent::sampled())
        .attribute("http.request.method", "GET")
        .attribute("http.response.status_code", 500)
        .attributes(attributes! { "ratio" => 0.5, "cached" => true, "tags" => ["a", "b"] })
        .link_with(&linked(), [("reason", "retry")])
        .event("retry", [("attempt", 2)])
        .error_description("broken")
        .scope("otelware-tower", "0.1.0", SCHEMA_URL)
        .flags(1)
        .trace_state("")
}

/// A span without anything.
fn plain_span() -> Capture {
    let telemetry = Capture::new();
    tracer(&telemetry).start("work").end();
    telemetry
}

/// What is reported if the plain span is changed by `change` before it ends.
fn differences_after(change: impl FnOnce(&mut opentelemetry_sdk::trace::Span)) -> Vec<String> {
    let telemetry = Capture::new();
    let mut span = tracer(&telemetry).start("work");
    change(&mut span);
    span.end();
    differences(|| telemetry.span("work").assert(expect_span("work")))
}

#[test]
fn a_span_equal_in_everything_passes() {
    full_span()
        .span("GET /users/{id}")
        .assert(expected_full_span());
    plain_span().span("work").assert(expect_span("work"));
}

#[test]
fn a_failure_shows_every_difference_and_the_whole_span() {
    let span = plain_span().span("work");
    let message = failure(|| {
        span.assert(
            expect_span("other")
                .kind(SpanKind::Client)
                .attribute("url.path", "/"),
        );
    });
    let expected = format!(
        "span \"work\" is not as expected:\n  \
         different  name: expected \"other\", found \"work\"\n  \
         different  kind: expected CLIENT, found INTERNAL\n  \
         missing    attribute url.path: \"/\" (string)\n\
         found:\n  \
         span {}-{}, {:?}\n    \
         name: \"work\"\n    \
         kind: INTERNAL\n    \
         parent: none\n    \
         status: unset\n    \
         scope: otelware-tower 0.1.0 {SCHEMA_URL}\n    \
         flags: 01\n    \
         trace state: \"\"\n",
        span.trace_id,
        span.span_id,
        span.duration()
    );
    assert_eq!(message, expected);
}

#[test]
fn a_parent_that_should_not_be_there_is_reported() {
    let telemetry = full_span();
    let lines = differences(|| {
        telemetry
            .span("GET /users/{id}")
            .assert(expected_full_span().no_parent());
    });
    let remote = RemoteParent::sampled();
    assert_eq!(
        lines,
        [format!(
            "different  parent: expected none, found {}-{} (remote)",
            remote.trace_id, remote.span_id
        )]
    );
}

#[test]
fn a_missing_parent_is_reported() {
    let telemetry = plain_span();
    let remote = RemoteParent::sampled();
    let lines = differences(|| {
        telemetry
            .span("work")
            .assert(expect_span("work").child_of(&remote));
    });
    assert_eq!(
        lines,
        [format!(
            "different  parent: expected {}-{} (remote), found none",
            remote.trace_id, remote.span_id
        )]
    );
}

#[test]
fn a_local_parent_is_not_a_remote_one() {
    let telemetry = Capture::new();
    let tracer = tracer(&telemetry);
    let parent = Context::new().with_span(tracer.start("parent"));
    tracer.start_with_context("child", &parent).end();
    parent.span().end();
    let (parent, child) = (telemetry.span("parent"), telemetry.span("child"));
    child.assert(expect_span("child").child_of(&parent));
    child.assert(expect_span("child").any_parent());
    let lines = differences(|| child.assert(expect_span("child").remote_child_of(&parent)));
    let ids = format!("{}-{}", parent.trace_id, parent.span_id);
    assert_eq!(
        lines,
        [format!(
            "different  parent: expected {ids} (remote), found {ids} (local)"
        )]
    );
}

#[test]
fn the_type_of_an_attribute_counts() {
    for (set, expected, line) in [
        (
            opentelemetry::Value::from("200"),
            Value::from(200),
            "different  attribute a: expected 200 (int), found \"200\" (string)",
        ),
        (
            opentelemetry::Value::from(1.0),
            Value::from(1),
            "different  attribute a: expected 1 (int), found 1.0 (double)",
        ),
        (
            opentelemetry::Value::from(true),
            Value::from("true"),
            "different  attribute a: expected \"true\" (string), found true (bool)",
        ),
        (
            opentelemetry::Value::Array(vec![1_i64, 2].into()),
            Value::from(["1", "2"]),
            "different  attribute a: expected [\"1\", \"2\"] (array), found [1, 2] (array)",
        ),
    ] {
        let telemetry = Capture::new();
        let mut span = tracer(&telemetry).start("work");
        span.set_attribute(KeyValue::new("a", set));
        span.end();
        let expected = expect_span("work").attribute("a", expected);
        assert_eq!(
            differences(|| telemetry.span("work").assert(&expected)),
            [line]
        );
    }
}

#[test]
fn an_unexpected_attribute_is_reported() {
    let lines = differences_after(|span| span.set_attribute(KeyValue::new("url.query", "q=1")));
    assert_eq!(lines, ["unexpected attribute url.query: \"q=1\" (string)"]);
}

#[test]
fn any_value_still_wants_the_attribute() {
    full_span().span("GET /users/{id}").assert(
        expect_span("GET /users/{id}")
            .kind(SpanKind::Server)
            .any_parent()
            .any_value("http.request.method")
            .any_value("http.response.status_code")
            .any_value("ratio")
            .any_value("cached")
            .any_value("tags")
            .link_with(&linked(), [("reason", "retry")])
            .event("retry", [("attempt", 2)])
            .error_description("broken"),
    );
    let telemetry = plain_span();
    let lines = differences(|| {
        telemetry
            .span("work")
            .assert(expect_span("work").any_value("server.port"));
    });
    assert_eq!(lines, ["missing    attribute server.port: (any)"]);
}

#[test]
fn a_status_that_differs_is_reported() {
    assert_eq!(
        differences_after(|span| span.set_status(Status::error("boom"))),
        ["different  status: expected unset, found error \"boom\""]
    );
    assert_eq!(
        differences_after(|span| span.set_status(Status::Ok)),
        ["different  status: expected unset, found ok"]
    );
    let telemetry = plain_span();
    let lines = differences(|| telemetry.span("work").assert(expect_span("work").error()));
    assert_eq!(lines, ["different  status: expected error, found unset"]);
}

#[test]
fn links_are_compared_one_by_one() {
    let ids = format!("{}-{}", linked().trace_id(), linked().span_id());
    assert_eq!(
        differences_after(|span| span.add_link(linked(), vec![])),
        [format!("unexpected link 1: {ids} {{}}")]
    );
    let telemetry = plain_span();
    assert_eq!(
        differences(|| telemetry
            .span("work")
            .assert(expect_span("work").link_to(&linked()))),
        [format!("missing    link 1: {ids} {{}}")]
    );
    let telemetry = full_span();
    assert_eq!(
        differences(|| telemetry
            .span("GET /users/{id}")
            .assert(expected_full_span().no_links().link_to(&linked()))),
        [format!(
            "different  link 1: expected {ids} {{}}, found {ids} {{reason=\"retry\"}}"
        )]
    );
}

#[test]
fn a_link_carries_the_trace_state_of_its_span() {
    let with_state = RemoteParent::sampled().with_trace_state("vendor=1");
    let telemetry = Capture::new();
    let mut span = tracer(&telemetry).start("work");
    span.add_link(with_state.span_context(), vec![]);
    span.end();
    let span = telemetry.span("work");
    span.assert(expect_span("work").link_to(&with_state));
    let ids = format!("{}-{}", with_state.trace_id, with_state.span_id);
    assert_eq!(
        differences(|| span.assert(expect_span("work").link_to(&RemoteParent::sampled()))),
        [format!(
            "different  link 1: expected {ids} {{}}, found {ids} {{}}, trace state \"vendor=1\""
        )]
    );
}

#[test]
fn events_are_compared_one_by_one() {
    assert_eq!(
        differences_after(|span| span.add_event("exception", vec![KeyValue::new("n", 1)])),
        ["unexpected event 1: \"exception\" {n=1}"]
    );
    let telemetry = full_span();
    assert_eq!(
        differences(|| telemetry.span("GET /users/{id}").assert(
            expected_full_span()
                .no_events()
                .event("retry", [("attempt", "2")])
        )),
        ["different  event 1: expected \"retry\" {attempt=\"2\"}, found \"retry\" {attempt=2}"]
    );
}

#[test]
fn each_part_of_the_scope_counts() {
    let telemetry = plain_span();
    let found = format!("found otelware-tower 0.1.0 {SCHEMA_URL}");
    for (name, version, schema_url) in [
        ("otelware-reqwest", "0.1.0", SCHEMA_URL),
        ("otelware-tower", "0.2.0", SCHEMA_URL),
        ("otelware-tower", "0.1.0", "https://example.com"),
    ] {
        let expected = expect_span("work").scope(name, version, schema_url);
        assert_eq!(
            differences(|| telemetry.span("work").assert(&expected)),
            [format!(
                "different  scope: expected {name} {version} {schema_url}, {found}"
            )]
        );
    }
}

#[test]
fn flags_and_trace_state_are_compared_when_stated() {
    let telemetry = Capture::new();
    let tracer = tracer(&telemetry);
    let parent = RemoteParent::sampled()
        .with_random_flag()
        .with_trace_state("vendor=1");
    tracer.start_with_context("work", &parent.context()).end();
    let span = telemetry.span("work");
    let expected = expect_span("work").child_of(&parent);
    span.assert(expected.clone().flags(3).trace_state("vendor=1"));
    assert_eq!(
        differences(|| span.assert(expected.flags(1).trace_state("other=1"))),
        [
            "different  flags: expected 01, found 03",
            "different  trace state: expected \"other=1\", found \"vendor=1\""
        ]
    );
}

#[test]
fn what_the_limits_dropped_is_reported() {
    let telemetry = Capture::builder()
        .span_limits(SpanLimits {
            max_attributes_per_span: 1,
            max_links_per_span: 0,
            max_events_per_span: 0,
            ..SpanLimits::default()
        })
        .build();
    let mut span = tracer(&telemetry).start("work");
    span.set_attribute(KeyValue::new("kept", 1));
    span.set_attribute(KeyValue::new("dropped", 1));
    span.add_link(linked(), vec![]);
    span.add_event("dropped", vec![]);
    span.end();
    assert_eq!(
        differences(|| telemetry
            .span("work")
            .assert(expect_span("work").attribute("kept", 1))),
        [
            "unexpected dropped attributes: 1",
            "unexpected dropped links: 1",
            "unexpected dropped events: 1"
        ]
    );
}

#[test]
fn an_end_before_the_start_is_reported() {
    let lines = differences_after(|span| {
        span.end_with_timestamp(SystemTime::now() - Duration::from_secs(60));
    });
    assert_eq!(lines, ["unexpected end: before its start"]);
}

#[test]
fn an_attribute_set_twice_fails_in_the_test_and_not_in_the_code_under_test() {
    let telemetry = Capture::new();
    let mut span = tracer(&telemetry).start("work");
    span.set_attribute(KeyValue::new("http.route", "/a"));
    span.set_attribute(KeyValue::new("http.route", "/b"));
    span.end();
    assert_eq!(
        failure(|| telemetry.spans()),
        "span \"work\" sets attribute http.route more than once: first \"/a\" (string), then \"/b\" (string)"
    );
}

#[test]
fn an_attribute_set_twice_on_a_link_or_event_fails() {
    let twice = || vec![KeyValue::new("a", 1), KeyValue::new("a", 1)];
    let telemetry = Capture::new();
    let mut span = tracer(&telemetry).start("work");
    span.add_link(linked(), twice());
    span.end();
    assert_eq!(
        failure(|| telemetry.spans()),
        "a link of span \"work\" sets attribute a more than once: first 1 (int), then 1 (int)"
    );
    telemetry.reset();
    let mut span = tracer(&telemetry).start("work");
    span.add_event("retry", twice());
    span.end();
    assert_eq!(
        failure(|| telemetry.spans()),
        "event \"retry\" of span \"work\" sets attribute a more than once: first 1 (int), then 1 (int)"
    );
}

#[test]
fn an_expectation_cannot_state_a_key_twice() {
    assert_eq!(
        failure(|| expect_span("work").attribute("a", 1).any_value("a")),
        "attribute a is expected twice"
    );
    assert_eq!(
        failure(|| attributes! { "a" => 1, "a" => 2 }),
        "attribute a is given twice"
    );
}

#[test]
fn the_only_span_of_a_name_or_a_list() {
    let telemetry = Capture::new();
    assert_eq!(
        failure(|| telemetry.span("work")),
        "expected one finished span \"work\", found 0; there are:\n"
    );
    let tracer = tracer(&telemetry);
    tracer.start("work").end();
    tracer.start("work").end();
    assert_eq!(
        failure(|| telemetry.span("work")),
        "expected one finished span \"work\", found 2; there are:\n  INTERNAL work\n  INTERNAL work\n"
    );
}

#[test]
fn spans_come_in_the_order_they_ended_and_only_if_sampled() {
    let telemetry = Capture::new();
    let tracer = tracer(&telemetry);
    let mut first = tracer.start("first");
    let mut second = tracer.start("second");
    assert_eq!(telemetry.open_spans(), 2);
    second.end();
    first.end();
    let names: Vec<String> = telemetry.spans().into_iter().map(|s| s.name).collect();
    assert_eq!(
        (names, telemetry.open_spans()),
        (vec!["second".into(), "first".into()], 0)
    );

    for sampler in [
        Box::<dyn ShouldSample>::from(Sampler::AlwaysOff),
        Box::new(RecordOnly),
    ] {
        let telemetry = Capture::builder().sampler(sampler).build();
        telemetry
            .tracer_provider()
            .tracer("test")
            .start("work")
            .end();
        assert_eq!(telemetry.spans(), []);
        let started = telemetry.started();
        assert_eq!(started.len(), 1);
        assert!(!started[0].sampled);
    }
}

#[derive(Clone, Debug)]
struct RecordOnly;

impl ShouldSample for RecordOnly {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: opentelemetry::trace::TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: SamplingDecision::RecordOnly,
            attributes: Vec::new(),
            trace_state: Default::default(),
        }
    }
}

#[test]
fn the_sampler_sees_only_what_is_there_at_the_start() {
    let telemetry = full_span();
    let remote = RemoteParent::sampled();
    let started = telemetry.started();
    assert_eq!(started.len(), 1);
    let start = &started[0];
    assert_eq!(
        (
            start.name.as_str(),
            &start.kind,
            start.trace_id,
            start.parent_span_id
        ),
        (
            "GET /users/{id}",
            &SpanKind::Server,
            remote.trace_id,
            Some(remote.span_id)
        )
    );
    assert_eq!(
        (start.parent_is_remote, start.links, start.sampled),
        (true, 1, true)
    );
    assert_eq!(
        start.attributes,
        attributes! { "http.request.method" => "GET" }
    );
}

#[test]
fn a_start_that_sets_an_attribute_twice_fails() {
    let telemetry = Capture::builder().sampler(Sampler::AlwaysOff).build();
    let tracer = tracer(&telemetry);
    tracer
        .span_builder("work")
        .with_attributes([KeyValue::new("a", 1), KeyValue::new("a", 2)])
        .start(&tracer)
        .end();
    assert_eq!(
        failure(|| telemetry.started()),
        "the start of span \"work\" sets attribute a more than once: first 1 (int), then 2 (int)"
    );
}

#[test]
fn a_tree_nests_children_and_keeps_traces_apart() {
    let telemetry = Capture::new();
    let tracer = tracer(&telemetry);
    let start = SystemTime::UNIX_EPOCH;
    let at = |name: &'static str, kind, seconds| {
        tracer
            .span_builder(name)
            .with_kind(kind)
            .with_start_time(start + Duration::from_secs(seconds))
    };
    let server = Context::new().with_span(
        at("GET /", SpanKind::Server, 1)
            .start_with_context(&tracer, &RemoteParent::sampled().context()),
    );
    let second = Context::new()
        .with_span(at("second", SpanKind::Internal, 3).start_with_context(&tracer, &server));
    at("SELECT", SpanKind::Client, 4)
        .start_with_context(&tracer, &second)
        .end();
    second.span().end();
    at("first", SpanKind::Producer, 2)
        .start_with_context(&tracer, &server)
        .end();
    server.span().end();
    at("other", SpanKind::Consumer, 0)
        .start_with_context(&tracer, &Context::new())
        .end();
    assert_eq!(
        telemetry.tree(),
        "CONSUMER other\n\
         SERVER GET /\n  \
         PRODUCER first\n  \
         INTERNAL second\n    \
         CLIENT SELECT\n"
    );
    let trace = telemetry.trace(RemoteParent::sampled().trace_id);
    let names: Vec<&str> = trace.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["SELECT", "second", "first", "GET /"]);
}

#[test]
fn captures_do_not_see_each_other_and_clones_do() {
    let (one, other) = (plain_span(), Capture::new());
    assert_eq!(one.tree(), "INTERNAL work\n");
    assert_eq!(one.clone().spans(), one.spans());
    assert_eq!(other.tree(), "");
    one.reset();
    assert_eq!((one.spans(), one.started()), (vec![], vec![]));
}

#[test]
fn the_headers_of_a_remote_parent() {
    let parent = RemoteParent::sampled();
    assert_eq!(
        parent.headers(),
        [(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()
        )]
    );
    let flags = |parent: RemoteParent| parent.traceparent()[53..].to_owned();
    assert_eq!(
        [
            flags(RemoteParent::unsampled()),
            flags(RemoteParent::unsampled().with_random_flag()),
            flags(RemoteParent::sampled().with_random_flag())
        ],
        ["00", "02", "03"]
    );
    let with_state = parent.with_trace_state("a=1,b=2");
    assert_eq!(
        with_state.headers().last(),
        Some(&("tracestate", "a=1,b=2".to_owned()))
    );
    assert!(
        failure(|| RemoteParent::sampled().with_trace_state("nonsense"))
            .starts_with("\"nonsense\" is not a tracestate")
    );
}

#[test]
fn a_span_says_which_traceparent_its_calls_carry() {
    let telemetry = plain_span();
    let span = telemetry.span("work");
    assert_eq!(
        span.traceparent(),
        format!("00-{}-{}-01", span.trace_id, span.span_id)
    );
}
