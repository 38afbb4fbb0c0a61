//! The three kinds of telemetry.

use std::fmt;

/// A kind of telemetry: what a message about one is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Measurements.
    Metrics,
}

impl Signal {
    /// The word of this signal in names of variables, such as `OTEL_TRACES_EXPORTER`.
    pub(super) fn in_variables(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Logs => "LOGS",
            Self::Metrics => "METRICS",
        }
    }

    /// What one export carries, for people.
    pub(super) fn items(self, count: u64) -> String {
        let (one, many) = match self {
            Self::Traces => ("span", "spans"),
            Self::Logs => ("log record", "log records"),
            Self::Metrics => ("collection of metrics", "collections of metrics"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        })
    }
}
