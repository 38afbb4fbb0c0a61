//! The program as a process of its own: what it exports and prints, and what it says without RabbitMQ.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::env;
use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_testing::{EndedProgram, Program};

/// The teapot is shipped at once, the samovar when the van is back, and the unicorn not at all.
const TREES: [&str; 3] = [
    "\
INTERNAL place order
  PRODUCER publish shop.orders
    CONSUMER process shop.orders
      CLIENT ack shop.orders
      PRODUCER publish shop.sold
        CONSUMER process shop.sold:shop.billing
          CLIENT ack shop.sold:shop.billing
        CONSUMER process shop.sold:shop.shipping
          CLIENT ack shop.sold:shop.shipping
",
    "\
INTERNAL place order
  PRODUCER publish shop.orders
    CONSUMER process shop.orders
      CLIENT ack shop.orders
      PRODUCER publish shop.sold
        CONSUMER process shop.shipping, 2 deaths: NotShipped
          CLIENT reject shop.shipping
        CONSUMER process shop.shipping, 4 deaths
          CLIENT ack shop.shipping
        CONSUMER process shop.sold:shop.billing
          CLIENT ack shop.sold:shop.billing
        CONSUMER process shop.sold:shop.shipping: NotShipped
          CLIENT reject shop.sold:shop.shipping
",
    "\
INTERNAL place order
  PRODUCER publish shop.orders
    CONSUMER process shop.orders
      CLIENT ack shop.orders
      PRODUCER publish shop.sold
        CONSUMER process shop.shipping, 2 deaths: NotShipped
          CLIENT reject shop.shipping
        CONSUMER process shop.shipping, 4 deaths: NotShipped
          CLIENT ack shop.shipping
          PRODUCER publish shop.shipping.failed
        CONSUMER process shop.sold:shop.billing
          CLIENT ack shop.sold:shop.billing
        CONSUMER process shop.sold:shop.shipping: NotShipped
          CLIENT reject shop.sold:shop.shipping
",
];

/// A name that no other shop at the broker has, and short: the console cuts long names.
fn unique() -> String {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    format!("s{}-{number}", process::id())
}

fn start(receiver: &OtlpReceiver, url: &str, shop: &str) -> Program {
    let variables = [
        ("AMQP_URL", url),
        ("SHOP_NAME", shop),
        ("OTEL_TRACES_EXPORTER", "console,otlp"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
    ];
    Program::start(env!("CARGO_BIN_EXE_rabbitmq"), &[], &variables)
}

/// Runs the program, which exports besides what it prints.
fn run(receiver: &OtlpReceiver, shop: &str) -> EndedProgram {
    let loopback = || "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned();
    let url = env::var("AMQP_URL").unwrap_or_else(|_| loopback());
    start(receiver, &url, shop).end().assert_success()
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

fn is_parent(parent: &Span, child: &Span) -> bool {
    (&parent.trace_id, &parent.span_id) == (&child.trace_id, &child.parent_span_id)
}

/// The span and what is below it, siblings by their names: who is the first among them is chance.
fn tree(span: &Span, spans: &[&Span], depth: usize) -> String {
    let kind = span.kind().as_str_name().replace("SPAN_KIND_", "");
    let mut text = format!("{:1$}{kind} {2}", "", depth * 2, span.name);
    if let Some(Value::IntValue(count)) = attribute(span, "otelware.rabbitmq.dead_letter.count") {
        text.push_str(&format!(", {count} deaths"));
    }
    if let Some(Value::StringValue(class)) = attribute(span, "error.type") {
        text.push_str(&format!(": {class}"));
    }
    text.push('\n');
    let mut children: Vec<_> = (spans.iter())
        .filter(|other| is_parent(span, other))
        .collect();
    children.sort_by_key(|child| (&child.name, child.start_time_unix_nano));
    for child in children {
        text.push_str(&tree(child, spans, depth + 1));
    }
    text
}

/// The trees of the orders, in the order they were placed.
fn trees(received: &Received, shop: &str) -> Vec<String> {
    let mut spans = received.spans();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let roots = spans.iter().filter(|span| span.name == "place order");
    roots
        .map(|root| tree(root, &spans, 0).replace(shop, "shop"))
        .collect()
}

#[test]
fn each_order_is_one_trace_from_the_order_to_the_parcel() {
    let (receiver, shop) = (OtlpReceiver::http(), unique());
    run(&receiver, &shop);
    let received = receiver.received();
    assert_eq!(trees(&received, &shop), TREES);
    // All that processes is linked to what published, and nothing is outside of the three.
    let lines: usize = TREES.iter().map(|tree| tree.lines().count()).sum();
    let mut spans = received.spans();
    // lapin has a span of its own, from `tracing`, for as long as its thread runs.
    spans.retain(|span| span.name != "io_loop");
    assert_eq!(spans.len(), lines);
    for span in spans {
        let links = usize::from(span.name.starts_with("process "));
        assert_eq!(span.links.len(), links, "{span:?}");
    }
}

#[test]
fn the_console_shows_every_span() {
    let (receiver, shop) = (OtlpReceiver::http(), unique());
    let ended = run(&receiver, &shop);
    let printed = ended.stdout.replace(&shop, "shop");
    let count = |what: &str| {
        let names = printed.lines().filter_map(|line| line.split_once("─ "));
        names.filter(|(_, name)| name.starts_with(what)).count()
    };
    for what in [
        "place order ",
        "publish ",
        "process ",
        "ack ",
        "reject ",
        "process shop.sold:shop.billing ",
    ] {
        let lines = TREES.concat();
        let expected = lines.lines().filter(|line| {
            let (_, name) = line.trim().split_once(' ').unwrap();
            format!("{name} ").starts_with(what)
        });
        assert_eq!(count(what), expected.count(), "{what}\n{printed}");
    }
}

#[test]
fn without_rabbitmq_it_says_what_to_start() {
    let receiver = OtlpReceiver::http();
    // Nothing listens where something did.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("amqp://guest:secret@{closed}/%2f");
    let ended = start(&receiver, &url, "shop").end();
    assert!(!ended.status.success());
    let said = &ended.stderr;
    assert!(said.contains("scripts/services rabbitmq"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
