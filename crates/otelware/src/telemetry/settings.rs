//! Everything the environment says, resolved into plain values.

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::SpanLimits;

use super::environment::{Choices, DAY, Environment};
use super::error::SetupError;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
use super::otlp::OtlpSettings;
use super::sampler::SamplerSettings;
use super::signal::Signal;

/// A place that telemetry of one signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExporterKind {
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    Otlp,
    Console,
}

/// The exporters of the three signals when the environment names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultExporters {
    /// OTLP for each signal.
    Otlp,
    /// Spans to the console; log records get there through the subscriber.
    Console,
    /// None: the program brings its own.
    Nothing,
}

impl DefaultExporters {
    fn of(self, signal: Signal) -> Vec<ExporterKind> {
        match (self, signal) {
            #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
            (Self::Otlp, _) => vec![ExporterKind::Otlp],
            (Self::Console, Signal::Traces) => vec![ExporterKind::Console],
            _ => Vec::new(),
        }
    }
}

/// Where one signal goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SignalSettings {
    pub(super) console: bool,
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    pub(super) otlp: Option<OtlpSettings>,
}

impl SignalSettings {
    /// Whether it goes anywhere.
    pub(super) const fn is_exported(&self) -> bool {
        #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
        if self.otlp.is_some() {
            return true;
        }
        self.console
    }
}

/// How items are gathered into batches (specification, "Batch Span Processor" and "Batch LogRecord Processor").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchSettings {
    pub(super) queue_size: usize,
    pub(super) batch_size: usize,
    pub(super) delay: Duration,
    pub(super) timeout: Duration,
}

/// The aggregation of histograms that no view decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HistogramAggregation {
    ExplicitBuckets,
    ExponentialBuckets,
}

/// How often metrics are collected, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetricSettings {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) temporality: Temporality,
    pub(super) histogram: HistogramAggregation,
}

/// Limits of a span (specification, "Span Limits" and "Attribute Limits").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) attributes: u32,
    pub(super) events: u32,
    pub(super) links: u32,
    pub(super) event_attributes: u32,
    pub(super) link_attributes: u32,
    pub(super) value_length: Option<usize>,
}

impl From<Limits> for SpanLimits {
    fn from(limits: Limits) -> Self {
        Self {
            max_events_per_span: limits.events,
            max_attributes_per_span: limits.attributes,
            max_links_per_span: limits.links,
            max_attributes_per_event: limits.event_attributes,
            max_attributes_per_link: limits.link_attributes,
        }
    }
}

/// What the environment says, with defaults where it says nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) disabled: bool,
    pub(super) propagators: String,
    pub(super) sampler: SamplerSettings,
    pub(super) traces: SignalSettings,
    pub(super) logs: SignalSettings,
    pub(super) metrics: SignalSettings,
    pub(super) span_batches: BatchSettings,
    pub(super) log_batches: BatchSettings,
    pub(super) metric: MetricSettings,
    pub(super) limits: Limits,
}

impl Settings {
    pub(super) fn read(
        environment: &mut Environment,
        defaults: DefaultExporters,
    ) -> Result<Self, SetupError> {
        let disabled = environment.boolean("OTEL_SDK_DISABLED").unwrap_or(false);
        let settings = Self {
            disabled,
            propagators: environment
                .text("OTEL_PROPAGATORS")
                .unwrap_or_else(|| "tracecontext,baggage".to_owned()),
            sampler: SamplerSettings::read(environment),
            traces: signal(environment, Signal::Traces, defaults, disabled)?,
            logs: signal(environment, Signal::Logs, defaults, disabled)?,
            metrics: signal(environment, Signal::Metrics, defaults, disabled)?,
            span_batches: batches(environment, "OTEL_BSP", Duration::from_secs(5)),
            log_batches: batches(environment, "OTEL_BLRP", Duration::from_secs(1)),
            metric: metric(environment),
            limits: limits(environment),
        };
        unsupported(environment);
        Ok(settings)
    }
}

/// Complains of variables the specification knows and nothing here follows.
fn unsupported(environment: &mut Environment) {
    for variable in [
        "OTEL_CONFIG_FILE",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    ] {
        if let Some(value) = environment.text(variable) {
            environment.complain(
                variable,
                &value,
                "is known but not built in",
                "leaving it unset",
            );
        }
    }
    // The SDK records no exemplars.
    let _: Option<()> = environment.choice(
        "OTEL_METRICS_EXEMPLAR_FILTER",
        &Choices::new(&[("always_off", ())]).elsewhere(&["always_on", "trace_based"]),
    );
}

/// The exporter names the specification knows and this build offers; `None` stands for `none`.
const EXPORTERS: &[(&str, Option<ExporterKind>)] = &[
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    ("otlp", Some(ExporterKind::Otlp)),
    ("console", Some(ExporterKind::Console)),
    ("none", None),
];

