//! The metrics that tell most, one line for each service and what it did.

use super::points::{label, metrics, number, numbers};
use super::table::Table;
use opentelemetry_proto::tonic::metrics::v1::{HistogramDataPoint, ResourceMetrics, metric::Data};
use otelware::console::histogram_quantile;
use otelware::semconv::{attribute, metric};
use std::collections::BTreeMap;

/// Durations, and the attributes by which they are told apart.
const DURATIONS: [(&str, &[&str]); 7] = [
    (
        metric::HTTP_SERVER_REQUEST_DURATION,
        &[attribute::HTTP_REQUEST_METHOD, attribute::HTTP_ROUTE],
    ),
    (
        metric::HTTP_CLIENT_REQUEST_DURATION,
        &[attribute::HTTP_REQUEST_METHOD, attribute::URL_TEMPLATE],
    ),
    (metric::RPC_SERVER_CALL_DURATION, &[attribute::RPC_METHOD]),
    (metric::RPC_CLIENT_CALL_DURATION, &[attribute::RPC_METHOD]),
    (
        metric::DB_CLIENT_OPERATION_DURATION,
        &[attribute::DB_SYSTEM_NAME],
    ),
    (
        metric::MESSAGING_CLIENT_OPERATION_DURATION,
        &[
            attribute::MESSAGING_OPERATION_NAME,
            attribute::MESSAGING_DESTINATION_NAME,
        ],
    ),
    (
        metric::MESSAGING_PROCESS_DURATION,
        &[attribute::MESSAGING_DESTINATION_NAME],
    ),
];

/// Counters, and the attribute by which their series are told apart.
const COUNTERS: [(&str, &[&str]); 2] = [
    ("shop.orders", &["shop.order.outcome"]),
    ("shop.notifications", &["shop.notification.outcome"]),
];

/// The order of the services: the way of an order.
const SERVICES: [&str; 7] = [
    super::CUSTOMER,
    "gateway",
    "orders",
    "payments",
    "inventory",
    "fulfilment",
    "notifier",
];

pub(super) fn table(services: &[(String, ResourceMetrics)]) -> Table {
    let titles = ["service", "metric", "of", "count", "errors", "p50", "p95"];
    let mut table = Table::new(3, &titles);
    for service in SERVICES {
        let resource = services.iter().find(|(name, _)| name == service);
        if let Some((_, resource)) = resource {
            push_counters(&mut table, service, resource);
            push_durations(&mut table, service, resource);
        }
    }
    table
}

fn push_counters(table: &mut Table, service: &str, resource: &ResourceMetrics) {
    for (name, keys) in COUNTERS {
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        let named = metrics(resource).filter(|metric| metric.name == name);
        for point in named.flat_map(numbers) {
            *counts.entry(label(&point.attributes, keys)).or_default() += number(point);
        }
        for (label, count) in counts {
            table.push(vec![
                service.to_owned(),
                name.to_owned(),
                label,
                count.to_string(),
            ]);
        }
    }
}

fn push_durations(table: &mut Table, service: &str, resource: &ResourceMetrics) {
    for (name, keys) in DURATIONS {
        let mut merged: BTreeMap<String, Merged> = BTreeMap::new();
        for metric in metrics(resource).filter(|metric| metric.name == name) {
            if let Some(Data::Histogram(histogram)) = &metric.data {
                for point in &histogram.data_points {
                    let label = label(&point.attributes, keys);
                    merged.entry(label).or_default().add(point);
                }
            }
        }
        for (label, merged) in merged {
            let quantile = |quantile| {
                merged
                    .quantile(quantile)
                    .map_or("–".to_owned(), milliseconds)
            };
            table.push(vec![
                service.to_owned(),
                name.to_owned(),
                label,
                merged.count.to_string(),
                merged.errors.to_string(),
                quantile(0.5),
                quantile(0.95),
            ]);
        }
    }
}

/// Several series as one.
#[derive(Default)]
struct Merged {
    count: u64,
    errors: u64,
    bounds: Vec<f64>,
    buckets: Vec<u64>,
    /// None from when one of them is not known.
    extremes: Option<(f64, f64)>,
}

impl Merged {
    fn add(&mut self, point: &HistogramDataPoint) {
        let extremes = point.min.zip(point.max);
        if self.count == 0 {
            self.bounds.clone_from(&point.explicit_bounds);
            self.buckets = vec![0; point.bucket_counts.len()];
            self.extremes = extremes;
        }
        self.count += point.count;
        if point
            .attributes
            .iter()
            .any(|it| it.key == attribute::ERROR_TYPE)
        {
            self.errors += point.count;
        }
        // One instrument has one set of bounds.
        for (sum, count) in self.buckets.iter_mut().zip(&point.bucket_counts) {
            *sum += count;
        }
        self.extremes = self
            .extremes
            .zip(extremes)
            .map(|(sum, point)| (sum.0.min(point.0), sum.1.max(point.1)));
    }

    fn quantile(&self, quantile: f64) -> Option<f64> {
        histogram_quantile(&self.bounds, &self.buckets, self.extremes, quantile)
    }
}

/// Seconds, in milliseconds.
pub(super) fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1e3;
    let decimals = if milliseconds < 10.0 { 1 } else { 0 };
    format!("{milliseconds:.decimals$} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(count: u64, buckets: [u64; 3], min: f64, max: f64) -> HistogramDataPoint {
        HistogramDataPoint {
            count,
            explicit_bounds: vec![0.1, 0.2],
            bucket_counts: buckets.to_vec(),
            min: Some(min),
            max: Some(max),
            ..HistogramDataPoint::default()
        }
    }

    #[test]
    fn series_are_merged() {
        let mut merged = Merged::default();
        merged.add(&point(3, [3, 0, 0], 0.02, 0.08));
        merged.add(&point(1, [0, 0, 1], 0.4, 0.4));
        assert_eq!((merged.count, merged.errors), (4, 0));
        let quantiles = [0.0, 0.75, 1.0].map(|quantile| merged.quantile(quantile));
        assert_eq!(quantiles, [Some(0.02), Some(0.1), Some(0.4)]);
    }

    #[test]
    fn durations_have_two_figures_at_least() {
        let texts = [0.00012, 0.0042, 0.0123, 1.5].map(milliseconds);
        assert_eq!(texts, ["0.1 ms", "4.2 ms", "12 ms", "1500 ms"]);
    }
}
