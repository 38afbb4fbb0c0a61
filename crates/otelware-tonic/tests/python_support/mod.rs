//! Python's side: its interpreter, and the spans that it prints.

mod service;

use otelware::opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use otelware_testing::SpanIdentity;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tokio::process::Command;

pub(crate) use service::{BytesCodec, Interop, METHODS};

/// The status of `scripts/python-grpc` where there is no Python, or nowhere to install from.
const NOT_HERE: i32 = 77;

/// Python that runs a script of `tests/python`, or none where that cannot be; what the reason is, is printed.
pub(crate) async fn python(script: &str) -> Option<Command> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let environment = Command::new(package.join("../../scripts/python-grpc"))
        .output()
        .await
        .expect("the script runs");
    eprint!("{}", String::from_utf8_lossy(&environment.stderr));
    if environment.status.code() == Some(NOT_HERE) {
        eprintln!("skipped: there is no Python with gRPC here (see above)");
        return None;
    }
    assert!(environment.status.success(), "{}", environment.status);
    let interpreter = String::from_utf8(environment.stdout).unwrap();
    let mut command = Command::new(interpreter.trim_end());
    command
        .arg("-I")
        .arg(package.join("tests/python").join(script))
        .kill_on_drop(true);
    // Both sides have their defaults.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    Some(command)
}

/// A span of Python's SDK.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PythonSpan {
    pub(crate) kind: String,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent_span_id: Option<SpanId>,
    /// What its handler found.
    pub(crate) baggage: BTreeMap<String, String>,
}

impl SpanIdentity for PythonSpan {
    fn span_context(&self) -> SpanContext {
        let (flags, state) = (TraceFlags::SAMPLED, TraceState::NONE);
        SpanContext::new(self.trace_id, self.span_id, flags, true, state)
    }
}

/// The spans that Python printed, one JSON object a line, by their names.
///
/// # Panics
///
/// If a line is something else, or two spans have the same name.
pub(crate) fn spans(printed: &str) -> BTreeMap<String, PythonSpan> {
    let mut spans = BTreeMap::new();
    for line in printed.lines() {
        let span: Value = serde_json::from_str(line).expect(line);
        let name = text(&span["name"]);
        assert_eq!(spans.insert(name, read(&span)), None, "{printed}");
    }
    spans
}

fn read(span: &Value) -> PythonSpan {
    let parent = &span["parent_id"];
    let attributes = span["attributes"].as_object().expect("attributes");
    let baggage = attributes.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix("baggage.")?;
        Some((key.to_owned(), text(value)))
    });
    PythonSpan {
        kind: text(&span["kind"]),
        trace_id: TraceId::from_hex(digits(&span["context"]["trace_id"])).unwrap(),
        span_id: SpanId::from_hex(digits(&span["context"]["span_id"])).unwrap(),
        parent_span_id: (!parent.is_null()).then(|| SpanId::from_hex(digits(parent)).unwrap()),
        baggage: baggage.collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn digits(id: &Value) -> &str {
    let id = id.as_str().expect("an id");
    id.strip_prefix("0x").expect("an id in hexadecimal")
}
