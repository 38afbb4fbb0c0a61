//! How a program describes its telemetry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::{KeyValue, Value, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{
    LogExporter, LogProcessor, LoggerProviderBuilder, SdkLoggerProvider,
};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, MeterProviderBuilder, PeriodicReader,
    SdkMeterProvider, Stream,
};
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, ShouldSample, SpanExporter, SpanProcessor, TracerProviderBuilder,
};

use super::account::Accounts;
use super::environment::{DAY, Environment};
use super::error::SetupError;
use super::exporters::Exporters;
use super::providers::Providers;
use super::settings::{DefaultExporters, HistogramAggregation, Settings};
use super::{Telemetry, report, resource, subscriber};
use crate::console::{
    ConsoleLogExporter, ConsoleMetricExporter, ConsoleSpanExporter, ConsoleSpanProcessor,
};
use crate::operation::set_global_late_attributes;
use crate::propagation::{ALLOWED, CompositePropagator, SharedPropagator};

type Step<B> = Box<dyn FnOnce(B) -> B + Send>;
type View = Arc<dyn Fn(&Instrument) -> Option<Stream> + Send + Sync>;

/// Describes a [`Telemetry`]; from [`Telemetry::builder`].
///
/// Values given here are the program's defaults, and the environment overrides them. Objects given with a `with_*`
/// method stand: a sampler or propagator replaces what the environment says, exporters and processors are added to it.
///
/// ```
/// use opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use otelware::telemetry::Telemetry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder("orders")
///     .version(env!("CARGO_PKG_VERSION"))
///     .environment("development")
///     .console()
///     .without_globals()
///     .install()?;
/// telemetry.tracer_provider().tracer("orders").start("checkout").end();
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing happens before `install`"]
pub struct TelemetryBuilder {
    attributes: Vec<KeyValue>,
    environment: Environment,
    exporters: DefaultExporters,
    strict: bool,
    subscriber: bool,
    globals: bool,
    shutdown_timeout: Duration,
    sampler: Option<Box<dyn ShouldSample>>,
    propagator: Option<SharedPropagator>,
    traces: Vec<Step<TracerProviderBuilder>>,
    logs: Vec<Step<LoggerProviderBuilder>>,
    metrics: Vec<Step<MeterProviderBuilder>>,
    views: Vec<View>,
}

impl TelemetryBuilder {
    pub(super) fn new(service_name: String) -> Self {
        Self {
            attributes: vec![KeyValue::new("service.name", service_name)],
            environment: Environment::from_process(),
            exporters: DefaultExporters::Otlp,
            strict: false,
            subscriber: true,
            globals: true,
            shutdown_timeout: Duration::from_secs(10),
            sampler: None,
            propagator: None,
            traces: Vec::new(),
            logs: Vec::new(),
            metrics: Vec::new(),
            views: Vec::new(),
        }
    }

    /// The version of the service: `service.version`.
    pub fn version(self, version: impl Into<String>) -> Self {
        self.resource_attribute("service.version", version.into())
    }

    /// The deployment environment, such as `production`, `staging`, `test` or `development`:
    /// `deployment.environment.name`.
    pub fn environment(self, name: impl Into<String>) -> Self {
        self.resource_attribute("deployment.environment.name", name.into())
    }

