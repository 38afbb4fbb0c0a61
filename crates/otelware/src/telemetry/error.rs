//! What can go wrong while setting up, flushing and shutting down.

use std::fmt;

use super::environment::Complaint;
use super::signal::Signal;

/// Why [`install`](super::TelemetryBuilder::install) failed. Its text says which setting is wrong and what to do, also
/// where `main` returns it and its `Debug` form is printed.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Values of environment variables that cannot be used, in [`strict`](super::TelemetryBuilder::strict) mode.
    #[error("{}", lines(.0))]
    Environment(Vec<Complaint>),
    /// An endpoint that is not a usable URL.
    #[error("{0}")]
    Endpoint(String),
    /// A header whose name or value HTTP does not allow. The text never shows the value.
    #[error("{0}")]
    Header(String),
    /// A certificate or key file that cannot be read or used.
    #[error("{0}")]
    Certificate(String),
    /// An exporter that cannot be built for another reason.
    #[error("{0}")]
    Exporter(String),
    /// The threads that export could not be started.
    #[error("the runtime for exporters could not be started: {0}")]
    Runtime(#[source] std::io::Error),
}

impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn lines(complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What went wrong for one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalFailure {
    signal: Signal,
    message: String,
}

impl SignalFailure {
    pub(super) fn new(signal: Signal, message: String) -> Self {
        Self { signal, message }
    }

    /// The signal.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What happened, and how much was lost.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SignalFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.signal, self.message)
    }
}

fn listed(failures: &[SignalFailure]) -> String {
    let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
    failures.join("; ")
}

/// Why [`force_flush`](super::Telemetry::force_flush) could not deliver everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.failures))]
pub struct FlushError {
    pub(super) failures: Vec<SignalFailure>,
}

impl FlushError {
    /// One failure for each signal that has one.
    #[must_use]
    pub fn failures(&self) -> &[SignalFailure] {
        &self.failures
    }
}

/// Why [`shutdown`](super::Telemetry::shutdown) could not deliver everything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", listed(.failures))]
pub struct ShutdownError {
    pub(super) failures: Vec<SignalFailure>,
}

impl ShutdownError {
    /// One failure for each signal that has one, in the order of the shutdown.
    #[must_use]
    pub fn failures(&self) -> &[SignalFailure] {
        &self.failures
    }
}
