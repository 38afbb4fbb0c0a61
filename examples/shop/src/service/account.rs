//! The account of what was exported, and what was not: the last line of a service.

use otelware::telemetry::{Health, SignalHealth};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "telemetry ";

/// What became of a service's telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Account {
    pub(crate) spans: Signal,
    pub(crate) logs: Signal,
    /// Collections of all metrics.
    pub(crate) metrics: Signal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Signal {
    pub(crate) exported: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
}

impl Account {
    /// As a service says it.
    pub(crate) fn line(&self) -> String {
        format!("{PREFIX}{}", serde_json::json!(self))
    }

    /// The account that such a line is.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(PREFIX)?).ok()
    }
}

impl Signal {
    pub(crate) fn lost(self) -> u64 {
        self.failed + self.dropped
    }
}

impl From<&Health> for Account {
    fn from(health: &Health) -> Self {
        Self {
            spans: (&health.spans).into(),
            logs: (&health.logs).into(),
            metrics: (&health.metrics).into(),
        }
    }
}

impl From<&SignalHealth> for Signal {
    fn from(health: &SignalHealth) -> Self {
        Self {
            exported: health.exported,
            failed: health.failed,
            // What is still under way when all is over is lost, too.
            dropped: health.dropped + health.pending,
        }
    }
}
