//! What the client under test is to be, and to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::propagation::Extractor;

use super::propagator::Propagator;
use crate::Capture;
pub use crate::suites::database::{Cancellation, SECRET, Signals};

/// Longer than any message is under way.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A message as it is sent, and as it arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Names and values, sorted.
    pub headers: Vec<(String, String)>,
    /// The key, where messages may have one; it is not looked at when the message arrives.
    pub key: Option<String>,
    /// The body.
    pub body: String,
}

impl Message {
    /// One with this body.
    pub fn new(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..Self::default()
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self.headers.sort();
        self
    }

    /// All values of a header.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter();
        headers
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Why the suite's processing fails: `error.type` is `OutOfStock`. Its text has [`SECRET`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfStock;

impl fmt::Display for OutOfStock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SECRET} is out of stock")
    }
}

impl std::error::Error for OutOfStock {}

/// What a client is to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Where traces and metrics go; without one, to the global providers.
    pub telemetry: Option<Capture>,
    /// Emits exceptions as log events, to the capture's logger provider.
    pub exceptions: bool,
    /// What carries contexts; without one, the global propagator does.
    pub propagator: Option<Propagator>,
    /// What the instrumentation is told.
    pub options: Options,
}

impl Setup {
    /// The defaults, with the capture's providers and W3C propagation.
    pub fn new(telemetry: &Capture) -> Self {
        Self {
            telemetry: Some(telemetry.clone()),
            propagator: Some(Propagator::new("")),
            ..Self::global()
        }
    }

    /// The defaults, with all that is global.
    pub fn global() -> Self {
        Self {
            telemetry: None,
            exceptions: false,
            propagator: None,
            options: Options::default(),
        }
    }
}

/// What an instrumentation is told; each default is that of the instrumentation.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Decides which signals an operation produces.
    pub filter: Option<Hook<Signals>>,
    /// What becomes of processing that is dropped.
    pub cancellation: Option<Cancellation>,
    /// Whose child processing is.
    pub parenting: Option<Parenting>,
    /// Anyone may send messages.
    pub public: bool,
    /// What leaves with messages.
    pub outbound: Option<Outbound>,
    /// A context that a message has already stays when it is sent.
    pub preserve_context: bool,
    /// All destinations have this template.
    pub template: Option<&'static str>,
    /// Shows the sizes of bodies.
    pub body_sizes: bool,
    /// Makes no spans for settlements.
    pub without_settle_spans: bool,
    /// Shows the messages of errors.
    pub error_messages: bool,
    /// Shows these headers.
    pub captured_headers: Vec<&'static str>,
    /// Sets attributes only on spans that record, when they have started.
    pub late_attributes: bool,
    /// Adds attributes to spans.
    pub span_attributes: Option<Hook<Vec<KeyValue>>>,
    /// Adds attributes to metrics.
    pub metric_attributes: Option<Hook<Vec<KeyValue>>>,
}

/// What a filter or hook sees of an operation.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// `messaging.operation.name`.
    pub operation: &'a str,
    /// `messaging.destination.name`.
    pub destination: &'a str,
    /// The headers of a single message.
    pub headers: Option<&'a dyn Extractor>,
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("View")
            .field("operation", &self.operation)
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

/// A filter, or what adds attributes.
#[derive(Clone)]
pub struct Hook<T>(Arc<dyn Fn(View<'_>) -> T + Send + Sync>);

impl<T> Hook<T> {
    /// Decides with this closure.
    pub fn new(decide: impl Fn(View<'_>) -> T + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }

    /// What it says of an operation.
    pub fn ask(&self, view: View<'_>) -> T {
        (self.0)(view)
    }
}

impl<T> fmt::Debug for Hook<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook(..)")
    }
}

/// Whose child processing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parenting {
    /// That of the span around it; without one, of the sender.
    Auto,
    /// That of the span around it; without one it is a root.
    Link,
    /// That of the sender, and linked to the span around it.
    Parent,
}

/// What leaves with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// Trace context and baggage.
    Everything,
    /// Trace context only.
    TraceContextOnly,
    /// Nothing.
    Nothing,
}
