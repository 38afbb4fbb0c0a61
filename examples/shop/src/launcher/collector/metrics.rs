//! The last metrics of each service. They are cumulative, so that the last say it all.

use super::text;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{NumberDataPoint, ResourceMetrics};
use std::collections::BTreeMap;

/// As many services as the collector tells apart.
#[derive(Default)]
pub(super) struct Metrics(BTreeMap<String, ResourceMetrics>);

impl Metrics {
    /// Takes a collection of all metrics of a service in the place of the one before.
    pub(super) fn accept(&mut self, service: String, metrics: ResourceMetrics) {
        self.0.insert(service, metrics);
    }

    pub(super) fn last(&self) -> Vec<(String, ResourceMetrics)> {
        self.0
            .iter()
            .map(|(service, metrics)| (service.clone(), metrics.clone()))
            .collect()
    }

    /// What a counter or a gauge of integers comes to: those of its series, of all services, that have the attribute.
    pub(super) fn sum(&self, name: &str, attribute: Option<(&str, &str)>) -> u64 {
        let has = |point: &&NumberDataPoint| {
            attribute.is_none_or(|(key, value)| text(&point.attributes, key) == Some(value))
        };
        self.0
            .values()
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics)
            .filter(|metric| metric.name == name)
            .filter_map(|metric| match metric.data.as_ref()? {
                Data::Sum(sum) => Some(&sum.data_points),
                Data::Gauge(gauge) => Some(&gauge.data_points),
                _ => None,
            })
            .flatten()
            .filter(has)
            .map(whole)
            .sum()
    }
}

fn whole(point: &NumberDataPoint) -> u64 {
    match point.value {
        Some(Value::AsInt(value)) => u64::try_from(value).unwrap_or_default(),
        _ => 0,
    }
}
