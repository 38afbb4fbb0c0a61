//! Traces, metrics and logs of a service, set up in one call.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let telemetry = otelware::telemetry::init("orders")?;
//! // … the service …
//! telemetry.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! This makes the three providers with OTLP exporters, sets them and the propagator for the whole process, and sets a
//! `tracing` subscriber that writes lines to the standard error, makes spans of `tracing` spans and exports `tracing`
//! events as log records with the trace and span they happen in. [`Telemetry::builder`] changes any of it.
//!
//! The subscriber's filter, `RUST_LOG`, decides about lines and log records. Of `tracing` spans, those from the level
//! `INFO` on are traced, whatever it says. Records of the `log` crate are not bridged: a program that has some of its
//! own sets up `tracing-log`.
//!
//! Exporting never disturbs the service. Exporters run on a thread of their own, apart from the application's runtime.
//! An endpoint that is away is tried again for as long as the export timeout allows; what cannot wait any longer is
//! dropped, counted in [`Telemetry::health`] and reported with a warning; and exporting resumes by itself.
#![doc = include_str!("environment.md")]
// Without OTLP nothing is batched, and much of what the environment says has nobody to read it.
#![cfg_attr(
    not(any(feature = "otlp-grpc", feature = "otlp-http")),
    allow(dead_code)
)]

mod account;
mod attempts;
mod bounded;
mod builder;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod delivery;
mod environment;
mod error;
mod exporters;
mod health;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod otlp;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod processors;
mod providers;
mod report;
mod resource;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod runtime;
mod sampler;
mod settings;
mod signal;
mod subscriber;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod truncate;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

pub use self::builder::TelemetryBuilder;
pub use self::environment::{Complaint, Environment};
pub use self::error::{FlushError, SetupError, ShutdownError, SignalFailure};
pub use self::health::{Health, SignalHealth};
use self::providers::Providers;
pub use self::signal::Signal;
use crate::propagation::SharedPropagator;

/// Sets up the telemetry of `service_name` from the environment, with the defaults where it says nothing.
///
/// The name is a default, too: `OTEL_SERVICE_NAME` overrides it.
///
/// # Errors
///
/// As [`TelemetryBuilder::install`].
pub fn init(service_name: impl Into<String>) -> Result<Telemetry, SetupError> {
    Telemetry::builder(service_name).install()
}

/// The telemetry of this process: its providers, and the handle to flush and to end them.
///
/// Keep it for as long as the service runs. Dropping it shuts everything down as [`shutdown`](Self::shutdown) does,
/// blocking the thread for at most the shutdown timeout.
#[must_use = "dropping it shuts the telemetry down"]
pub struct Telemetry {
    providers: Providers,
    propagator: SharedPropagator,
    complaints: Vec<Complaint>,
    shutdown_timeout: Duration,
    disabled: bool,
    shut_down: Arc<AtomicBool>,
}

impl Telemetry {
    /// Describes the telemetry of `service_name` in detail.
    pub fn builder(service_name: impl Into<String>) -> TelemetryBuilder {
        TelemetryBuilder::new(service_name.into())
    }

    fn new(
        providers: Providers,
        propagator: SharedPropagator,
        complaints: Vec<Complaint>,
        shutdown_timeout: Duration,
        disabled: bool,
    ) -> Self {
        Self {
            providers,
            propagator,
            complaints,
            shutdown_timeout,
            disabled,
            shut_down: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The provider of tracers. Under `OTEL_SDK_DISABLED` its spans are never exported; they keep a parent's trace id and
    /// sampling decision.
    #[must_use]
    pub fn tracer_provider(&self) -> &SdkTracerProvider {
        &self.providers.traces
    }

    /// The provider of meters.
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.providers.metrics
    }

    /// The provider of loggers.
    #[must_use]
    pub fn logger_provider(&self) -> &SdkLoggerProvider {
        &self.providers.logs
    }

    /// The propagator.
    #[must_use]
    pub fn propagator(&self) -> SharedPropagator {
        self.propagator.clone()
    }

    /// A layer that makes OpenTelemetry spans of `tracing` spans, for a subscriber of one's own.
    ///
    /// Spans of the two kinds nest in each other. It does nothing under `OTEL_SDK_DISABLED`.
    pub fn tracing_layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        (!self.disabled).then(|| subscriber::tracing_layer(&self.providers.traces))
    }

    /// A layer that makes log records of `tracing` events, for a subscriber of one's own.
    ///
    /// It leaves out what the exporters' own crates log. It does nothing under `OTEL_SDK_DISABLED`.
    pub fn log_layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        (!self.disabled).then(|| subscriber::log_layer(&self.providers.logs))
    }

    /// What the environment says and is not used; each was reported with a warning.
    #[must_use]
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// How exporting over OTLP goes.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            spans: self.providers.accounts.spans.health(),
            logs: self.providers.accounts.logs.health(),
            metrics: self.providers.accounts.metrics.health(),
        }
    }

    /// Exports everything that has ended so far, and a collection of all metrics.
    ///
    /// Works in any asynchronous runtime. The SDK gives each signal 5 s.
    ///
    /// # Errors
    ///
    /// Says for each signal what could not be exported and why. After a shutdown there is nothing to flush and no error.
    pub async fn force_flush(&self) -> Result<(), FlushError> {
        if self.shut_down.load(Ordering::Acquire) {
            return Ok(());
        }
        let providers = self.providers.clone();
        let flushed = bounded::run_in_background(move || providers.force_flush()).await;
        flushed.unwrap_or_else(|_| {
            let message = "the flush was aborted".to_owned();
            let failures = vec![SignalFailure::new(Signal::Traces, message)];
            Err(FlushError { failures })
        })
    }

    /// Exports everything that has ended so far and ends the providers: traces, then logs, then metrics.
    ///
    /// Takes at most the [shutdown timeout](TelemetryBuilder::shutdown_timeout), and about a second for a signal whose
    /// endpoint does not answer at all. Works in any asynchronous runtime. A second call does nothing.
    ///
    /// # Errors
    ///
    /// Says for each signal what was lost and why.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        if self.shut_down.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let (providers, timeout) = (self.providers.clone(), self.shutdown_timeout);
        let ended = bounded::run_in_background(move || providers.shutdown(timeout)).await;
        ended.unwrap_or_else(|_| {
            let message = "the shutdown was aborted".to_owned();
            let failures = vec![SignalFailure::new(Signal::Traces, message)];
            Err(ShutdownError { failures })
        })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if self.shut_down.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Err(error) = self.providers.shutdown(self.shutdown_timeout) {
            report::warn(&error.to_string());
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Telemetry")
            .field("health", &self.health())
            .field("complaints", &self.complaints)
            .field("shut_down", &self.shut_down)
            .finish_non_exhaustive()
    }
}

/// A duration for people, in whole milliseconds or tenths of seconds.
fn seconds(duration: Duration) -> String {
    let milliseconds = (duration.as_secs_f64() * 1000.0).round();
    if milliseconds < 1000.0 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", (milliseconds / 100.0).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        let shown = [0, 299_999, 999_900, 1_250_000, 10_000_000]
            .map(|micros| seconds(Duration::from_micros(micros)));
        assert_eq!(shown, ["0 ms", "300 ms", "1 s", "1.3 s", "10 s"]);
    }
}
