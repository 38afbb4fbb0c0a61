//! Which signals an operation is to produce.

use std::ops::{BitAnd, BitOr};

/// The signals that an operation produces. Filters answer with it; `bool` converts into all or none.
///
/// Context is propagated whatever the filter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    traces: bool,
    metrics: bool,
}

impl Signals {
    /// Neither spans nor metrics.
    pub const NONE: Self = Self {
        traces: false,
        metrics: false,
    };
    /// Spans only.
    pub const TRACES: Self = Self {
        traces: true,
        metrics: false,
    };
    /// Metrics only.
    pub const METRICS: Self = Self {
        traces: false,
        metrics: true,
    };
    /// Spans and metrics.
    pub const ALL: Self = Self {
        traces: true,
        metrics: true,
    };

    /// Whether spans are wanted.
    pub const fn traces(self) -> bool {
        self.traces
    }

    /// Whether metrics are wanted.
    pub const fn metrics(self) -> bool {
        self.metrics
    }
}

impl BitOr for Signals {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            traces: self.traces || other.traces,
            metrics: self.metrics || other.metrics,
        }
    }
}

impl BitAnd for Signals {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self {
            traces: self.traces && other.traces,
            metrics: self.metrics && other.metrics,
        }
    }
}

impl From<bool> for Signals {
    fn from(wanted: bool) -> Self {
        if wanted { Self::ALL } else { Self::NONE }
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self::ALL
    }
}
