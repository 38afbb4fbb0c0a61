//! The program as a process of its own: what it prints, and what it exports.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::KeyValue;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_testing::{EndedProgram, Program};

const TREES: [&str; 6] = [
    "\
INTERNAL migrate
  INTERNAL migrate 20261121000000 shop
",
    "\
SERVER POST /customers/{customer}/orders/{item}/{quantity}
  CLIENT SELECT items
  CLIENT BEGIN
  CLIENT UPDATE items
  CLIENT INSERT orders
  CLIENT COMMIT
  CLIENT SELECT orders
",
    "\
SERVER POST /customers/{customer}/orders/{item}/{quantity}
  CLIENT SELECT items
  CLIENT BEGIN
  CLIENT UPDATE items
  CLIENT ROLLBACK
",
    "\
SERVER GET /orders/{id}
  CLIENT SELECT orders
",
    "\
SERVER GET /orders/{id}
  CLIENT SELECT orders
",
    "\
SERVER POST /items/{name}
  CLIENT INSERT items
",
];

/// Runs the program, which exports besides what it prints.
fn run(receiver: &OtlpReceiver) -> EndedProgram {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console,otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
    ];
    Program::start(env!("CARGO_BIN_EXE_sql"), &[], &variables)
        .end()
        .assert_success()
}

/// The spans, in the order they started.
fn spans(received: &Received) -> Vec<&Span> {
    let mut spans = received.spans();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    spans
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

#[test]
fn all_that_is_asked_of_the_database_belongs_to_its_request() {
    let receiver = OtlpReceiver::http();
    run(&receiver);
    let received = receiver.received();
    let spans = spans(&received);
    let is_root = |span: &&&Span| !spans.iter().any(|other| is_parent(other, span));
    let trees: Vec<String> = spans
        .iter()
        .filter(is_root)
        .map(|root| tree(root, &spans, 0))
        .collect();
    assert_eq!(trees, TREES);
    // Each is a trace of its own.
    let traces: BTreeSet<&[u8]> = spans.iter().map(|span| &*span.trace_id).collect();
    assert_eq!(traces.len(), TREES.len());
}

/// A line of the console without what differs from run to run; nothing of a line of another kind.
fn span_line(line: &str) -> Option<String> {
    let mut parts = line
        .split("  ")
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let (branch, kind) = (parts.next()?, parts.next()?);
    let name = branch.strip_prefix("├─ ").or(branch.strip_prefix("└─ "))?;
    let depth = line.find(branch)? / 3;
    Some(format!("{:1$}{kind} {name}\n", "", depth * 2))
}

#[test]
fn the_console_shows_the_trees() {
    let printed: String = run(&OtlpReceiver::http())
        .stdout
        .lines()
        .take_while(|line| !line.starts_with("metrics "))
        .filter_map(span_line)
        .collect();
    assert_eq!(printed, TREES.concat());
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), text(pair)))
        .collect()
}

/// What a span of the database says; `end` is what it says besides of a failure.
fn said(summary: &str, text: &str, end: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all = vec![
        ("db.system.name", "sqlite"),
        ("db.namespace", ":memory:"),
        ("db.query.summary", summary),
        ("db.query.text", text),
    ];
    all.extend(end);
    all.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn queries_are_shown_without_their_values_and_failures_with_their_code() {
    let receiver = OtlpReceiver::http();
    run(&receiver);
    let received = receiver.received();
    let mut found: Vec<BTreeMap<String, String>> = Vec::new();
    for span in spans(&received) {
        if span.kind().as_str_name() == "SPAN_KIND_CLIENT" {
            let said = attributes(&span.attributes);
            let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
            assert_eq!(failed, said.contains_key("error.type"), "{span:?}");
            found.push(said);
        }
    }
    let stock = || {
        said(
            "SELECT items",
            "SELECT stock FROM items WHERE name = ?",
            &[],
        )
    };
    let step = |step| said(step, step, &[]);
    let take = || {
        let text = "UPDATE items SET stock = stock - ?1 WHERE name = ?2 AND stock >= ?1";
        said("UPDATE items", text, &[])
    };
    let order = || {
        let text = "SELECT item, quantity FROM orders WHERE id = ?";
        said("SELECT orders", text, &[])
    };
    let expected = [
        stock(),
        step("BEGIN"),
        take(),
        said(
            "INSERT orders",
            "INSERT INTO orders (customer, item, quantity) VALUES (?, ?, ?) RETURNING id",
            &[],
        ),
        step("COMMIT"),
        said(
            "SELECT orders",
            "SELECT quantity FROM orders WHERE customer = ?",
            &[],
        ),
        stock(),
        step("BEGIN"),
        take(),
        step("ROLLBACK"),
        order(),
        order(),
        said(
            "INSERT items",
            "INSERT INTO items (name, stock) VALUES (?, 0)",
            &[("db.response.status_code", "1555"), ("error.type", "1555")],
        ),
    ];
    assert_eq!(found, expected);
}

/// What the pool is asked when metrics are collected.
const OBSERVED: [&str; 3] = [
    "db.client.connection.count",
    "db.client.connection.idle.min",
    "db.client.connection.limit",
];

#[test]
fn requests_queries_and_the_pool_are_measured() {
    let receiver = OtlpReceiver::http();
    run(&receiver);
    let received = receiver.received();
    let names: BTreeSet<&str> = received
        .metrics
        .iter()
        .flat_map(|export| &export.resource_metrics)
        .flat_map(|resource| &resource.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .map(|metric| metric.name.as_str())
        .collect();
    // What is observed of the pool goes with it, which may be before the last export.
    let measured = names.into_iter().filter(|name| !OBSERVED.contains(name));
    let expected = [
        "db.client.connection.pending_requests",
        "db.client.connection.use_time",
        "db.client.connection.wait_time",
        "db.client.operation.duration",
        "db.client.response.returned_rows",
        "http.server.request.duration",
    ];
    assert_eq!(measured.collect::<Vec<_>>(), expected);
}
