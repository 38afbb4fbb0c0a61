//! What the client under test is to be, and to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;

use crate::Capture;

/// What must not be in any telemetry.
pub const SECRET: &str = "s3cr3t-m4rk3r";

/// What [`Action::Wait`] takes longer than.
pub const MINIMUM_DURATION: Duration = Duration::from_millis(50);

/// One operation that the suite asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Succeeds and changes something; no data comes back. It has another name than
    /// [`Action::Read`], and can be done time and again.
    Write,
    /// Succeeds; some data comes back.
    Read,
    /// Looks for what is not there, which is no error; no data comes back.
    FindNothing,
    /// Fails, with the database's own code if it has such.
    Fail,
    /// Succeeds after more than [`MINIMUM_DURATION`], of which the database is the cause: it is not
    /// done when it is polled once.
    Wait,
    /// Succeeds, and has [`SECRET`] wherever it may have values. It can be done once.
    CarrySecret,
    /// As [`Action::Fail`], with [`SECRET`] among its values: the database's message has it where
    /// that has values at all.
    FailWithSecret,
}

impl Action {
    /// Each of them.
    pub const ALL: [Self; 7] = [
        Self::Write,
        Self::Read,
        Self::FindNothing,
        Self::Fail,
        Self::Wait,
        Self::CarrySecret,
        Self::FailWithSecret,
    ];
}

/// What a client is to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Where traces and metrics go; without one, to the global providers.
    pub telemetry: Option<Capture>,
    /// Emits exceptions as log events, to the capture's logger provider.
    pub exceptions: bool,
    /// How many connections the pool has at most, where there is a pool.
    pub connections: u32,
    /// How long a connection is waited for, if not for as long as the pool does by default.
    pub acquire_timeout: Option<Duration>,
    /// What the instrumentation is told.
    pub options: Options,
}

impl Setup {
    /// The defaults, and the capture's providers.
    pub fn new(telemetry: &Capture) -> Self {
        Self {
            telemetry: Some(telemetry.clone()),
            ..Self::global()
        }
    }

    /// The defaults, and the global providers.
    pub fn global() -> Self {
        Self {
            telemetry: None,
            exceptions: false,
            connections: 1,
            acquire_timeout: None,
            options: Options::default(),
        }
    }
}

/// What an instrumentation is told; each default is that of the instrumentation.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Decides which signals an operation of this name produces.
    pub filter: Option<Filter>,
    /// What becomes of an operation that is dropped.
    pub cancellation: Option<Cancellation>,
    /// Makes spans only within other spans.
    pub parent_only: bool,
    /// Makes no spans of what takes less time, unless it fails.
    pub minimum_duration: Option<Duration>,
    /// Shows the messages of errors.
    pub error_messages: bool,
    /// What a hook adds to each span.
    pub span_attributes: Vec<KeyValue>,
    /// What a hook adds to the metrics of each operation.
    pub metric_attributes: Vec<KeyValue>,
    /// Sets attributes only on spans that record, when they have started.
    pub late_attributes: bool,
    /// The pool's name, where there is a pool.
    pub pool_name: Option<String>,
}

/// What decides by an operation's name which signals it produces.
#[derive(Clone)]
pub struct Filter(Arc<dyn Fn(&str) -> Signals + Send + Sync>);

impl Filter {
    /// Decides with this closure.
    pub fn new(decide: impl Fn(&str) -> Signals + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }

    /// The signals of an operation whose span has this name.
    pub fn signals(&self, name: &str) -> Signals {
        (self.0)(name)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Filter(..)")
    }
}

/// The signals that an operation produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signals {
    /// Neither spans nor metrics.
    None,
    /// Spans only.
    Traces,
    /// Metrics only.
    Metrics,
    /// Spans and metrics.
    All,
}

/// What becomes of an operation that is dropped before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// Nothing is marked.
    Ignore,
    /// `error.type` is `cancelled` on span and metric.
    Mark,
    /// As `Mark`, and the span's status is an error.
    Error,
}
