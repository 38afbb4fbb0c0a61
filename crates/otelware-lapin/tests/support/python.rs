//! Python's side: its interpreter, and the spans that it prints.

use super::support::url;
use otelware_lapin::otelware::opentelemetry::trace::{
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

    fn id(&self, pointer: &str) -> &str {
        let id = self.text(pointer).strip_prefix("0x");
        id.expect("an id in hexadecimal")
    }

    /// Asserts that its parent is this span, be that of this side or of Python's.
    #[track_caller]
    pub(crate) fn assert_child_of(&self, parent: &impl SpanIdentity) {
        let parent = parent.span_context();
        let ids = (self.id("/context/trace_id"), self.id("/parent_id"));
        let (trace, span) = (parent.trace_id().to_string(), parent.span_id().to_string());
        assert_eq!(ids, (trace.as_str(), span.as_str()), "{self:?}");
    }
}

impl SpanIdentity for PythonSpan {
    fn span_context(&self) -> SpanContext {
        let trace = TraceId::from_hex(self.id("/context/trace_id")).unwrap();
        let span = SpanId::from_hex(self.id("/context/span_id")).unwrap();
        SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
    }
}

/// The spans of a script, which it printed.
#[derive(Debug)]
pub(crate) struct PythonSpans(Vec<PythonSpan>);

impl PythonSpans {
    /// The span with the name, of which there is one.
    #[track_caller]
    pub(crate) fn named(&self, name: &str) -> &PythonSpan {
        let mut found = self.0.iter().filter(|span| span.text("/name") == name);
        let only = found.next().filter(|_| found.next().is_none());
        only.unwrap_or_else(|| panic!("not one {name}: {:?}", self.0))
    }

    /// The two spans of a message that was sent: pika's instrumentation makes one of the blocking
    /// channel, and within it one of the channel beneath, whose context the message has.
    #[track_caller]
    pub(crate) fn sent(&self, name: &str) -> [&PythonSpan; 2] {
        let found: Vec<_> = (self.0.iter())
            .filter(|span| span.text("/name") == name)
            .collect();
        let [inner, outer] = found[..] else {
            panic!("not two {name}: {:?}", self.0);
        };
        inner.assert_child_of(outer);
        assert_eq!(inner.text("/kind"), "SpanKind.PRODUCER");
        [outer, inner]
    }
}

/// Runs a script of `tests/python` with the broker's URL and these arguments, and gives the spans
/// that it prints; none where that cannot be. What the reason is, is printed.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Option<PythonSpans> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut environment = Command::new(package.join("../../scripts/python-environment"));
    let environment = environment.args(["otelware-lapin", "pika"]);
    let environment = environment.output().expect("the script runs");
    eprint!("{}", String::from_utf8_lossy(&environment.stderr));
    if environment.status.code() == Some(NOT_HERE) {
        eprintln!("skipped: there is no Python with pika here (see above)");
        return None;
    }
    assert!(environment.status.success(), "{}", environment.status);
    let interpreter = String::from_utf8(environment.stdout).unwrap();
    let mut command = Command::new(interpreter.trim_end());
    // Neither side has any setting of the environment's, and nothing is left in the sources.
    command
        .args(["-B", "-E", "-s"])
        .arg(package.join("tests/python").join(script))
        .arg(url())
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
