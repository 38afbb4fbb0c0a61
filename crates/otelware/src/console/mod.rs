//! Traces, metrics and logs for people: readable text on the terminal.
//!
//! - [`ConsoleSpanExporter`] draws each trace as a tree with durations, kinds, errors and key attributes.
//! - [`ConsoleMetricExporter`] prints a compact table of the current values.
//! - [`ConsoleLogFormat`] formats `tracing` events as single lines that carry the trace id and span id.
//! - [`ConsoleLogExporter`] prints OpenTelemetry log records in the same shape.
//! - [`histogram_quantile`] estimates as the table of metrics does.
//!
//! Names and values come from outside, so control characters are always escaped: no telemetry can move the cursor,
//! change colours or forge a line. The text is made for reading and may change in any release; do not parse it.

mod attributes;
mod forest;
mod log_exporter;
mod log_format;
mod log_line;
mod metric_exporter;
mod metric_summary;
mod output;
mod quantile;
mod span_exporter;
mod span_processor;
mod text;
mod trace_buffer;
mod tree;

pub use log_exporter::ConsoleLogExporter;
pub use log_format::ConsoleLogFormat;
pub use metric_exporter::ConsoleMetricExporter;
pub use quantile::histogram_quantile;
pub use span_exporter::ConsoleSpanExporter;
pub use span_processor::ConsoleSpanProcessor;

#[cfg(test)]
mod test_support;