    /// The group of services this one belongs to: `service.namespace`.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        self.resource_attribute("service.namespace", namespace.into())
    }

    /// Any other attribute of the resource; the last value of a key counts.
    pub fn resource_attribute(
        mut self,
        key: impl Into<opentelemetry::Key>,
        value: impl Into<Value>,
    ) -> Self {
        self.attributes.push(KeyValue::new(key, value));
        self
    }

    /// For the developer's terminal: traces as trees on the standard output, log lines on the standard error, and no
    /// OTLP unless `OTEL_{TRACES,LOGS,METRICS}_EXPORTER` names it.
    pub fn console(mut self) -> Self {
        self.exporters = DefaultExporters::Console;
        self
    }

    /// No exporters but those given here, unless `OTEL_{TRACES,LOGS,METRICS}_EXPORTER` names some.
    pub fn without_exporters(mut self) -> Self {
        self.exporters = DefaultExporters::Nothing;
        self
    }

    /// Makes values of the environment that cannot be used an error instead of a warning.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Sets no `tracing` subscriber: for programs that compose their own of [`Telemetry::tracing_layer`] and
    /// [`Telemetry::log_layer`].
    pub fn without_subscriber(mut self) -> Self {
        self.subscriber = false;
        self
    }

    /// Sets nothing for the whole process: neither global providers nor propagator nor subscriber.
    pub fn without_globals(mut self) -> Self {
        self.globals = false;
        self.subscriber = false;
        self
    }

    /// Reads no environment variables, with the exceptions of [`with_environment`](Self::with_environment).
    pub fn without_environment(self) -> Self {
        self.with_environment(Environment::default())
    }

    /// Reads `environment` instead of the variables of the process.
    ///
    /// Three things still look at the variables of the process:
    ///
    /// - OTLP over HTTP finds its proxy in `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    /// - Where `environment` names no compression, the OTLP exporter looks for `OTEL_EXPORTER_OTLP_COMPRESSION`.
    /// - The HTTP layers and clients, which are set up apart from this, read
    ///   `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` unless their options name the methods.
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The longest a shutdown may take, for all signals together, and at most a day; 10 s unless set.
    ///
    /// A longer one helps traces and logs only: the SDK's periodic reader gives the last collection of metrics 5 s,
    /// whatever is set here.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout.min(DAY);
        self
    }

    /// Samples with `sampler`, whatever `OTEL_TRACES_SAMPLER` says.
    pub fn with_sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// Propagates with `propagator`, whatever `OTEL_PROPAGATORS` says.
    pub fn with_propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.propagator = Some(SharedPropagator::new(propagator));
        self
    }

    /// Adds a span processor.
    pub fn with_span_processor(mut self, processor: impl SpanProcessor + 'static) -> Self {
        self.traces
            .push(Box::new(|builder| builder.with_span_processor(processor)));
        self
    }

    /// Adds an exporter that gets each sampled span when it ends, on the thread that ends it.
    pub fn with_span_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.traces
            .push(Box::new(|builder| builder.with_simple_exporter(exporter)));
        self
    }

    /// Adds a log processor.
    pub fn with_log_processor(mut self, processor: impl LogProcessor + 'static) -> Self {
        self.logs
            .push(Box::new(|builder| builder.with_log_processor(processor)));
        self
    }

    /// Adds an exporter that gets each log record when it is emitted, on the thread that emits it.
    pub fn with_log_exporter(mut self, exporter: impl LogExporter + 'static) -> Self {
        self.logs
            .push(Box::new(|builder| builder.with_simple_exporter(exporter)));
        self
    }

    /// Adds a reader that collects metrics periodically. (The SDK's other readers are not part of its stable API.)
    pub fn with_metric_reader<E: PushMetricExporter>(mut self, reader: PeriodicReader<E>) -> Self {
        self.metrics
            .push(Box::new(|builder| builder.with_reader(reader)));
        self
    }

    /// Adds a view: how the instruments it answers for are aggregated.
    pub fn with_view(
        mut self,
        view: impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static,
    ) -> Self {
        self.views.push(Arc::new(view));
        self
    }

    /// Sets everything up: exporters, providers, the subscriber and the globals, in this order.
    ///
    /// Works inside and outside of asynchronous code. No connection is made yet: an endpoint that is away is no error.
    ///
    /// # Errors
    ///
    /// A setting that cannot work (an endpoint that is no URL, a header that HTTP does not allow, a certificate that
    /// cannot be read) is an error that names the variable. A wrong name or number in the environment is one only in
    /// [`strict`](Self::strict) mode; otherwise it is ignored with one warning.
    pub fn install(mut self) -> Result<Telemetry, SetupError> {
        let environment = &mut self.environment;
        let settings = Settings::read(environment, self.exporters)?;
        let resource = resource::resource(environment, &self.attributes);
        let filter = subscriber::filter(environment);
        let propagator = match self.propagator.take() {
            Some(propagator) => propagator,
            None => propagator(environment, &settings.propagators),
        };
        if self.strict && !environment.complaints().is_empty() {
            return Err(SetupError::Environment(environment.complaints().to_vec()));
        }

        let shutdown_timeout = self.shutdown_timeout;
        let (with_subscriber, globals) = (self.subscriber, self.globals);
        let complaints = environment.complaints().to_vec();
        let late_attributes = self.sampler.is_none() && settings.sampler.drops_most();
        let measures = !self.metrics.is_empty() || settings.metrics.is_exported();
        let providers = self.providers(&settings, &resource)?;

        let exporting = (!settings.disabled).then_some((&providers.traces, &providers.logs));
        let subscriber_taken = with_subscriber && !subscriber::install(&filter, exporting);
        if globals {
            if !settings.disabled {
                set_global_late_attributes(late_attributes);
                global::set_tracer_provider(providers.traces.clone());
                // A provider that nobody reads complains of every instrument that is observed.
                if measures {
                    global::set_meter_provider(providers.metrics.clone());
                }
            }
            global::set_text_map_propagator(propagator.clone());
        }
        for complaint in &complaints {
            report::warn(&complaint.to_string());
        }
        if subscriber_taken {
            report::warn(
                "a tracing subscriber is already set and stays: add telemetry.tracing_layer() and \
                 telemetry.log_layer() to it, or call without_subscriber()",
            );
        }
        Ok(Telemetry::new(
            providers,
            propagator,
            complaints,
            shutdown_timeout,
            settings.disabled,
        ))
    }

    fn providers(self, settings: &Settings, resource: &Resource) -> Result<Providers, SetupError> {
        let accounts = Accounts::new(
            settings.span_batches.queue_size,
            settings.log_batches.queue_size,
        );
        let mut traces = SdkTracerProvider::builder().with_resource(resource.clone());
        let mut logs = SdkLoggerProvider::builder().with_resource(resource.clone());
        let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone());
        if settings.disabled {
            return Ok(Providers {
                // Keeps a remote parent's decision for those further down.
                traces: traces
                    .with_sampler(Sampler::parent_based(Sampler::AlwaysOff))
                    .build(),
                logs: logs.build(),
                metrics: metrics.build(),
                accounts,
            });
        }
        // Before any processor: what cannot be built must not leave half a set-up behind.
        let exporters = Exporters::build(settings, &accounts)?;
        traces = traces
            .with_span_limits(settings.limits.into())
            .with_sampler(self.sampler.unwrap_or_else(|| settings.sampler.build()));
        for step in self.traces {
            traces = step(traces);
        }
        for step in self.logs {
            logs = step(logs);
        }
        for step in self.metrics {
            metrics = step(metrics);
        }
        if settings.traces.console {
            traces =
                traces.with_span_processor(ConsoleSpanProcessor::new(ConsoleSpanExporter::new()));
        }
        // The lines of the subscriber that `install` sets are the same thing.
        if settings.logs.console && !(self.subscriber && subscriber::is_free()) {
            logs = logs.with_simple_exporter(ConsoleLogExporter::new());
        }
        if settings.metrics.console {
            let reader = PeriodicReader::builder(ConsoleMetricExporter::new())
                .with_interval(settings.metric.interval);
            metrics = metrics.with_reader(reader.build());
        }
        (traces, logs, metrics) = exporters.attach(settings, &accounts, traces, logs, metrics);
        metrics = views(metrics, self.views, settings.metric.histogram);

        Ok(Providers {
            traces: traces.build(),
            logs: logs.build(),
            metrics: metrics.build(),
            accounts,
        })
    }
}

