//! Whole log records, and the search for secrets in all signals.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span as _, Status, TraceState, Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::logs::SdkLogRecord;
use otelware_testing::{Attributes, Capture, RemoteParent, SpanIdentity, Value, expect_log};
use support::{differences, failure};

fn emit(telemetry: &Capture, fill: impl FnOnce(&mut SdkLogRecord)) {
    let logger = telemetry.logger_provider().logger("test");
    let mut record = logger.create_log_record();
    fill(&mut record);
    logger.emit(record);
}

fn exception() -> Capture {
    let telemetry = Capture::new();
    emit(&telemetry, |record| {
        let parent = RemoteParent::sampled();
        record.set_severity_number(Severity::Error);
        record.set_event_name("exception");
        record.set_target("orders");
        record.set_body(AnyValue::from("boom"));
        record.add_attribute("exception.type", "io::Error");
        record.set_trace_context(parent.trace_id, parent.span_id, None);
    });
    telemetry
}

#[test]
fn a_log_equal_in_everything_passes() {
    exception().event("exception").assert(
        expect_log(Severity::Error)
            .event_name("exception")
            .target("orders")
            .body("boom")
            .attribute("exception.type", "io::Error")
            .in_span(&RemoteParent::sampled()),
    );
}

#[test]
fn every_property_of_a_log_counts() {
    let log = exception().event("exception");
    let parent = RemoteParent::sampled();
    assert_eq!(
        differences(|| log.assert(
            expect_log(Severity::Warn)
                .target("payments")
                .any_value("exception.message")
                .scope("other", "1", "url")
        )),
        [
            "different  severity: expected WARN, found ERROR".to_owned(),
            "different  body: expected none, found \"boom\" (string)".to_owned(),
            "different  event name: expected none, found \"exception\"".to_owned(),
            "different  target: expected \"payments\", found \"orders\"".to_owned(),
            format!(
                "different  span: expected none, found {}-{}",
                parent.trace_id, parent.span_id
            ),
            "different  scope: expected other 1 url, found test (no version) (no schema URL)"
                .to_owned(),
            "missing    attribute exception.message: (any)".to_owned(),
            "unexpected attribute exception.type: \"io::Error\" (string)".to_owned(),
        ]
    );
}

#[test]
fn structured_bodies_keep_their_types() {
    let telemetry = Capture::new();
    emit(&telemetry, |record| {
        let map = [("n", AnyValue::from(1)), ("b", AnyValue::from(&b"x"[..]))];
        let map = map.map(|(key, value)| (key.into(), value));
        record.set_body(AnyValue::Map(Box::new(map.into_iter().collect())));
    });
    let expected: Attributes = [
        ("n".to_owned(), Value::Int(1)),
        ("b".to_owned(), Value::Bytes(b"x".to_vec())),
    ]
    .into();
    assert_eq!(telemetry.logs()[0].body, Some(Value::Map(expected)));
}

#[test]
fn a_log_that_sets_an_attribute_twice_fails() {
    let telemetry = Capture::new();
    emit(&telemetry, |record| {
        record.set_body(AnyValue::from("hello"));
        record.add_attribute("a", 1);
        record.add_attribute("a", "x");
    });
    assert_eq!(
        failure(|| telemetry.logs()),
        "log \"hello\" sets attribute a more than once: first 1 (int), then \"x\" (string)"
    );
}

#[test]
fn the_only_event_of_a_name_or_a_list() {
    assert_eq!(
        failure(|| Capture::new().event("exception")),
        "expected one log event \"exception\", found 0; there are:\n"
    );
}

const SECRET: &str = "s3cr\"3t\u{e9}\n\\";

