//! The program as a process of its own: what it exports, with Redis and without.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process;

use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::KeyValue;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::number_data_point;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_testing::{EndedProgram, Program};

const MISS: &str = "\
SERVER GET /products/{name}
  CLIENT GET
  INTERNAL load product
  CLIENT SETEX
";

const HIT: &str = "\
SERVER GET /products/{name}
  CLIENT GET
";

const UNKNOWN: &str = "\
SERVER GET /products/{name}
  CLIENT GET
  INTERNAL load product
";

const NO_REDIS: &str = "no Redis: what is cached stays in this process";

/// Runs the program, which exports besides what it prints.
fn run(receiver: &OtlpReceiver, redis: &str, prefix: &str) -> EndedProgram {
    let variables = [
        ("REDIS_URL", redis),
        ("CACHE_PREFIX", prefix),
        ("OTEL_TRACES_EXPORTER", "console,otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
    ];
    Program::start(env!("CARGO_BIN_EXE_cache"), &[], &variables)
        .end()
        .assert_success()
}

fn is_parent(parent: &Span, child: &Span) -> bool {
    (&parent.trace_id, &parent.span_id) == (&child.trace_id, &child.parent_span_id)
}

fn tree(span: &Span, spans: &[&Span], depth: usize) -> String {
    let kind = span.kind().as_str_name().replace("SPAN_KIND_", "");
    let mut text = format!("{:1$}{kind} {2}\n", "", depth * 2, span.name);
    for child in spans.iter().filter(|other| is_parent(span, other)) {
        text.push_str(&tree(child, spans, depth + 1));
    }
    text
}

/// The spans of each trace, in the order they started.
fn trees(received: &Received) -> Vec<String> {
    let mut spans = received.spans();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
    roots.map(|root| tree(root, &spans, 0)).collect()
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key}: {other:?}"),
    }
}

/// What the last export says of the program's own counter, by the store and the result.
fn lookups(received: &Received) -> BTreeMap<String, i64> {
    let mut metrics = (received.metrics.iter())
        .flat_map(|export| &export.resource_metrics)
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics);
    let last = metrics.rfind(|metric| metric.name == "shop.cache.lookups");
    let Some(Data::Sum(sum)) = last.and_then(|metric| metric.data.clone()) else {
        panic!("{last:?}");
    };
    let points = sum.data_points.iter().map(|point| {
        let of = |key| text(&point.attributes, key);
        let name = format!("{} {}", of("shop.cache.store"), of("shop.cache.result"));
        match point.value {
            Some(number_data_point::Value::AsInt(count)) => (name, count),
            other => panic!("{other:?}"),
        }
    });
    points.collect()
}

fn counts(counts: &[(&str, i64)]) -> BTreeMap<String, i64> {
    counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[test]
fn a_miss_is_loaded_and_a_hit_is_not() {
    let receiver = OtlpReceiver::http();
    // A cache of the test's own, which is gone soon after.
    let prefix = format!("otelware:example:{}:", process::id());
    let ended = run(&receiver, "redis://127.0.0.1:6379", &prefix);
    let received = receiver.received();
    assert_eq!(trees(&received), [MISS, HIT, MISS, UNKNOWN, HIT]);
    let expected = counts(&[("redis hit", 2), ("redis miss", 3)]);
    assert_eq!(lookups(&received), expected);
    let texts: Vec<_> = (received.spans().iter())
        .filter(|span| span.name == "SETEX")
        .map(|span| text(&span.attributes, "db.query.text"))
        .collect();
    let mut shown = ["teapot", "samovar"]
        .map(|name| format!("SETEX {prefix}{name} ? ?"))
        .to_vec();
    shown.sort();
    let mut texts = texts;
    texts.sort();
    assert_eq!(texts, shown);
    assert!(!ended.stderr.contains(NO_REDIS));
}

#[test]
fn without_redis_the_process_is_the_cache() {
    let receiver = OtlpReceiver::http();
    // Nothing listens where something did.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = run(&receiver, &format!("redis://{closed}"), "");
    assert!(ended.stderr.contains(NO_REDIS), "{}", ended.stderr);
    let received = receiver.received();
    let without = |tree: &str| {
        let lines = tree.lines().filter(|line| !line.contains("CLIENT"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let expected = [MISS, HIT, MISS, UNKNOWN, HIT].map(without);
    assert_eq!(trees(&received), expected);
    let expected = counts(&[("memory hit", 2), ("memory miss", 3)]);
    assert_eq!(lookups(&received), expected);
}
