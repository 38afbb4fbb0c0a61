//! How exporting goes.

/// How exporting goes, for each signal that goes to OTLP; from [`Telemetry::health`](super::Telemetry::health).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Spans.
    pub spans: SignalHealth,
    /// Log records.
    pub logs: SignalHealth,
    /// Collections of metrics: one for each export interval, with all metrics in it.
    pub metrics: SignalHealth,
}

/// Counts since the set-up. Every item that was ended is in exactly one of the four counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalHealth {
    /// Items of requests the endpoint has accepted. Those it rejected in a partial success are among them: the exporter
    /// only logs a warning with their number.
    pub exported: u64,
    /// Items lost because the endpoint did not accept them, after all retries.
    pub failed: u64,
    /// Items lost because the export queue was full or already closed.
    pub dropped: u64,
    /// Items waiting for their export, or in it.
    pub pending: u64,
    /// Why the last failed export failed.
    pub last_error: Option<String>,
}
