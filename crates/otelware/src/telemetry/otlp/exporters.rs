//! OTLP exporters, ready to be given to processors and readers.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, RetryPolicy, SpanExporter,
};
use opentelemetry_sdk::metrics::Temporality;

use super::OtlpSettings;
#[cfg(feature = "otlp-grpc")]
use super::Protocol;
#[cfg(feature = "otlp-grpc")]
use super::grpc;
#[cfg(feature = "otlp-http")]
use super::http;
use crate::telemetry::account::Account;
use crate::telemetry::delivery::Delivery;
use crate::telemetry::error::SetupError;
use crate::telemetry::runtime::ExportRuntime;

/// As many retries as fit into the export timeout, which is the limit that counts.
pub(super) fn retry_policy() -> RetryPolicy {
    RetryPolicy::recommended().with_max_retries(1000)
}

/// Builds the exporters of one [`Telemetry`](crate::telemetry::Telemetry).
pub(in crate::telemetry) struct OtlpExporters<'a> {
    pub(in crate::telemetry) runtime: &'a ExportRuntime,
}

impl OtlpExporters<'_> {
    pub(in crate::telemetry) fn spans(
        &self,
        settings: &OtlpSettings,
        account: &Arc<Account>,
        timeout: Duration,
        value_length: Option<usize>,
    ) -> Result<Delivery<SpanExporter>, SetupError> {
        let _context = self.runtime.enter();
        let exporter = match settings.protocol {
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => {
                grpc::configure(SpanExporter::builder().with_tonic(), settings, account)?.build()
            }
            #[cfg(feature = "otlp-http")]
            _ => http::configure(SpanExporter::builder().with_http(), settings, account)?.build(),
        };
        self.deliver(exporter, settings, account, timeout, value_length)
    }

    pub(in crate::telemetry) fn logs(
        &self,
        settings: &OtlpSettings,
        account: &Arc<Account>,
        timeout: Duration,
    ) -> Result<Delivery<LogExporter>, SetupError> {
        let _context = self.runtime.enter();
        let exporter = match settings.protocol {
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => {
                grpc::configure(LogExporter::builder().with_tonic(), settings, account)?.build()
            }
            #[cfg(feature = "otlp-http")]
            _ => http::configure(LogExporter::builder().with_http(), settings, account)?.build(),
        };
        self.deliver(exporter, settings, account, timeout, None)
    }

    pub(in crate::telemetry) fn metrics(
        &self,
        settings: &OtlpSettings,
        account: &Arc<Account>,
        timeout: Duration,
        temporality: Temporality,
    ) -> Result<Delivery<MetricExporter>, SetupError> {
        let _context = self.runtime.enter();
        let builder = MetricExporter::builder().with_temporality(temporality);
        let exporter = match settings.protocol {
            #[cfg(feature = "otlp-grpc")]
            Protocol::Grpc => grpc::configure(builder.with_tonic(), settings, account)?.build(),
            #[cfg(feature = "otlp-http")]
            _ => http::configure(builder.with_http(), settings, account)?.build(),
        };
        self.deliver(exporter, settings, account, timeout, None)
    }

    fn deliver<E>(
        &self,
        exporter: Result<E, ExporterBuildError>,
        settings: &OtlpSettings,
        account: &Arc<Account>,
        timeout: Duration,
        value_length: Option<usize>,
    ) -> Result<Delivery<E>, SetupError> {
        let exporter = exporter
            .map_err(|error| settings.endpoint.error(&format!("cannot be used: {error}")))?;
        Ok(Delivery {
            exporter,
            runtime: self.runtime.clone(),
            account: Arc::clone(account),
            timeout: timeout.min(settings.timeout),
            destination: settings.endpoint.shown(),
            value_length,
        })
    }
}
