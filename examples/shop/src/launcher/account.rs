//! What became of the telemetry of a service.

use otelware::telemetry::{Health, SignalHealth};
use serde::Deserialize;

/// As a service says it at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    pub(super) spans: Signal,
    pub(super) logs: Signal,
    /// Collections of all metrics.
    pub(super) metrics: Signal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Signal {
    pub(super) exported: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
}

impl Account {
    /// The account that such a line is.
    pub(super) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix("telemetry ")?).ok()
    }
}

impl Signal {
    pub(super) fn lost(self) -> u64 {
        self.failed + self.dropped
    }
}

impl From<Health> for Account {
    fn from(health: Health) -> Self {
        Self {
            spans: health.spans.into(),
            logs: health.logs.into(),
            metrics: health.metrics.into(),
        }
    }
}

impl From<SignalHealth> for Signal {
    fn from(health: SignalHealth) -> Self {
        Self {
            exported: health.exported,
            failed: health.failed,
            dropped: health.dropped + health.pending,
        }
    }
}
