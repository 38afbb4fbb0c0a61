//! The providers of each configuration, with exporters that count what reaches them and keep nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
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

/// The caller's trace.
pub(crate) const TRACE_ID: TraceId =
    TraceId::from_bytes(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
/// The caller's span.
pub(crate) const SPAN_ID: SpanId = SpanId::from_bytes(0xb7ad_6b71_6920_3331_u64.to_be_bytes());

/// The context of what goes on in the caller's trace.
pub(crate) fn callers_context() -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TRACE_ID,
        SPAN_ID,
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    ))
}

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

impl Traceparent {
    /// The header's value.
    pub(crate) fn value(self) -> Option<&'static str> {
        match self {
            Self::Sampled => Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            Self::Unsampled => Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
            Self::Absent => None,
        }
    }
}

/// What is set up around a router or a gRPC service, and how requests come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: &'static str,
    /// `None`: no tracer provider at all.
    sampling: Option<Sampling>,
    metrics: bool,
    pub(crate) traceparent: Traceparent,
}

/// Everything is kept.
pub(crate) const SPANS_AND_METRICS: Configuration =
    configuration("both", Some(Sampling::AlwaysOn), true, Traceparent::Sampled);

/// The configurations of the table, in its order.
pub(crate) const CONFIGURATIONS: [Configuration; 8] = [
    SPANS_AND_METRICS,
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

/// What operations leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Spans in the caller's trace, where there is one.
    pub(crate) spans: u64,
    /// Recordings in the histograms of [`DURATIONS`].
    pub(crate) durations: u64,
}

impl Counts {
    pub(crate) fn times(self, operations: u64) -> Self {
        Self {
            spans: self.spans * operations,
            durations: self.durations * operations,
        }
    }
}

/// A span and a duration.
pub(crate) const ONE_EACH: Counts = Counts {
    spans: 1,
    durations: 1,
};

/// Of what nobody observes.
pub(crate) const NOTHING: Counts = Counts {
    spans: 0,
    durations: 0,
};

/// The histograms that are counted.
const DURATIONS: [&str; 4] = [
    "db.client.operation.duration",
    "http.server.request.duration",
    "rpc.server.call.duration",
    "rpc.client.call.duration",
];

/// The boundaries that the conventions have for what is asked of a database.
pub(crate) const DATABASE_BOUNDARIES: [f64; 9] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// What the exporters have seen.
#[derive(Debug, Default)]
struct Exported {
    spans: AtomicU64,
    durations: AtomicU64,
}

impl Telemetry {
    pub(crate) fn new(configuration: &Configuration) -> Self {
        let exported = Arc::new(Exported::default());
        Self {
            tracer_provider: configuration
                .sampling
                .map(|sampling| tracer_provider(sampling, configuration.traceparent, &exported)),
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

    /// Makes these providers the global ones.
    pub(crate) fn set_global_providers(&self) {
        if let Some(provider) = &self.tracer_provider {
            global::set_tracer_provider(provider.clone());
        }
        if let Some(provider) = &self.meter_provider {
            global::set_meter_provider(provider.clone());
        }
    }

    /// Checks, after a flush, that what was to be kept of this has arrived: a variant that records less is not faster.
    pub(crate) fn verify(&self, made: Counts) -> Result<(), Error> {
        let expected = Counts {
            spans: if self.keeps_spans { made.spans } else { 0 },
            durations: if self.meter_provider.is_some() {
                made.durations
            } else {
                0
            },
        };
        let actual = Counts {
            spans: self.exported.spans.load(Ordering::Relaxed),
            durations: self.exported.durations.load(Ordering::Relaxed),
        };
        if actual == expected {
            return Ok(());
        }
        Err(format!("exported: expected {expected:?}, got {actual:?}").into())
    }
}

fn tracer_provider(
    sampling: Sampling,
    traceparent: Traceparent,
    exported: &Arc<Exported>,
) -> SdkTracerProvider {
    let processor = BatchSpanProcessor::builder(DiscardSpans {
        trace: traceparent.value().map(|_| TRACE_ID),
        exported: exported.clone(),
    })
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
    let reader = PeriodicReader::builder(DiscardMetrics(exported.clone()))
        .with_interval(NEVER)
        .build();
    SdkMeterProvider::builder().with_reader(reader).build()
}

/// An exporter that only counts, and no span of another trace than this.
#[derive(Debug)]
struct DiscardSpans {
    trace: Option<TraceId>,
    exported: Arc<Exported>,
}

impl SpanExporter for DiscardSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch
            .iter()
            .filter(|span| {
                self.trace
                    .is_none_or(|trace| span.span_context.trace_id() == trace)
            })
            .count() as u64;
        self.exported.spans.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }
}

/// An exporter that only counts.
#[derive(Debug)]
struct DiscardMetrics(Arc<Exported>);

impl PushMetricExporter for DiscardMetrics {
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
        .filter(|metric| DURATIONS.contains(&metric.name()))
        .filter_map(|metric| match metric.data() {
            AggregatedMetrics::F64(MetricData::Histogram(histogram)) => Some(histogram),
            _ => None,
        })
        .flat_map(|histogram| histogram.data_points())
        .map(|point| point.count())
        .sum()
}
