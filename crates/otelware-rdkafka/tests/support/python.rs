//! Python's side: its interpreter, and the spans that it prints.

use otelware_rdkafka::otelware::opentelemetry::trace::{
    SpanContext, SpanId, TraceFlags, TraceId, TraceState,
};
use otelware_testing::SpanIdentity;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The status of `scripts/python-environment` where there is no Python, or nowhere to install from.
const NOT_HERE: i32 = 77;

/// A span as Python's SDK prints it.
#[derive(Debug)]
pub(crate) struct PythonSpan(Value);

impl PythonSpan {
    /// The text there, or nothing.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.0.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    fn ids(&self, context: &str) -> SpanContext {
        let id = |name: &str| {
            let id = self.text(&format!("{context}/{name}"));
            id.strip_prefix("0x").expect("an id in hexadecimal")
        };
        let trace = TraceId::from_hex(id("trace_id")).unwrap();
        let span = SpanId::from_hex(id("span_id")).unwrap();
        SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
    }

    /// The span's only link, by its ids.
    pub(crate) fn link(&self) -> (TraceId, SpanId) {
        let links = self.0.pointer("/links").and_then(Value::as_array);
        assert_eq!(links.map(Vec::len), Some(1), "{self:?}");
        let link = self.ids("/links/0/context");
        (link.trace_id(), link.span_id())
    }

    pub(crate) fn assert_child_of(&self, parent: &Self) {
        let parent_id = self.text("/parent_id");
        assert_eq!(parent_id, parent.text("/context/span_id"), "{self:?}");
        let trace = parent.span_context().trace_id();
        assert_eq!(self.span_context().trace_id(), trace, "{self:?}");
    }
}

impl SpanIdentity for PythonSpan {
    fn span_context(&self) -> SpanContext {
        self.ids("/context")
    }
}

/// The spans of a script, which it printed.
#[derive(Debug)]
pub(crate) struct PythonSpans(Vec<PythonSpan>);

impl PythonSpans {
    /// The span with the name, of which there is one.
    pub(crate) fn named(&self, name: &str) -> &PythonSpan {
        let mut found = self.0.iter().filter(|span| span.text("/name") == name);
        let only = found.next().filter(|_| found.next().is_none());
        only.unwrap_or_else(|| panic!("not one {name}: {:?}", self.0))
    }
}

/// Runs a script of `tests/python`, and gives the spans that it prints; none where that cannot be.
/// What the reason is, is printed.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Option<PythonSpans> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut environment = Command::new(package.join("../../scripts/python-environment"));
    let environment = environment.args(["otelware-rdkafka", "confluent_kafka"]);
    let environment = environment.output().expect("the script runs");
    eprint!("{}", String::from_utf8_lossy(&environment.stderr));
    if environment.status.code() == Some(NOT_HERE) {
        eprintln!("skipped: there is no Python with confluent-kafka here (see above)");
        return None;
    }
    assert!(environment.status.success(), "{}", environment.status);
    let interpreter = String::from_utf8(environment.stdout).unwrap();
    let mut command = Command::new(interpreter.trim_end());
    // Neither side has any setting of the environment's, and nothing is left in the sources.
    command
        .args(["-B", "-E", "-s"])
        .arg(package.join("tests/python").join(script))
        .args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    let output = command.output().expect("Python runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", output.status);
    let printed = String::from_utf8(output.stdout).unwrap();
    let spans = printed
        .lines()
        .map(|line| PythonSpan(serde_json::from_str(line).expect("JSON")));
    Some(PythonSpans(spans.collect()))
}