fn views(
    mut builder: MeterProviderBuilder,
    views: Vec<View>,
    histogram: HistogramAggregation,
) -> MeterProviderBuilder {
    for view in views.clone() {
        builder = builder.with_view(move |instrument: &Instrument| view(instrument));
    }
    if histogram == HistogramAggregation::ExponentialBuckets {
        builder = builder.with_view(move |instrument: &Instrument| {
            let unclaimed = || views.iter().all(|view| view(instrument).is_none());
            // Every view that answers makes a stream: the default must not answer beside the user's.
            (instrument.kind() == InstrumentKind::Histogram && unclaimed())
                .then(exponential_histogram)
                .flatten()
        });
    }
    builder
}

/// The defaults of the specification ("Metrics SDK": Base2 Exponential Bucket Histogram Aggregation).
fn exponential_histogram() -> Option<Stream> {
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: 160,
        max_scale: 20,
        record_min_max: true,
    };
    Stream::builder().with_aggregation(aggregation).build().ok()
}

fn propagator(environment: &mut Environment, names: &str) -> SharedPropagator {
    let (propagator, unknown) = CompositePropagator::from_names(names);
    for unknown in unknown {
        let elsewhere = ["xray", "ottrace"].contains(&unknown.name.to_ascii_lowercase().as_str());
        let problem = if elsewhere {
            "is known but not built in"
        } else {
            "is not known"
        };
        environment.complain(
            "OTEL_PROPAGATORS",
            &unknown.name,
            problem,
            &ALLOWED.join(", "),
        );
    }
    SharedPropagator::new(propagator)
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TelemetryBuilder")
            .field("attributes", &self.attributes)
            .field("environment", &self.environment)
            .field("strict", &self.strict)
            .field("subscriber", &self.subscriber)
            .field("globals", &self.globals)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .finish_non_exhaustive()
    }
}
