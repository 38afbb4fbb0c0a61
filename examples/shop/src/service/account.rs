//! The account of what was exported, and what was not.

use otelware::telemetry::{Health, SignalHealth};
use serde_json::{Value, json};

/// The last line of a service.
pub(super) fn line(health: &Health) -> String {
    let account = json!({
        "spans": signal(&health.spans),
        "logs": signal(&health.logs),
        "metrics": signal(&health.metrics),
    });
    format!("telemetry {account}")
}

fn signal(health: &SignalHealth) -> Value {
    json!({
        "exported": health.exported,
        "failed": health.failed,
        // What is still under way when all is over is lost, too.
        "dropped": health.dropped + health.pending,
    })
}
