//! Capture OpenTelemetry traces, metrics and logs in memory and assert on all of them, without globals.
//!
//! ```
//! use opentelemetry::trace::{SpanKind, Tracer, TracerProvider};
//! use otelware_testing::{Capture, expect_span};
//!
//! let telemetry = Capture::new();
//! let tracer = telemetry.tracer_provider().tracer("shop");
//! let span = tracer.span_builder("charge card").with_kind(SpanKind::Client).start(&tracer);
//! drop(span);
//!
//! telemetry.span("charge card").assert(expect_span("charge card").kind(SpanKind::Client));
//! assert_eq!(telemetry.tree(), "CLIENT charge card\n");
//! ```
//!
//! Hand [`Capture::tracer_provider`], [`Capture::meter_provider`] and [`Capture::logger_provider`] to the code under
//! test. Nothing is shared between two captures, so tests run side by side.
//!
//! # Assertions are exact
//!
//! An expectation says everything that is there. What it does not mention must be absent:
//!
//! | Subject | Compared always | Compared when stated |
//! |---|---|---|
//! | [`expect_span`] | name, kind (internal), parent (none), status (unset), attributes with types (none), links (none), events (none), nothing dropped, end not before start | scope, trace flags, trace state |
//! | [`expect_histogram`] and its siblings | name, kind, the set of points with attributes and value or count | unit, description, boundaries, sums, scope |
//! | [`expect_log`] | severity, body, event name, attributes with types (none), span (none) | target, scope |
//!
//! A failure lists what is missing, unexpected and different, line by line, followed by the whole value found.
//!
//! # Waiting
//!
//! Capture is synchronous: a span is there as soon as it has ended. Where it ends on another thread or task, wait for
//! the condition with [`Capture::wait_for_spans`], [`Capture::wait_until`] and the rest; each has a `blocking_` sibling
//! and a deadline in real time. They work on every async runtime.
//!
//! # Whole processes
//!
//! `Program` (on Unix) is a program under test as a child process: its output, the address that it listens on, its end.
//! With the feature `otlp`, `otlp::OtlpReceiver` is an endpoint that it exports to; with the feature `proxy`, `Proxy` is
//! a way to a server that a test cuts and restores.
//!
//! # Secrets
//!
//! [`Capture::assert_never_contains`] searches everything captured of all three signals for a marker.
#![allow(
    clippy::panic,
    reason = "a test kit reports a failed assertion by panicking"
)]

#[cfg(any(feature = "otlp", feature = "proxy"))]
mod background;
mod capture;
mod diff;
mod expect_log;
mod expect_metric;
mod expect_span;
mod log;
mod metric;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(unix)]
mod program;
#[cfg(feature = "proxy")]
mod proxy;
#[cfg(all(unix, feature = "python"))]
pub mod python;
mod remote;
mod scope;
mod span;
mod started;
mod store;
#[cfg(feature = "suites")]
pub mod suites;
mod tree;
mod value;
mod wait;

pub use capture::{Capture, CaptureBuilder};
pub use expect_log::{ExpectedLog, expect_log};
pub use expect_metric::{
    ExpectedMetric, expect_counter, expect_gauge, expect_histogram, expect_up_down_counter,
};
pub use expect_span::{ExpectedSpan, expect_span};
pub use log::Log;
pub use metric::{DATABASE_SECONDS, HTTP_SECONDS, Metric, MetricKind, Point, PointData};
pub use opentelemetry;
pub use opentelemetry_sdk;
#[cfg(unix)]
pub use program::{EndedProgram, Program};
#[cfg(feature = "proxy")]
pub use proxy::Proxy;
pub use remote::{BAGGAGE, RemoteParent, SpanIdentity, TRACEPARENT, TRACESTATE};
pub use scope::Scope;
pub use span::{Event, Link, Span};
pub use started::StartedSpan;
pub use tree::tree;
pub use value::{Attributes, Value};
