//! What a layer needs at work.

use super::names::Names;
use super::options::Options;
use otelware::http::{BodySizes, KnownMethods};
use otelware::opentelemetry::Context;
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::metrics::{Histogram, UpDownCounter};
use otelware::operation::{ErrorType, Exception, Instrumentation, Lazily, Series};
use otelware::semconv::{boundaries, event, metric, unit};
use std::fmt::Display;

/// What all services of one layer share.
pub(super) type Server = Lazily<Options, Running>;

/// What a layer needs at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) instrumentation: Instrumentation,
    pub(super) known_methods: KnownMethods,
    pub(super) names: Names,
    pub(super) duration: Series<Histogram<f64>>,
    pub(super) active: Option<Series<UpDownCounter<i64>>>,
    pub(super) streams: Option<Series<UpDownCounter<i64>>>,
    pub(super) sizes: Option<BodySizes>,
}

impl Running {
    /// What a layer needs at work, made at its first request.
    pub(super) fn of(server: &Server) -> &Self {
        server.get_or_make(Self::new)
    }

    fn new(options: &Options) -> Self {
        let instrumentation = Instrumentation::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &options.providers,
        );
        Self {
            known_methods: options
                .known_methods
                .clone()
                .unwrap_or_else(KnownMethods::from_env),
            names: Names::default(),
            duration: instrumentation.durations(
                metric::HTTP_SERVER_REQUEST_DURATION,
                "Duration of HTTP server requests.",
                &boundaries::REQUEST_SECONDS,
            ),
            active: options.active_requests.then(|| {
                instrumentation.in_flight(
                    metric::HTTP_SERVER_ACTIVE_REQUESTS,
                    "Number of active HTTP server requests.",
                    unit::REQUESTS,
                )
            }),
            streams: options.streaming.has_segments().then(|| {
                instrumentation.in_flight(
                    "otelware.http.server.active_streams",
                    "Number of response streams that are observed in segments.",
                    "{stream}",
                )
            }),
            sizes: options.body_sizes.then(|| {
                BodySizes::new(
                    &instrumentation,
                    [
                        (
                            metric::HTTP_SERVER_REQUEST_BODY_SIZE,
                            "Size of HTTP server request bodies.",
                        ),
                        (
                            metric::HTTP_SERVER_RESPONSE_BODY_SIZE,
                            "Size of HTTP server response bodies.",
                        ),
                    ],
                )
            }),
            instrumentation,
        }
    }

    /// Emits the error that ended a request or its stream as an event, where events are wanted.
    pub(super) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        let kind = Exception {
            name: event::HTTP_SERVER_REQUEST_EXCEPTION,
            severity: Severity::Error,
        };
        self.instrumentation.exception(kind, context, class, error);
    }
}
