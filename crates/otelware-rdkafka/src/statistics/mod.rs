//! librdkafka's statistics as metrics.

mod metrics;
mod snapshot;

use metrics::{METRICS, Metric, Point};
use otelware::messaging::Client;
use snapshot::Snapshot;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The last statistics of a client, which its metrics are read from whenever they are collected.
#[derive(Debug)]
pub(crate) struct Statistics {
    /// Weak: the client's telemetry has this, and the meter's callbacks outlive both.
    client: Weak<Client>,
    itself: Weak<Self>,
    is_observed: OnceLock<()>,
    /// For each of the metrics, its points.
    points: Mutex<Vec<Vec<Point>>>,
}

impl Statistics {
    pub(crate) fn new(client: &Arc<Client>) -> Arc<Self> {
        Arc::new_cyclic(|itself| Self {
            client: Arc::downgrade(client),
            itself: itself.clone(),
            is_observed: OnceLock::new(),
            points: Mutex::default(),
        })
    }

    /// Takes statistics over as librdkafka writes them; what can't be read is left out.
    pub(crate) fn record_raw(&self, raw: &[u8]) {
        if let Ok(snapshot) = serde_json::from_slice(raw) {
            self.record(&snapshot);
        }
    }

    pub(crate) fn record(&self, snapshot: &Snapshot) {
        let Some(client) = self.client.upgrade() else {
            return;
        };
        let read = |metric: &Metric| metric.read(snapshot, client.broker());
        *self.points() = METRICS.iter().map(read).collect();
        self.is_observed.get_or_init(|| {
            let meter = client.instrumentation().meter();
            for (index, metric) in METRICS.iter().enumerate() {
                let statistics = self.itself.clone();
                metric.observe(meter, move |tell| {
                    if let Some(statistics) = statistics.upgrade()
                        && let Some(points) = statistics.points().get(index)
                    {
                        points.iter().for_each(tell);
                    }
                });
            }
        });
    }

    /// Forgets the statistics: their client is gone.
    pub(crate) fn clear(&self) {
        self.points().clear();
    }

    fn points(&self) -> MutexGuard<'_, Vec<Vec<Point>>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
