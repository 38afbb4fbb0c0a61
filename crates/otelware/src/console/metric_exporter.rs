//! The exporter that prints metrics.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use super::metric_summary::render_metrics;
use super::output::{Output, lock};

/// Prints a table of all metrics on each export: values of counters and gauges; count, mean, p50, p95 and maximum of
/// histograms.
///
/// Figures are in the metric's own unit and cumulative, that is since the start of the process. The quantiles are
/// estimates, interpolated within the histogram's buckets. At most 20 attribute sets are printed per metric.
///
/// # Errors
///
/// Exporting fails if the writer fails, and after shutdown.
#[derive(Clone, Debug)]
pub struct ConsoleMetricExporter {
    output: Arc<Mutex<Output>>,
}

impl ConsoleMetricExporter {
    /// Writes to the standard output.
    pub fn new() -> Self {
        Self {
            output: Arc::new(Mutex::new(Output::stdout())),
        }
    }

    /// Writes to `writer`.
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self {
            output: Arc::new(Mutex::new(Output::to_writer(writer))),
        }
    }
}

impl Default for ConsoleMetricExporter {
    fn default() -> Self {
        Self::new()
    }
}

impl PushMetricExporter for ConsoleMetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut output = lock(&self.output);
        output.ensure_running()?;
        output.write(&render_metrics(metrics))
    }

    fn force_flush(&self) -> OTelSdkResult {
        lock(&self.output).ensure_running()
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        lock(&self.output).shut_down()
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
