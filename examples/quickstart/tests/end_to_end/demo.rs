//! The program without arguments: what a newcomer sees first.

use std::collections::{BTreeMap, BTreeSet};

use otelware_testing::EndedProgram;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::{OtlpReceiver, Received};

use crate::process::start;

const SECRET: &str = "s3cr3t";
const KINDS: [&str; 3] = ["  SERVER  ", "  CLIENT  ", "  INTERNAL  "];

/// The demo, which exports besides what it prints.
fn demo(receiver: &OtlpReceiver) -> EndedProgram {
    start(
        &[],
        &[
            ("OTEL_TRACES_EXPORTER", "console,otlp"),
            ("OTEL_LOGS_EXPORTER", "console,otlp"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
        ],
    )
    .end()
    .assert_success()
}

/// The traces as indented text, in the order of their first spans.
fn trees(received: &Received) -> Vec<String> {
    let mut spans = received.spans();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let is_root = |span: &&&Span| {
        let parent = |other: &&Span| other.span_id == span.parent_span_id;
        !spans.iter().any(parent)
    };
    let roots = spans.iter().filter(is_root);
    roots.map(|root| tree(root, &spans, 0)).collect()
}

fn tree(span: &Span, spans: &[&Span], depth: usize) -> String {
    let kind = span.kind().as_str_name().replace("SPAN_KIND_", "");
    let mut text = format!("{:1$}{kind} {2}\n", "", depth * 2, span.name);
    for child in spans
        .iter()
        .filter(|other| other.parent_span_id == span.span_id)
    {
        text.push_str(&tree(child, spans, depth + 1));
    }
    text
}

#[test]
fn the_demo_tells_seven_requests() {
    let receiver = OtlpReceiver::http();
    demo(&receiver);
    assert_eq!(
        trees(&receiver.received()),
        [
            "SERVER GET /orders/{id}\n  CLIENT GET /stock/{id}\n    SERVER GET /stock/{id}\n",
            "SERVER GET /orders/{id}\n  CLIENT GET /stock/{id}\n    SERVER GET /stock/{id}\n",
            "SERVER POST /orders/{id}/pay\n  INTERNAL charge card\n  INTERNAL print receipt\n",
            "SERVER POST /orders/{id}/pay\n  INTERNAL charge card\n",
            "SERVER GET /report\n  INTERNAL collect orders\n  INTERNAL sum up\n",
            "SERVER GET /bug\n",
            "SERVER GET\n",
        ]
    );
}

/// A line of a span without its branch, duration and bar, without the ids and the port that differ every time.
fn span_line(line: &str) -> Option<String> {
    let line = line.trim_start_matches([' ', '│', '├', '└', '─']);
    let kind = KINDS.iter().find(|kind| line.contains(**kind))?;
    let (name, rest) = line.split_once(kind)?;
    let (_, after_bar) = rest.rsplit_once('▏')?;
    let after_bar = after_bar.split("  (remote parent ").next()?;
    Some(format!(
        "{} {}{}",
        name.trim_end(),
        kind.trim(),
        without_port(after_bar)
    ))
}

fn without_port(text: &str) -> String {
    let after = |text: &str, marker: &str| match text.split_once(marker) {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{marker}#{rest}")
        }
        None => text.to_owned(),
    };
    after(&after(text, "127.0.0.1:"), "server.port=")
}

/// The lines of spans by trace, sorted: which of two processes' sides ends first is not settled.
fn printed_traces(stdout: &str) -> BTreeSet<Vec<String>> {
    let mut traces: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut current = "";
    for line in stdout
        .lines()
        .take_while(|line| !line.starts_with("metrics "))
    {
        match line.strip_prefix("trace ") {
            Some(header) => current = header.split(' ').next().unwrap(),
            None => traces.entry(current).or_default().extend(span_line(line)),
        }
    }
    traces
        .into_values()
        .map(|mut lines| {
            lines.sort();
            lines
        })
        .collect()
}

