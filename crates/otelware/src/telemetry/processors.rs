//! The SDK's batch processors with exact admission in front.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::logs::Severity;
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{self, BatchLogProcessor, LogExporter, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{
    self, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use super::account::Account;
use super::settings::BatchSettings;

/// Batches spans: only sampled ones, and never more than the queue holds.
#[derive(Debug)]
pub(super) struct AdmittingSpanProcessor {
    batching: BatchSpanProcessor,
    account: Arc<Account>,
}

impl AdmittingSpanProcessor {
    pub(super) fn new(
        exporter: impl SpanExporter + 'static,
        batch: &BatchSettings,
        account: &Arc<Account>,
    ) -> Self {
        let config = trace::BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue_size)
            .with_max_export_batch_size(batch.batch_size)
            .with_scheduled_delay(batch.delay)
            .build();
        Self {
            batching: BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
            account: Arc::clone(account),
        }
    }
}

impl SpanProcessor for AdmittingSpanProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batching.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // The SDK's processor exports recorded spans that were not sampled, against the specification.
        if span.span_context.is_sampled() && self.account.admit() {
            self.batching.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batching.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.account.attempts().close();
        let result = self.batching.shutdown_with_timeout(timeout);
        self.account.close();
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batching.set_resource(resource);
    }
}

/// Batches log records, never more than the queue holds.
#[derive(Debug)]
pub(super) struct AdmittingLogProcessor {
    batching: BatchLogProcessor,
    account: Arc<Account>,
}

impl AdmittingLogProcessor {
    pub(super) fn new(
        exporter: impl LogExporter + 'static,
        batch: &BatchSettings,
        account: &Arc<Account>,
    ) -> Self {
        let config = logs::BatchConfigBuilder::default()
            .with_max_queue_size(batch.queue_size)
            .with_max_export_batch_size(batch.batch_size)
            .with_scheduled_delay(batch.delay)
            .build();
        Self {
            batching: BatchLogProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
            account: Arc::clone(account),
        }
    }
}

impl LogProcessor for AdmittingLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.account.admit() {
            self.batching.emit(record, scope);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batching.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.account.attempts().close();
        let result = self.batching.shutdown_with_timeout(timeout);
        self.account.close();
        result
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.batching.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batching.set_resource(resource);
    }
}
