use opentelemetry::trace::{Event, Link};
use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::*;
use crate::console::test_support::{SpanDataExt as _, at, span, span_context};

const PLAIN: TreeOptions<'_> = TreeOptions {
    service_name: Some("orders"),
    color: false,
    completeness: Completeness::Complete,
};

fn draw(spans: &[SpanData]) -> String {
    render(spans, PLAIN)
}

#[test]
fn a_trace_is_a_waterfall_in_the_order_of_starts() {
    // In the order in which they end: children first.
    let spans = [
        span(2, 1, "load order", (0, 3_000)),
        span(3, 1, "GET", (6_000, 36_400))
            .of_kind(SpanKind::Client)
            .with_error("")
            .with_attributes([
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("http.response.status_code", 503),
                KeyValue::new("error.type", "503"),
                KeyValue::new("server.address", "localhost"),
                KeyValue::new("server.port", 8080),
            ]),
        span(5, 4, "sign", (37_000, 37_020)),
        span(4, 1, "charge card", (36_900, 42_000))
            .with_attributes([KeyValue::new("error.type", "cancelled")]),
        span(1, 0, "GET /orders/{id}", (0, 42_100))
            .of_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.route", "/orders/{id}"),
                KeyValue::new("url.path", "/orders/7"),
                KeyValue::new("http.response.status_code", 200),
                KeyValue::new("server.address", "shop.example"),
            ]),
    ];
    assert_eq!(
        draw(&spans),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  42.1 ms
└─ GET /orders/{id}  SERVER    42.1 ms  ▕████████████████████▏ 200
   ├─ load order     INTERNAL   3.0 ms  ▕██                  ▏
   ├─ GET            CLIENT    30.4 ms  ▕  ████████████████  ▏ 503 ✗ error.type=503  server.address=localhost:8080
   └─ charge card    INTERNAL   5.1 ms  ▕                 ███▏ ✗ cancelled
      └─ sign        INTERNAL    20 µs  ▕                 █  ▏
"
    );
}

#[test]
fn links_and_events_stand_below_their_span() {
    let mut consumer = span(1, 0, "process orders", (0, 10_000)).of_kind(SpanKind::Consumer);
    consumer
        .links
        .links
        .push(Link::with_context(span_context(0xabc, 0xdef)));
    consumer
        .events
        .events
        .push(Event::new("retry", at(1_200), Vec::new(), 0));
    let mut child = span(2, 1, "store", (5_000, 10_000));
    child
        .events
        .events
        .push(Event::new("locked", at(4_000), Vec::new(), 0));
    assert_eq!(
        draw(&[consumer, child]),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  10.0 ms
└─ process orders  CONSUMER  10.0 ms  ▕████████████████████▏
   │  ↪ link 00000000000000000000000000000abc/0000000000000def
   │  · +1.2 ms retry
   └─ store        INTERNAL   5.0 ms  ▕          ██████████▏
         · +0 µs locked
"
    );
}

#[test]
fn at_most_ten_links_and_ten_events_are_listed() {
    let mut root = span(1, 0, "batch", (0, 1_000));
    for index in 1..=12 {
        root.links
            .links
            .push(Link::with_context(span_context(0xabc, index)));
    }
    for index in 0..11 {
        root.events
            .events
            .push(Event::new("tick", at(index * 100), Vec::new(), 0));
    }
    let text = draw(&[root]);
    let count = |needle: &str| text.lines().filter(|line| line.contains(needle)).count();
    assert_eq!(
        (count("↪ link "), count("· +"), text.lines().count()),
        (10, 10, 24)
    );
    assert_eq!(
        (
            count("      … 2 more links"),
            count("      … 1 more events")
        ),
        (1, 1)
    );
}

#[test]
fn a_remote_parent_is_named() {
    let root = span(1, 0x00f0_67aa_0ba9_02b7, "GET /", (0, 1_000))
        .of_kind(SpanKind::Server)
        .with_remote_parent();
    assert_eq!(
        draw(&[root]),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.0 ms
└─ GET /  SERVER    1.0 ms  ▕████████████████████▏  (remote parent 00f067aa0ba902b7)
"
    );
}

