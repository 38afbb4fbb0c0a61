//! Python on the other side: its interpreter, and the spans that its scripts print.

use crate::SpanIdentity;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The status of `scripts/python-environment` where there is no Python, or nowhere to install from.
const NOT_HERE: i32 = 77;

/// The Python of a crate's tests: an environment with what `tests/python/requirements.txt` names.
#[derive(Clone, Copy, Debug)]
pub struct Python {
    /// The crate's directory: `env!("CARGO_MANIFEST_DIR")`.
    pub directory: &'static str,
    /// The crate: `env!("CARGO_PKG_NAME")`.
    pub package: &'static str,
    /// The module that its scripts are about.
    pub module: &'static str,
}

impl Python {
    /// Runs a script of `tests/python`, and gives the spans that it prints, one JSON object a line;
    /// none where that cannot be. What the reason is, is printed.
    ///
    /// # Panics
    ///
    /// If the script fails, or prints something else.
    pub fn run(&self, script: &str, arguments: &[&str]) -> Option<PythonSpans> {
        let interpreter = self.interpreter()?;
        let mut command = Command::new(interpreter.trim_end());
        // Neither side has any setting of the environment's, and nothing is left in the sources.
        command
            .args(["-B", "-E", "-s"])
            .arg(Path::new(self.directory).join("tests/python").join(script))
            .args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("OTEL_") {
                command.env_remove(name);
            }
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{interpreter} does not run: {error}"));
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {complaints}", output.status);
        let printed = String::from_utf8_lossy(&output.stdout);
        let spans = printed.lines().map(|line| {
            let span = serde_json::from_str(line);
            PythonSpan(span.unwrap_or_else(|error| panic!("{error}: {line}")))
        });
        Some(PythonSpans(spans.collect()))
    }

    fn interpreter(&self) -> Option<String> {
        let script = Path::new(self.directory).join("../../scripts/python-environment");
        let environment = Command::new(&script)
            .args([self.package, self.module])
            .output()
            .unwrap_or_else(|error| panic!("{} does not run: {error}", script.display()));
        let said = String::from_utf8_lossy(&environment.stderr);
        let status = environment.status;
        if status.code() == Some(NOT_HERE) {
            eprintln!(
                "{said}skipped: there is no Python with {} here (see above)",
                self.module
            );
            return None;
        }
        assert!(status.success(), "{status}: {said}");
        Some(String::from_utf8_lossy(&environment.stdout).into_owned())
    }
}

/// A span as Python's SDK prints it.
#[derive(Debug)]
pub struct PythonSpan(Value);

impl PythonSpan {
    /// The text at this place of the JSON (RFC 6901), such as `/kind`; else nothing.
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.0.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// The ids of the span's only link.
    ///
    /// # Panics
    ///
    /// If there is another number of them.
    #[track_caller]
    pub fn link(&self) -> (TraceId, SpanId) {
        let links = self.0.pointer("/links").and_then(Value::as_array);
        assert_eq!(links.map(Vec::len), Some(1), "{self:?}");
        let link = self.context("/links/0/context");
        (link.trace_id(), link.span_id())
    }

    /// Asserts that its parent is this span, be that of this side or of Python's.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn assert_child_of(&self, parent: &impl SpanIdentity) {
        let parent = parent.span_context();
        let ids = (self.id("/context/trace_id"), self.id("/parent_id"));
        let (trace, span) = (parent.trace_id().to_string(), parent.span_id().to_string());
        assert_eq!(ids, (trace.as_str(), span.as_str()), "{self:?}");
    }

    #[track_caller]
    fn id(&self, pointer: &str) -> &str {
        let id = self.text(pointer).strip_prefix("0x");
        id.unwrap_or_else(|| panic!("no id in hexadecimal at {pointer}: {self:?}"))
    }

    #[track_caller]
    fn context(&self, pointer: &str) -> SpanContext {
        let trace = TraceId::from_hex(self.id(&format!("{pointer}/trace_id")));
        let span = SpanId::from_hex(self.id(&format!("{pointer}/span_id")));
        let (Ok(trace), Ok(span)) = (trace, span) else {
            panic!("no ids at {pointer}: {self:?}");
        };
        SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
    }
}

impl SpanIdentity for PythonSpan {
    fn span_context(&self) -> SpanContext {
        self.context("/context")
    }
}

/// The spans of a script, in the order in which they ended.
#[derive(Debug)]
pub struct PythonSpans(Vec<PythonSpan>);

impl PythonSpans {
    /// The spans with the name.
    pub fn all_named(&self, name: &str) -> Vec<&PythonSpan> {
        let all = self.0.iter();
        all.filter(|span| span.text("/name") == name).collect()
    }

    /// The span with the name, of which there is one.
    ///
    /// # Panics
    ///
    /// If there is another number of them.
    #[track_caller]
    pub fn named(&self, name: &str) -> &PythonSpan {
        let [only] = self.all_named(name)[..] else {
            panic!("not one {name}: {:?}", self.0);
        };
        only
    }

    /// The only span that there is.
    ///
    /// # Panics
    ///
    /// If there is another number of them.
    #[track_caller]
    pub fn only(&self) -> &PythonSpan {
        let [only] = &self.0[..] else {
            panic!("not one span: {:?}", self.0);
        };
        only
    }
}
