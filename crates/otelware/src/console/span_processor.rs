//! The processor that knows which spans are open.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

use super::span_exporter::ConsoleSpanExporter;

/// Hands ended spans to a [`ConsoleSpanExporter`] at once, and tells it of those that start, so that a trace is drawn
/// when the last of its spans in this process has ended: whole, also where a service calls itself.
#[derive(Debug)]
pub struct ConsoleSpanProcessor {
    exporter: ConsoleSpanExporter,
}

impl ConsoleSpanProcessor {
    /// A processor for this exporter.
    pub const fn new(exporter: ConsoleSpanExporter) -> Self {
        Self { exporter }
    }
}

impl SpanProcessor for ConsoleSpanProcessor {
    fn on_start(&self, span: &mut Span, _: &Context) {
        self.exporter.started(span.span_context().trace_id());
    }

    fn on_end(&self, span: SpanData) {
        if let Err(error) = self.exporter.ended(span) {
            tracing::debug!(%error, "the console takes no spans");
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        SpanExporter::force_flush(&self.exporter)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        SpanExporter::shutdown_with_timeout(&self.exporter, timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        SpanExporter::set_resource(&mut self.exporter, resource);
    }
}