#[test]
fn a_remote_parent_in_the_same_process_is_a_parent() {
    let client = span(1, 0, "GET", (0, 1_000)).of_kind(SpanKind::Client);
    let server = span(2, 1, "GET /", (0, 1_000))
        .of_kind(SpanKind::Server)
        .with_remote_parent();
    assert_eq!(
        draw(&[server, client]),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.0 ms
└─ GET       CLIENT    1.0 ms  ▕████████████████████▏
   └─ GET /  SERVER    1.0 ms  ▕████████████████████▏
"
    );
}

#[test]
fn children_of_a_missing_parent_hang_together() {
    let spans = [
        span(2, 9, "first", (0, 1_000)),
        span(3, 8, "other", (500, 1_000)),
        span(4, 9, "second", (600, 2_000)),
    ];
    let options = TreeOptions {
        service_name: None,
        completeness: Completeness::RootMissing,
        ..PLAIN
    };
    assert_eq!(
        render(&spans, options),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  2.0 ms  (incomplete: root has not ended)
├─ … 0000000000000009
│  ├─ first            INTERNAL  1.0 ms  ▕██████████          ▏
│  └─ second           INTERNAL  1.4 ms  ▕      ██████████████▏
└─ … 0000000000000008
   └─ other            INTERNAL  500 µs  ▕     █████          ▏
"
    );
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let mut root = span(1, 0, "a\u{1b}[2Jb\nc", (0, 1_000))
        .with_error("d\u{1b}[31m\r")
        .with_attributes([
            KeyValue::new("tenant\u{7}", "x\u{1b}]0;t\u{7}"),
            KeyValue::new("error.type", "e\u{9b}"),
        ]);
    root.events
        .events
        .push(Event::new("f\u{1b}", at(0), Vec::new(), 0));
    let options = TreeOptions {
        service_name: Some("s\u{1b}"),
        ..PLAIN
    };
    assert_eq!(
        render(&[root], options),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  s\\u{1b}  1.0 ms
└─ a\\u{1b}[2Jb\\nc  INTERNAL  1.0 ms  ▕████████████████████▏ ✗ d\\u{1b}[31m\\r error.type=e\\u{9b}  tenant\\u{7}=x\\u{1b}]0;t\\u{7}
      · +0 µs f\\u{1b}
"
    );
}

#[test]
fn a_circle_of_parents_is_drawn_once() {
    let spans = [
        span(1, 2, "a", (0, 1_000)),
        span(2, 1, "b", (0, 1_000)),
        span(3, 3, "self", (0, 1_000)),
    ];
    assert_eq!(
        draw(&spans),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.0 ms
├─ a     INTERNAL  1.0 ms  ▕████████████████████▏
│  └─ b  INTERNAL  1.0 ms  ▕████████████████████▏
└─ self  INTERNAL  1.0 ms  ▕████████████████████▏
"
    );
}

#[test]
fn a_span_id_used_twice_is_drawn_twice() {
    let spans = [
        span(1, 0, "one", (0, 1_000)),
        span(1, 0, "two", (1, 1_000)),
        span(2, 1, "child", (2, 1_000)),
    ];
    assert_eq!(
        draw(&spans),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.0 ms
├─ one       INTERNAL  1.0 ms  ▕████████████████████▏
│  └─ child  INTERNAL  998 µs  ▕████████████████████▏
└─ two       INTERNAL  999 µs  ▕████████████████████▏
"
    );
}

#[test]
fn a_deep_chain_keeps_every_span_at_a_bounded_width() {
    let spans: Vec<SpanData> = (1..=10_000)
        .map(|id| span(id, id - 1, "x", (id, 20_000)))
        .collect();
    let text = draw(&spans);
    assert_eq!(text.lines().count(), 10_001);
    let indent = |line: &str| line.chars().position(|character| character == 'x');
    let indents: Vec<Option<usize>> = text.lines().skip(1).map(indent).collect();
    let expected: Vec<Option<usize>> = (0..10_000)
        .map(|depth: usize| Some(3 * depth.min(32) + 3))
        .collect();
    assert_eq!(indents, expected);
}

#[test]
fn a_clock_that_went_backwards_gives_zero() {
    assert_eq!(
        draw(&[span(1, 0, "odd", (1_000, 0))]),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  0 µs
└─ odd  INTERNAL  0 µs  ▕█                   ▏
"
    );
}

#[test]
fn colour_marks_title_kind_and_errors() {
    let root = span(1, 0, "GET", (0, 1_000))
        .with_error("")
        .with_attributes([KeyValue::new("error.type", "500")]);
    let child =
        span(2, 1, "x", (0, 1_000)).with_attributes([KeyValue::new("error.type", "cancelled")]);
    let options = TreeOptions {
        color: true,
        ..PLAIN
    };
    assert_eq!(
        render(&[root, child], options),
        "\
\u{1b}[1mtrace 4bf92f3577b34da6a3ce929d0e0e4736  orders\u{1b}[0m  1.0 ms
└─ GET   \u{1b}[2mINTERNAL\u{1b}[0m  1.0 ms  ▕████████████████████▏ \u{1b}[31m✗ error.type=500\u{1b}[0m
   └─ x  \u{1b}[2mINTERNAL\u{1b}[0m  1.0 ms  ▕████████████████████▏ \u{1b}[33m✗ cancelled\u{1b}[0m
"
    );
}

/// The text behind the bar of a span with these attributes.
fn details_of<const COUNT: usize>(
    kind: SpanKind,
    name: &'static str,
    attributes: [KeyValue; COUNT],
) -> String {
    details(
        &span(1, 0, name, (0, 1))
            .of_kind(kind)
            .with_attributes(attributes),
        false,
    )
}

#[test]
fn each_kind_shows_what_its_name_lacks() {
    let address = || KeyValue::new("server.address", "db.example");
    let texts = [
        details_of(
            SpanKind::Server,
            "GET",
            [KeyValue::new("url.path", "/nowhere"), address()],
        ),
        details_of(
            SpanKind::Client,
            "GET",
            [KeyValue::new("url.full", "http://a.example/x"), address()],
        ),
        details_of(
            SpanKind::Client,
            "GET /x/{id}",
            [
                KeyValue::new("url.template", "/x/{id}"),
                KeyValue::new("url.full", "http://a.example/x/1"),
                address(),
            ],
        ),
        details_of(
            SpanKind::Client,
            "SELECT orders",
            [
                KeyValue::new("db.query.summary", "SELECT orders"),
                address(),
            ],
        ),
        details_of(
            SpanKind::Client,
            "query",
            [KeyValue::new("db.query.summary", "SELECT orders")],
        ),
        details_of(
            SpanKind::Producer,
            "send",
            [KeyValue::new("messaging.destination.name", "orders")],
        ),
        details_of(
            SpanKind::Client,
            "shop.Cart/Add",
            [KeyValue::new("rpc.response.status_code", "OK")],
        ),
        details_of(
            SpanKind::Internal,
            "work",
            [address(), KeyValue::new("code.function.name", "work")],
        ),
    ];
    assert_eq!(
        texts,
        [
            "url.path=/nowhere",
            "url.full=http://a.example/x",
            "server.address=db.example",
            "server.address=db.example",
            "db.query.summary=SELECT orders",
            "messaging.destination.name=orders",
            "OK",
            "",
        ]
    );
}

#[test]
fn at_most_five_attributes_of_the_user_are_shown_and_cut() {
    let tags = Value::Array(Array::String(vec![
        StringValue::from("a"),
        StringValue::from("b"),
    ]));
    let text = details_of(
        SpanKind::Internal,
        "work",
        [
            KeyValue::new("tenant", "acme"),
            KeyValue::new("thread.id", 4),
            KeyValue::new("busy_ns", 17),
            KeyValue::new("target", "orders"),
            KeyValue::new("app.items", 3),
            KeyValue::new("note", "n".repeat(61)),
            KeyValue::new("tags", tags),
            KeyValue::new("ratio", 0.5),
            KeyValue::new("sixth", true),
            KeyValue::new("seventh", true),
        ],
    );
    assert_eq!(
        text,
        format!(
            "tenant=acme  app.items=3  note={}…  tags=[\"a\",\"b\"]  ratio=0.5  … 2 more",
            "n".repeat(59)
        )
    );
}

#[test]
fn no_spans_give_no_text() {
    assert_eq!(draw(&[]), "");
}
