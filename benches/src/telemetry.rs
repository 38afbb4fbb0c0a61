//! The providers of each configuration, with exporters that count what reaches them and keep nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};

use crate::Error;

/// Longer than any run: nothing is exported unless this program asks for it.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// Which spans the tracer provider keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    AlwaysOn,
    AlwaysOff,
    /// As the remote parent says; roots always.
    Parent,
}

/// The `traceparent` header of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traceparent {
    Sampled,
    Unsampled,
    Absent,
}

/// What is set up around a router, and how requests come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: &'static str,
    /// `None`: no tracer provider at all.
    sampling: Option<Sampling>,
    metrics: bool,
    pub(crate) traceparent: Traceparent,
}

/// The configurations of the table, in its order.
pub(crate) const CONFIGURATIONS: [Configuration; 8] = [
    configuration("both", Some(Sampling::AlwaysOn), true, Traceparent::Sampled),
    configuration(
        "offmet",
        Some(Sampling::AlwaysOff),
        true,
        Traceparent::Sampled,
    ),
    configuration(
        "unsampled",
        Some(Sampling::Parent),
        true,
        Traceparent::Unsampled,
    ),
    configuration("on", Some(Sampling::AlwaysOn), false, Traceparent::Sampled),
    configuration(
        "off",
        Some(Sampling::AlwaysOff),
        false,
        Traceparent::Sampled,
    ),
    configuration("met", None, true, Traceparent::Sampled),
    configuration(
        "both-root",
        Some(Sampling::AlwaysOn),
        true,
        Traceparent::Absent,
    ),
    configuration(
        "offmet-root",
        Some(Sampling::AlwaysOff),
        true,
        Traceparent::Absent,
    ),
];

const fn configuration(
    name: &'static str,
    sampling: Option<Sampling>,
    metrics: bool,
    traceparent: Traceparent,
) -> Configuration {
    Configuration {
        name,
        sampling,
        metrics,
        traceparent,
    }
}

impl Configuration {
    fn keeps_spans(&self) -> bool {
        match self.sampling {
            None | Some(Sampling::AlwaysOff) => false,
            Some(Sampling::AlwaysOn) => true,
            Some(Sampling::Parent) => self.traceparent != Traceparent::Unsampled,
        }
    }
}

/// A configuration's providers.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) tracer_provider: Option<SdkTracerProvider>,
    pub(crate) meter_provider: Option<SdkMeterProvider>,
    exported: Arc<Exported>,
    keeps_spans: bool,
}

/// What the exporters have seen.
#[derive(Debug, Default)]
struct Exported {
    spans: AtomicU64,
    /// Recordings in `http.server.request.duration`.
    durations: AtomicU64,
}

impl Telemetry {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let exported = Arc::new(Exported::default());
        Self {
            tracer_provider: configuration
                .sampling
                .map(|sampling| tracer_provider(sampling, &exported)),
            meter_provider: configuration.metrics.then(|| meter_provider(&exported)),
            keeps_spans: configuration.keeps_spans(),
            exported,
        }
    }

    /// Makes the exporters take all there is.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        if let Some(provider) = &self.tracer_provider {
            provider.force_flush()?;
        }
        if let Some(provider) = &self.meter_provider {
            provider.force_flush()?;
        }
        Ok(())
    }

    /// Checks, after a flush, that `requests` requests were instrumented in full: a variant that records less is not faster.
    pub(crate) fn verify(&self, requests: u64) -> Result<(), Error> {
        let expected = (
            if self.keeps_spans { requests } else { 0 },
            if self.meter_provider.is_some() {
                requests
            } else {
                0
            },
        );
        let actual = (
            self.exported.spans.load(Ordering::Relaxed),
            self.exported.durations.load(Ordering::Relaxed),
        );
        if actual == expected {
            return Ok(());
        }
        Err(format!("(spans, durations) exported: expected {expected:?}, got {actual:?}").into())
    }
}

fn tracer_provider(sampling: Sampling, exported: &Arc<Exported>) -> SdkTracerProvider {
    let processor = BatchSpanProcessor::builder(Discard(exported.clone()))
        .with_batch_config(
            BatchConfigBuilder::default()
                .with_max_queue_size(2048)
                .with_scheduled_delay(NEVER)
                .build(),
        )
        .build();
    let sampler = match sampling {
        Sampling::AlwaysOn => Sampler::AlwaysOn,
        Sampling::AlwaysOff => Sampler::AlwaysOff,
        Sampling::Parent => Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
    };
    SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_span_processor(processor)
        .build()
}

fn meter_provider(exported: &Arc<Exported>) -> SdkMeterProvider {
    let reader = PeriodicReader::builder(Discard(exported.clone()))
        .with_interval(NEVER)
        .build();
    SdkMeterProvider::builder().with_reader(reader).build()
}

/// An exporter of spans and metrics that only counts.
#[derive(Debug)]
struct Discard(Arc<Exported>);

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0
            .spans
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl PushMetricExporter for Discard {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        // Cumulative: the latest collection holds the total.
        self.0
            .durations
            .store(durations(metrics), Ordering::Relaxed);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

fn durations(metrics: &ResourceMetrics) -> u64 {
    metrics
        .scope_metrics()
        .flat_map(|scope| scope.metrics())
        .filter(|metric| metric.name() == "http.server.request.duration")
        .filter_map(|metric| match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => Some(histogram),
            _ => None,
        })
        .flat_map(|histogram| histogram.data_points())
        .map(|point| point.count())
        .sum()
}
