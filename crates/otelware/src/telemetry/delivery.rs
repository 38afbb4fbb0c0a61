//! The layer around every OTLP exporter: runtime, time limit, counts, errors that say what happened.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::account::Account;
use super::runtime::ExportRuntime;
use super::seconds;
use super::truncate::truncate_span;

/// Delivers what an exporter is given on the exporters' runtime and keeps the account of it.
pub(super) struct Delivery<E> {
    pub(super) exporter: E,
    pub(super) runtime: ExportRuntime,
    pub(super) account: Arc<Account>,
    /// The longest one export may take, retries included.
    pub(super) timeout: Duration,
    /// Where it goes, for messages; without credentials.
    pub(super) destination: String,
    /// The longest attribute value of a span, in characters.
    pub(super) value_length: Option<usize>,
}

impl<E> Delivery<E> {
    async fn deliver(
        &self,
        items: u64,
        export: impl Future<Output = OTelSdkResult>,
    ) -> OTelSdkResult {
        self.account.begin_export(items);
        let timeout = self.timeout;
        // Inside the block, because a timer needs the runtime from its creation on.
        let limited = self
            .runtime
            .run(async move { tokio::time::timeout(timeout, export).await });
        let result = match limited.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(_) => Err(self.message(&format!("no answer within {}", seconds(timeout)))),
        };
        self.account
            .end_export(items, result.as_ref().err().map(String::as_str));
        result.map_err(OTelSdkError::InternalFailure)
    }

    fn explain(&self, error: OTelSdkError) -> String {
        let attempts = self.account.attempts();
        let network_error = attempts.network_error();
        let cause = match (network_error, error) {
            (Some(network_error), _) => network_error,
            (None, _) if attempts.gave_up() => "not accepted before the shutdown".to_owned(),
            (None, OTelSdkError::InternalFailure(message)) => message,
            (None, error) => error.to_string(),
        };
        self.message(&cause)
    }

    fn message(&self, cause: &str) -> String {
        format!("sending to {} failed: {cause}", self.destination)
    }
}

impl<E> fmt::Debug for Delivery<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Delivery")
            .field("signal", &self.account.signal())
            .field("destination", &self.destination)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

impl<E: SpanExporter> SpanExporter for Delivery<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        if let Some(length) = self.value_length {
            batch
                .iter_mut()
                .for_each(|span| truncate_span(span, length));
        }
        self.deliver(count(batch.len()), self.exporter.export(batch))
            .await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Delivery<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.deliver(count(batch.iter().count()), self.exporter.export(batch))
            .await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Delivery<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.deliver(1, self.exporter.export(metrics)).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
