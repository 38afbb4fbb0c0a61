//! What a receiver has been sent.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;

/// Everything a receiver has been sent so far, in the order of arrival.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Received {
    /// The accepted exports of traces.
    pub traces: Vec<ExportTraceServiceRequest>,
    /// The accepted exports of logs.
    pub logs: Vec<ExportLogsServiceRequest>,
    /// The accepted exports of metrics.
    pub metrics: Vec<ExportMetricsServiceRequest>,
    /// The requests that carried them, and those that were not accepted.
    pub requests: Vec<ReceivedRequest>,
}

/// A request without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The path over HTTP; `traces`, `logs` or `metrics` over gRPC.
    pub path: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl ReceivedRequest {
    /// The values of a header, whose name is given in lower case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

impl Received {
    /// All spans.
    pub fn spans(&self) -> Vec<&Span> {
        self.traces
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .collect()
    }

    /// The names of all spans, sorted.
    pub fn span_names(&self) -> Vec<String> {
        sorted(self.spans().into_iter().map(|span| &span.name))
    }

    /// All log records.
    pub fn log_records(&self) -> Vec<&LogRecord> {
        self.logs
            .iter()
            .flat_map(|request| &request.resource_logs)
            .flat_map(|resource| &resource.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .collect()
    }

    /// The names of all metrics, once for each export that has them.
    pub fn metric_names(&self) -> Vec<String> {
        self.metrics
            .iter()
            .flat_map(|request| &request.resource_metrics)
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics)
            .map(|metric| metric.name.clone())
            .collect()
    }

    /// The paths of all requests, sorted.
    pub fn paths(&self) -> Vec<String> {
        sorted(self.requests.iter().map(|request| &request.path))
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    names.sort();
    names
}