fn signal(
    environment: &mut Environment,
    signal: Signal,
    defaults: DefaultExporters,
    #[cfg_attr(
        not(any(feature = "otlp-grpc", feature = "otlp-http")),
        allow(unused_variables)
    )]
    disabled: bool,
) -> Result<SignalSettings, SetupError> {
    let variable = format!("OTEL_{}_EXPORTER", signal.in_variables());
    let elsewhere: &[&str] = match signal {
        Signal::Traces => &["otlp", "zipkin", "jaeger", "logging"],
        Signal::Logs => &["otlp", "logging"],
        Signal::Metrics => &["otlp", "prometheus", "logging"],
    };
    let kinds =
        match environment.choice_list(&variable, &Choices::new(EXPORTERS).elsewhere(elsewhere)) {
            None => defaults.of(signal),
            Some(kinds) => {
                if kinds.contains(&None) && kinds.len() > 1 {
                    environment.complain(
                        &variable,
                        "none",
                        "stands beside other exporters",
                        "none alone",
                    );
                }
                kinds.into_iter().flatten().collect()
            }
        };
    Ok(SignalSettings {
        console: kinds.contains(&ExporterKind::Console),
        #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
        // Nothing is sent where the SDK is disabled: what cannot work is no error then.
        otlp: if kinds.contains(&ExporterKind::Otlp) && !disabled {
            Some(OtlpSettings::read(environment, signal)?)
        } else {
            None
        },
    })
}

/// Ours is larger than the specification's 2048, which overflows within a short outage of the endpoint.
const QUEUE_SIZE: usize = 8192;
const BATCH_SIZE: usize = 512;
/// The SDK allocates the whole queue at once: this one is 350 MB of spans.
const LARGEST_QUEUE: usize = 1_000_000;

fn batches(environment: &mut Environment, prefix: &str, delay: Duration) -> BatchSettings {
    let queue_variable = format!("{prefix}_MAX_QUEUE_SIZE");
    let batch_variable = format!("{prefix}_MAX_EXPORT_BATCH_SIZE");
    let queue_size = environment
        .number(&queue_variable, 1..=LARGEST_QUEUE)
        .unwrap_or(QUEUE_SIZE);
    // "It must be less or equal to the queue's" (specification).
    let batch_size = environment
        .number(&batch_variable, 1..=queue_size)
        .unwrap_or(BATCH_SIZE);
    BatchSettings {
        queue_size,
        batch_size: batch_size.min(queue_size),
        delay: environment
            .milliseconds(&format!("{prefix}_SCHEDULE_DELAY"))
            .unwrap_or(delay),
        timeout: timeout(
            environment,
            &format!("{prefix}_EXPORT_TIMEOUT"),
            Duration::from_secs(30),
        ),
    }
}

/// A time limit: 0 means none, as far as timers go (specification, "Environment Variable Specification": Timeout).
pub(super) fn timeout(
    environment: &mut Environment,
    variable: &str,
    default: Duration,
) -> Duration {
    match environment.milliseconds(variable) {
        Some(Duration::ZERO) => DAY,
        Some(limit) => limit,
        None => default,
    }
}

fn metric(environment: &mut Environment) -> MetricSettings {
    let interval = match environment.milliseconds("OTEL_METRIC_EXPORT_INTERVAL") {
        Some(Duration::ZERO) => {
            environment.complain(
                "OTEL_METRIC_EXPORT_INTERVAL",
                "0",
                "is too small",
                "a whole number of milliseconds from 1",
            );
            None
        }
        interval => interval,
    };
    MetricSettings {
        interval: interval.unwrap_or(Duration::from_secs(60)),
        timeout: timeout(
            environment,
            "OTEL_METRIC_EXPORT_TIMEOUT",
            Duration::from_secs(30),
        ),
        temporality: environment
            .choice(
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
                &Choices::new(&[
                    ("cumulative", Temporality::Cumulative),
                    ("delta", Temporality::Delta),
                    ("lowmemory", Temporality::LowMemory),
                ]),
            )
            .unwrap_or(Temporality::Cumulative),
        histogram: environment
            .choice(
                "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                &Choices::new(&[
                    (
                        "explicit_bucket_histogram",
                        HistogramAggregation::ExplicitBuckets,
                    ),
                    (
                        "base2_exponential_bucket_histogram",
                        HistogramAggregation::ExponentialBuckets,
                    ),
                ]),
            )
            .unwrap_or(HistogramAggregation::ExplicitBuckets),
    }
}

fn limits(environment: &mut Environment) -> Limits {
    let attributes = count(environment, "OTEL_ATTRIBUTE_COUNT_LIMIT", 128);
    let value_length = environment.number("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0..=usize::MAX);
    Limits {
        attributes: count(environment, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes),
        events: count(environment, "OTEL_SPAN_EVENT_COUNT_LIMIT", 128),
        links: count(environment, "OTEL_SPAN_LINK_COUNT_LIMIT", 128),
        event_attributes: count(environment, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", attributes),
        link_attributes: count(environment, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", attributes),
        value_length: environment
            .number("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0..=usize::MAX)
            .or(value_length),
    }
}

fn count(environment: &mut Environment, variable: &str, default: u32) -> u32 {
    match environment.number(variable, 0..=usize::MAX) {
        Some(limit) => u32::try_from(limit).unwrap_or(u32::MAX),
        None => default,
    }
}

#[cfg(test)]
mod tests;
