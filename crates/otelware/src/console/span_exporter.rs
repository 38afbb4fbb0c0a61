//! The exporter that draws traces.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceId;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::output::{Output, lock};
use super::trace_buffer::{Limits, Release, TraceBuffer};
use super::tree::{TreeOptions, render};

/// Writes each trace as a tree: durations, kinds, a waterfall, errors and key attributes.
///
/// ```text
/// trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  42.1 ms
/// └─ GET /orders/{id}  SERVER    42.1 ms  ▕████████████████████▏ 200
///    ├─ load order     INTERNAL   3.0 ms  ▕██                  ▏
///    └─ GET            CLIENT    30.4 ms  ▕   ███████████████  ▏ 503 ✗ error.type=503  server.address=localhost:8080
/// ```
///
/// A trace is printed once its local root has ended: the span without a parent, or with a remote one. Spans of the
/// trace that end later follow under the same trace id, marked `(continued)`. A trace whose root does not end within
/// [`with_root_timeout`](Self::with_root_timeout) of its first span is printed without it as soon as other spans are
/// exported, and so are the oldest traces when more than 1,000 traces or 10,000 spans wait.
///
/// Clones share one buffer and one writer. The span processors of the SDK pass shutdown on, but not `force_flush`, and
/// they tell nothing of spans that start: a [`ConsoleSpanProcessor`](super::ConsoleSpanProcessor) does both.
///
/// # Errors
///
/// Exporting fails if the writer fails, and after shutdown.
#[derive(Clone, Debug)]
pub struct ConsoleSpanExporter {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    output: Output,
    buffer: TraceBuffer,
}

impl ConsoleSpanExporter {
    /// Writes to the standard output; in colour if it is a terminal and `NO_COLOR` is unset or empty.
    pub fn new() -> Self {
        Self::with_output(Output::stdout())
    }

    /// Writes to `writer`, without colour.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::with_output(Output::to_writer(writer))
    }

    /// Switches colour on or off, whatever the output is.
    #[must_use]
    pub fn with_color(self, color: bool) -> Self {
        lock(&self.state).output.color = color;
        self
    }

    /// How long spans wait for the local root of their trace; 5 seconds by default.
    #[must_use]
    pub fn with_root_timeout(self, timeout: Duration) -> Self {
        lock(&self.state).buffer.limits.age = timeout;
        self
    }

    fn with_output(output: Output) -> Self {
        let buffer = TraceBuffer::new(Limits::default());
        Self {
            state: Arc::new(Mutex::new(State { output, buffer })),
        }
    }

    pub(super) fn started(&self, trace_id: TraceId) {
        lock(&self.state).buffer.started(trace_id);
    }

    pub(super) fn ended(&self, span: SpanData) -> OTelSdkResult {
        let trace_id = span.span_context.trace_id();
        lock(&self.state).buffer.ended(trace_id);
        if span.span_context.is_sampled() {
            self.export_at(vec![span], Instant::now())
        } else {
            Ok(())
        }
    }

    fn export_at(&self, batch: Vec<SpanData>, now: Instant) -> OTelSdkResult {
        let mut state = lock(&self.state);
        state.output.ensure_running()?;
        let releases = state.buffer.accept(batch, now);
        state.print(&releases)
    }
}

impl Default for ConsoleSpanExporter {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn print(&mut self, releases: &[Release]) -> OTelSdkResult {
        let text: String = releases
            .iter()
            .map(|release| {
                let options = TreeOptions {
                    service_name: self.output.service_name.as_deref(),
                    color: self.output.color,
                    completeness: release.completeness,
                };
                render(&release.spans, options)
            })
            .collect();
        self.output.write(&text)
    }

    fn print_all(&mut self) -> OTelSdkResult {
        let releases = self.buffer.drain();
        self.print(&releases)
    }
}

impl SpanExporter for ConsoleSpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.export_at(batch, Instant::now())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        let mut state = lock(&self.state);
        state.output.shut_down()?;
        state.print_all()
    }

    fn force_flush(&self) -> OTelSdkResult {
        let mut state = lock(&self.state);
        state.output.ensure_running()?;
        state.print_all()
    }

    fn set_resource(&mut self, resource: &Resource) {
        lock(&self.state).output.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