#[test]
fn the_demo_prints_every_span_with_what_matters() {
    let ended = demo(&OtlpReceiver::http());
    let expected = [
        &[
            "GET /orders/{id} SERVER 200",
            "GET /stock/{id} CLIENT 200  server.address=127.0.0.1:#",
            "GET /stock/{id} SERVER 200",
        ][..],
        &[
            "GET /orders/{id} SERVER 502 ✗ error.type=502",
            "GET /stock/{id} CLIENT 500 ✗ error.type=500  server.address=127.0.0.1:#",
            "GET /stock/{id} SERVER 500 ✗ error.type=500",
        ],
        &[
            "POST /orders/{id}/pay SERVER 200",
            "charge card INTERNAL shop.order=8",
            "print receipt INTERNAL shop.order=8",
        ],
        &[
            "POST /orders/{id}/pay SERVER 402",
            "charge card INTERNAL ✗ error.type=CardDeclined  shop.order=13",
        ],
        &[
            "GET /report SERVER 200",
            "collect orders INTERNAL",
            "sum up INTERNAL",
        ],
        &["GET /bug SERVER 500 ✗ error.type=500"],
        &["GET SERVER 404  url.path=/nowhere"],
    ];
    let expected: BTreeSet<Vec<String>> = expected
        .iter()
        .map(|lines| lines.iter().map(|line| (*line).to_owned()).collect())
        .collect();
    assert_eq!(printed_traces(&ended.stdout), expected);
}

/// The summary of the metrics by instrument: of each row the count and the attributes.
fn printed_metrics(stdout: &str) -> BTreeMap<String, Vec<String>> {
    let mut metrics: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut instrument = String::new();
    let summary = stdout
        .lines()
        .skip_while(|line| !line.starts_with("metrics "));
    for line in summary.skip(1).filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["count", "mean", "p50", "p95", "max"] => {}
            [count, _mean, _p50, _p95, _max, attributes @ ..] => {
                let row = without_port(&format!("{count} {}", attributes.join(" ")));
                metrics.entry(instrument.clone()).or_default().push(row);
            }
            words => instrument = words.join(" "),
        }
    }
    metrics
}

#[test]
fn the_demo_prints_the_metrics() {
    let ended = demo(&OtlpReceiver::http());
    let server = |method: &str, status: u16, route: &str| {
        let error = if status >= 500 {
            format!("error.type={status} ")
        } else {
            String::new()
        };
        format!(
            "1 {error}http.request.method={method} http.response.status_code={status} \
             {route}network.protocol.version=1.1 url.scheme=http"
        )
    };
    let client = |status: &str| {
        format!(
            "1 {status} network.protocol.version=1.1 server.address=127.0.0.1 server.port=# \
             url.template=/stock/{{id}}"
        )
    };
    let expected = [
        (
            "http.client.request.duration histogram, s".to_owned(),
            vec![
                client("error.type=500 http.request.method=GET http.response.status_code=500"),
                client("http.request.method=GET http.response.status_code=200"),
            ],
        ),
        (
            "http.server.request.duration histogram, s".to_owned(),
            vec![
                server("GET", 500, "http.route=/bug "),
                server("GET", 500, "http.route=/stock/{id} "),
                server("GET", 502, "http.route=/orders/{id} "),
                server("GET", 200, "http.route=/orders/{id} "),
                server("GET", 200, "http.route=/report "),
                server("GET", 200, "http.route=/stock/{id} "),
                server("GET", 404, ""),
                server("POST", 200, "http.route=/orders/{id}/pay "),
                server("POST", 402, "http.route=/orders/{id}/pay "),
            ],
        ),
    ];
    assert_eq!(printed_metrics(&ended.stdout), BTreeMap::from(expected));
}

#[test]
fn a_secret_in_a_query_is_nowhere() {
    let receiver = OtlpReceiver::http();
    let ended = demo(&receiver);
    let received = receiver.received();
    let exported = format!("{received:?}");
    for text in [&ended.stdout, &ended.stderr, &exported] {
        assert!(!text.contains(SECRET), "{text}");
    }
    // The query was there.
    let report = received
        .spans()
        .into_iter()
        .find(|span| span.name == "GET /report")
        .unwrap();
    assert!(
        format!("{report:?}").contains("token=REDACTED"),
        "{report:?}"
    );
}
