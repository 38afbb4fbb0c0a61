//! The program as a process of its own: what it prints, and what it exports.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_testing::{EndedProgram, Program};

const BILLED: &str = "\
INTERNAL place order
  PRODUCER send orders
    CONSUMER process orders
      PRODUCER send invoices
      CLIENT commit orders
";

const NOT_BILLED: &str = "\
INTERNAL place order
  PRODUCER send orders
    CONSUMER process orders
      PRODUCER send orders.dead
        CONSUMER process orders.dead
          CLIENT commit orders.dead
      CLIENT commit orders
";

const MAILED: &str = "\
CONSUMER process invoices
  CLIENT commit
";

/// Runs the program, which exports besides what it prints.
fn run(receiver: &OtlpReceiver) -> EndedProgram {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console,otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
    ];
    Program::start(env!("CARGO_BIN_EXE_kafka"), &[], &variables)
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

/// What each link of the span leads to.
fn linked<'s>(span: &Span, spans: &[&'s Span]) -> Vec<&'s Span> {
    let links = span.links.iter().map(|link| {
        let mut spans = spans.iter().copied();
        let found = spans.find(|to| (&to.trace_id, &to.span_id) == (&link.trace_id, &link.span_id));
        found.expect("a span that was exported")
    });
    links.collect()
}

fn text<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    let found = span.attributes.iter().find(|pair| pair.key == key)?;
    match found.value.as_ref()?.value.as_ref() {
        Some(Value::StringValue(text)) => Some(text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_order_is_one_trace_and_a_batch_is_linked() {
    let receiver = OtlpReceiver::http();
    run(&receiver);
    let received = receiver.received();
    let spans = spans(&received);
    let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
    let trees: Vec<String> = roots.map(|root| tree(root, &spans, 0)).collect();
    assert_eq!(trees, [BILLED, NOT_BILLED, BILLED, MAILED]);
    let traces: BTreeSet<&[u8]> = spans.iter().map(|span| &*span.trace_id).collect();
    assert_eq!(traces.len(), trees.len());

    let named = |name: &str| -> Vec<&Span> {
        let spans = spans.iter().filter(|span| span.name == name);
        spans.copied().collect()
    };
    // Whoever processes is linked to the sender, and is its child where it is one message.
    let (senders, processed) = (named("send orders"), named("process orders"));
    for span in &processed {
        let linked = linked(span, &spans);
        assert_eq!(linked.len(), 1);
        assert!(is_parent(linked[0], span) && linked[0].name == "send orders");
    }
    let batch = named("process invoices").remove(0);
    assert_eq!(linked(batch, &spans), named("send invoices"));
    // What is sent on is linked to the context that it had.
    let dead = named("send orders.dead").remove(0);
    assert_eq!(linked(dead, &spans), [senders[1]]);

    // The error is the order's, and nobody else's.
    let failed = spans.iter().filter(|span| {
        let status = span.status.as_ref();
        status.is_some_and(|status| status.code == 2)
    });
    assert_eq!(failed.copied().collect::<Vec<_>>(), [processed[1]]);
    assert_eq!(text(processed[1], "error.type"), Some("NotBilled"));
}

/// A line of the console without what differs from run to run; nothing of a line of another kind.
fn span_line(line: &str) -> Option<String> {
    let mut parts = line
        .split("  ")
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let (branch, kind) = (parts.next()?, parts.next()?);
    let name = branch.strip_prefix("├─ ").or(branch.strip_prefix("└─ "))?;
    Some(format!("{kind} {name}"))
}

#[test]
fn the_console_shows_all_of_it() {
    let printed = run(&OtlpReceiver::http()).stdout;
    let lines = printed
        .lines()
        .take_while(|line| !line.starts_with("metrics "));
    let mut shown: Vec<String> = lines.filter_map(span_line).collect();
    let mut expected: Vec<String> = [BILLED, NOT_BILLED, BILLED, MAILED]
        .iter()
        .flat_map(|tree| tree.lines())
        .map(|line| line.trim_start().to_owned())
        .collect();
    // What is processed later is shown later, as more of the same trace.
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    // One for each message that was processed, and for what was sent on.
    assert_eq!(printed.matches("↪ link ").count(), 7);
}
