//! Where the SDK's processors put what they receive.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::metric::{Metric, metrics_of};
use crate::started::StartedRecord;

/// Everything captured so far, as the SDK handed it over: reading it converts it, so that a panic about its content happens in
/// the test and not in the code under test.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) spans: Vec<SpanData>,
    pub(crate) started: Vec<StartedRecord>,
    pub(crate) logs: Vec<(SdkLogRecord, InstrumentationScope)>,
    pub(crate) metrics: Vec<Metric>,
    /// What the cumulative metrics had reached at the last reset.
    pub(crate) metrics_at_reset: Vec<Metric>,
    /// Recording spans that have not ended.
    pub(crate) open_spans: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    records: Mutex<Records>,
    changed: Condvar,
}

impl Store {
    pub(crate) fn read(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Records)) {
        change(&mut self.read());
        self.changed.notify_all();
    }

    pub(crate) fn add_started(&self, started: StartedRecord) {
        self.change(|records| records.started.push(started));
    }

    /// Returns at the next change or after `limit`.
    pub(crate) fn await_change(&self, limit: Duration) {
        drop(self.changed.wait_timeout(self.read(), limit));
    }
}

/// The end of each pipeline of the SDK.
#[derive(Clone, Debug)]
pub(crate) struct Receiver(pub(crate) Arc<Store>);

impl SpanProcessor for Receiver {
    fn on_start(&self, _span: &mut Span, _context: &Context) {
        self.0.change(|records| records.open_spans += 1);
    }

    fn on_end(&self, span: SpanData) {
        self.0.change(|records| {
            records.open_spans = records.open_spans.saturating_sub(1);
            // As the SDK's own processors do: recorded but not sampled is never exported.
            if span.span_context.is_sampled() {
                records.spans.push(span);
            }
        });
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Receiver {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.0
            .change(|records| records.logs.push((record.clone(), scope.clone())));
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl PushMetricExporter for Receiver {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let metrics = metrics_of(metrics);
        // No notice of a change: a condition that reads metrics would wake itself.
        self.0.read().metrics = metrics;
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
