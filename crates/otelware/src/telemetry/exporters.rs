//! The OTLP exporters of the three signals, between the settings and the providers.

use opentelemetry_sdk::logs::LoggerProviderBuilder;
use opentelemetry_sdk::metrics::MeterProviderBuilder;
use opentelemetry_sdk::trace::TracerProviderBuilder;

use super::account::Accounts;
use super::error::SetupError;
use super::settings::Settings;

type Builders = (
    TracerProviderBuilder,
    LoggerProviderBuilder,
    MeterProviderBuilder,
);

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(super) use otlp::Exporters;

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
mod otlp {
    use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
    use opentelemetry_sdk::metrics::PeriodicReader;

    use super::*;
    use crate::telemetry::delivery::Delivery;
    use crate::telemetry::otlp::OtlpExporters;
    use crate::telemetry::processors::{AdmittingLogProcessor, AdmittingSpanProcessor};
    use crate::telemetry::runtime::ExportRuntime;

    /// The OTLP exporters that the settings ask for.
    #[derive(Default)]
    pub(in crate::telemetry) struct Exporters {
        spans: Option<Delivery<SpanExporter>>,
        logs: Option<Delivery<LogExporter>>,
        metrics: Option<Delivery<MetricExporter>>,
    }

    impl Exporters {
        pub(in crate::telemetry) fn build(
            settings: &Settings,
            accounts: &Accounts,
        ) -> Result<Self, SetupError> {
            let mut built = Self::default();
            let targets = (
                &settings.traces.otlp,
                &settings.logs.otlp,
                &settings.metrics.otlp,
            );
            if matches!(targets, (None, None, None)) {
                return Ok(built);
            }
            let runtime = ExportRuntime::start()?;
            let exporters = OtlpExporters { runtime: &runtime };
            if let Some(otlp) = &settings.traces.otlp {
                let timeout = settings.span_batches.timeout;
                let length = settings.limits.value_length;
                built.spans = Some(exporters.spans(otlp, &accounts.spans, timeout, length)?);
            }
            if let Some(otlp) = &settings.logs.otlp {
                let timeout = settings.log_batches.timeout;
                built.logs = Some(exporters.logs(otlp, &accounts.logs, timeout)?);
            }
            if let Some(otlp) = &settings.metrics.otlp {
                let (timeout, temporality) = (settings.metric.timeout, settings.metric.temporality);
                built.metrics =
                    Some(exporters.metrics(otlp, &accounts.metrics, timeout, temporality)?);
            }
            Ok(built)
        }

        pub(in crate::telemetry) fn attach(
            self,
            settings: &Settings,
            accounts: &Accounts,
            traces: TracerProviderBuilder,
            logs: LoggerProviderBuilder,
            metrics: MeterProviderBuilder,
        ) -> Builders {
            let traces = match self.spans {
                Some(exporter) => {
                    let batches = &settings.span_batches;
                    traces.with_span_processor(AdmittingSpanProcessor::new(
                        exporter,
                        batches,
                        &accounts.spans,
                    ))
                }
                None => traces,
            };
            let logs = match self.logs {
                Some(exporter) => {
                    let batches = &settings.log_batches;
                    logs.with_log_processor(AdmittingLogProcessor::new(
                        exporter,
                        batches,
                        &accounts.logs,
                    ))
                }
                None => logs,
            };
            let metrics = match self.metrics {
                Some(exporter) => {
                    let reader =
                        PeriodicReader::builder(exporter).with_interval(settings.metric.interval);
                    metrics.with_reader(reader.build())
                }
                None => metrics,
            };
            (traces, logs, metrics)
        }
    }
}

#[cfg(not(any(feature = "otlp-grpc", feature = "otlp-http")))]
pub(super) struct Exporters;

#[cfg(not(any(feature = "otlp-grpc", feature = "otlp-http")))]
impl Exporters {
    pub(super) fn build(_: &Settings, _: &Accounts) -> Result<Self, SetupError> {
        Ok(Self)
    }

    pub(super) fn attach(
        self,
        _: &Settings,
        _: &Accounts,
        traces: TracerProviderBuilder,
        logs: LoggerProviderBuilder,
        metrics: MeterProviderBuilder,
    ) -> Builders {
        (traces, logs, metrics)
    }
}
