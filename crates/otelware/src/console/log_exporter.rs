//! OpenTelemetry log records as lines for people.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use opentelemetry::logs::AnyValue;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};

use super::log_line::{LogLine, field, string_field};
use super::output::{Output, lock};

/// Deeper nested values are shown as `…`.
const MAXIMUM_DEPTH: usize = 8;

/// Writes each log record as one line, in the shape of [`ConsoleLogFormat`](super::ConsoleLogFormat).
///
/// For programs whose logs reach OpenTelemetry without a `tracing` console layer (`OTEL_LOGS_EXPORTER=console`); with
/// both, every line appears twice.
///
/// # Errors
///
/// Exporting fails if the writer fails, and after shutdown.
#[derive(Clone, Debug)]
pub struct ConsoleLogExporter {
    output: Arc<Mutex<Output>>,
}

impl ConsoleLogExporter {
    /// Writes to the standard error; in colour if it is a terminal and `NO_COLOR` is unset or empty.
    pub fn new() -> Self {
        Self {
            output: Arc::new(Mutex::new(Output::stderr())),
        }
    }

    /// Writes to `writer`, without colour.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self {
            output: Arc::new(Mutex::new(Output::to_writer(writer))),
        }
    }

    /// Switches colour on or off, whatever the output is.
    #[must_use]
    pub fn with_color(self, color: bool) -> Self {
        lock(&self.output).color = color;
        self
    }
}

impl Default for ConsoleLogExporter {
    fn default() -> Self {
        Self::new()
    }
}

impl LogExporter for ConsoleLogExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let mut output = lock(&self.output);
        output.ensure_running()?;
        let color = output.color;
        let lines: String = batch
            .iter()
            .map(|(record, scope)| line(record, scope.name()).render(color) + "\n")
            .collect();
        output.write(&lines)
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        lock(&self.output).shut_down()
    }
}

fn line(record: &SdkLogRecord, scope_name: &str) -> LogLine {
    let severity_name = record.severity_number().map(|severity| severity.name());
    let message = match record.body() {
        Some(AnyValue::String(body)) => body.as_str().to_owned(),
        Some(body) => text(body, 0),
        None => record.event_name().unwrap_or_default().to_owned(),
    };
    LogLine {
        time: record
            .timestamp()
            .or(record.observed_timestamp())
            .unwrap_or(SystemTime::UNIX_EPOCH),
        level: record.severity_text().or(severity_name).unwrap_or("-"),
        span: record
            .trace_context()
            .map(|context| (context.trace_id, context.span_id)),
        target: record
            .target()
            .map_or(scope_name, |target| target.as_ref())
            .to_owned(),
        message,
        fields: record
            .attributes_iter()
            .map(|(key, value)| attribute(key.as_str(), value))
            .collect(),
    }
}

fn attribute(key: &str, value: &AnyValue) -> String {
    match value {
        AnyValue::String(value) => string_field(key, value.as_str()),
        value => field(key, &text(value, 0)),
    }
}

/// Like JSON, except that bytes are hexadecimal. Keys are sorted, for the map has no order of its own.
fn text(value: &AnyValue, depth: usize) -> String {
    if depth > MAXIMUM_DEPTH {
        return "…".to_owned();
    }
    match value {
        AnyValue::Int(value) => value.to_string(),
        AnyValue::Double(value) => value.to_string(),
        AnyValue::Boolean(value) => value.to_string(),
        AnyValue::String(value) => format!("{:?}", value.as_str()),
        AnyValue::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        AnyValue::ListAny(values) => {
            let items: Vec<String> = values.iter().map(|value| text(value, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        AnyValue::Map(entries) => {
            let mut items: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{key}: {}", text(value, depth + 1)))
                .collect();
            items.sort();
            format!("{{{}}}", items.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