/// Each place from which a secret can leak.
fn leaks() -> Vec<(&'static str, Capture)> {
    let mut leaks = Vec::new();
    let mut leak = |place, telemetry: Capture, put: &dyn Fn(&Capture)| {
        put(&telemetry);
        leaks.push((place, telemetry));
    };
    let secret = || format!("Bearer {SECRET}!");
    let span = |telemetry: &Capture, put: &dyn Fn(&mut opentelemetry_sdk::trace::Span)| {
        let mut span = telemetry.tracer_provider().tracer("test").start("work");
        put(&mut span);
        span.end();
    };
    let key_value = || KeyValue::new("a", secret());
    let remote = || RemoteParent::sampled().span_context();

    leak("name", Capture::new(), &|t| {
        span(t, &|s| s.update_name(secret()));
    });
    leak("attribute", Capture::new(), &|t| {
        span(t, &|s| s.set_attribute(key_value()));
    });
    leak("second value", Capture::new(), &|t| {
        span(t, &|s| {
            s.set_attribute(KeyValue::new("a", 1));
            s.set_attribute(key_value());
        });
    });
    leak("array", Capture::new(), &|t| {
        span(t, &|s| {
            let values = vec![opentelemetry::StringValue::from(secret())];
            s.set_attribute(KeyValue::new(
                "a",
                opentelemetry::Value::Array(values.into()),
            ));
        });
    });
    leak("key", Capture::new(), &|t| {
        span(t, &|s| s.set_attribute(KeyValue::new(secret(), 1)));
    });
    leak("status", Capture::new(), &|t| {
        span(t, &|s| s.set_status(Status::error(secret())));
    });
    leak("link", Capture::new(), &|t| {
        span(t, &|s| s.add_link(remote(), vec![key_value()]));
    });
    leak("event", Capture::new(), &|t| {
        span(t, &|s| s.add_event("e", vec![key_value()]));
    });
    leak("event name", Capture::new(), &|t| {
        span(t, &|s| s.add_event(secret(), vec![]));
    });
    leak(
        "resource",
        Capture::builder().resource_attribute(key_value()).build(),
        &|t| {
            span(t, &|_| {});
        },
    );
    leak("scope", Capture::new(), &|t| {
        let scope = InstrumentationScope::builder("test")
            .with_attributes([key_value()])
            .build();
        t.tracer_provider()
            .tracer_with_scope(scope)
            .start("work")
            .end();
    });
    leak("metric attribute", Capture::new(), &|t| {
        t.meter_provider()
            .meter("test")
            .u64_counter("calls")
            .build()
            .add(1, &[key_value()]);
    });
    leak("metric description", Capture::new(), &|t| {
        t.meter_provider()
            .meter("test")
            .u64_counter("calls")
            .with_description(secret())
            .build()
            .add(1, &[]);
    });
    leak("log body", Capture::new(), &|t| {
        emit(t, |r| r.set_body(AnyValue::from(secret())));
    });
    leak("log bytes", Capture::new(), &|t| {
        emit(t, |r| {
            r.set_body(AnyValue::Bytes(Box::new(secret().into_bytes())));
        });
    });
    leak("log attribute", Capture::new(), &|t| {
        emit(t, |r| r.add_attribute("a", secret()));
    });
    leak("log target", Capture::new(), &|t| {
        emit(t, |r| r.set_target(secret()));
    });
    leaks
}

#[test]
fn a_secret_is_found_wherever_it_leaks() {
    let leaks = leaks();
    assert_eq!(leaks.len(), 17);
    for (place, telemetry) in leaks {
        let message = failure(|| telemetry.assert_never_contains(SECRET));
        assert!(
            message.starts_with(&format!("{SECRET:?} was captured:\n")),
            "{place}: {message}"
        );
        telemetry.assert_never_contains("another secret");
    }
}

#[test]
fn a_secret_in_a_trace_state_or_at_an_unsampled_start_is_found() {
    let telemetry = Capture::new();
    let parent = RemoteParent::sampled().with_trace_state("vendor=s3cr3t");
    assert_eq!(
        parent.span_context().trace_state(),
        &TraceState::from_key_value([("vendor", "s3cr3t")]).unwrap()
    );
    let tracer = telemetry.tracer_provider().tracer("test");
    tracer.start_with_context("work", &parent.context()).end();
    failure(|| telemetry.assert_never_contains("s3cr3t"));

    let telemetry = Capture::builder()
        .sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
        .build();
    let tracer = telemetry.tracer_provider().tracer("test");
    let attribute = KeyValue::new("a", "s3cr3t");
    tracer
        .span_builder("work")
        .with_attributes([attribute])
        .start(&tracer)
        .end();
    failure(|| telemetry.assert_never_contains("s3cr3t"));
}

#[test]
fn a_search_that_proves_nothing_fails() {
    assert_eq!(
        failure(|| exception().assert_never_contains("")),
        "an empty secret is everywhere"
    );
    assert_eq!(
        failure(|| Capture::new().assert_never_contains("s3cr3t")),
        "nothing was captured, so there is nothing to search for \"s3cr3t\""
    );
}
