//! What was exported, by the names that Prometheus has for it.

use otelware_testing::otlp::opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::KeyValue;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::Metric;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::metric::Data;
use std::collections::{BTreeMap, BTreeSet};

/// The labels that series have, by the name of their metric.
#[derive(Debug, Default)]
pub(crate) struct Exported(BTreeMap<String, BTreeSet<String>>);

impl Exported {
    pub(crate) fn of(requests: &[ExportMetricsServiceRequest]) -> Self {
        let mut exported = Self::default();
        requests
            .iter()
            .flat_map(|request| &request.resource_metrics)
            .flat_map(|resource| &resource.scope_metrics)
            .flat_map(|scope| &scope.metrics)
            .for_each(|metric| exported.add(metric));
        exported
    }

    /// The labels of a metric, if there is one of that name.
    pub(crate) fn labels(&self, metric: &str) -> Option<&BTreeSet<String>> {
        self.0.get(metric)
    }

    pub(crate) fn has(&self, metric: &str, label: &str) -> bool {
        self.labels(metric)
            .is_some_and(|labels| labels.contains(label))
    }

    pub(crate) fn any_has(&self, label: &str) -> bool {
        self.0.keys().any(|metric| self.has(metric, label))
    }

    fn add(&mut self, metric: &Metric) {
        let (suffixes, attributes): (&[&str], Vec<&[KeyValue]>) = match &metric.data {
            Some(Data::Gauge(gauge)) => (
                &[""],
                gauge
                    .data_points
                    .iter()
                    .map(|point| &*point.attributes)
                    .collect(),
            ),
            Some(Data::Sum(sum)) => (
                if sum.is_monotonic { &["_total"] } else { &[""] },
                sum.data_points
                    .iter()
                    .map(|point| &*point.attributes)
                    .collect(),
            ),
            Some(Data::Histogram(histogram)) => (
                &["_bucket", "_sum", "_count"],
                histogram
                    .data_points
                    .iter()
                    .map(|point| &*point.attributes)
                    .collect(),
            ),
            other => panic!("{}: {other:?}", metric.name),
        };
        let name = with_unit(underscored(&metric.name), &metric.unit);
        for suffix in suffixes {
            let labels = self.0.entry(format!("{name}{suffix}")).or_default();
            let keys = attributes
                .iter()
                .copied()
                .flatten()
                .map(|pair| underscored(&pair.key));
            // Prometheus and the collector add these.
            labels.extend(keys.chain(["job", "instance"].map(str::to_owned)));
            if *suffix == "_bucket" {
                labels.insert("le".to_owned());
            }
        }
    }
}

fn underscored(name: &str) -> String {
    name.replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

/// Units in braces, `{request}`, are left out.
fn with_unit(name: String, unit: &str) -> String {
    let unit = match unit {
        "s" => "seconds",
        "By" => "bytes",
        other if other.is_empty() || other.starts_with('{') => return name,
        other => panic!("{name}: what does Prometheus make of the unit {other}?"),
    };
    format!("{name}_{unit}")
}
