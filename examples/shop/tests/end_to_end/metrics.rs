//! The last that was received of each metric.

use std::collections::{BTreeMap, BTreeSet};

use otelware_testing::otlp::Received;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};

use crate::traces::{service, value_text};

/// A series: the service, the metric, and the attributes.
type Series = (String, String, String);

/// The value of each series of sums when it was last received. Those that go down, too, are apart.
#[derive(Debug, Default)]
pub(crate) struct LastSums {
    pub(crate) counters: BTreeMap<Series, f64>,
    pub(crate) up_down_counters: BTreeMap<Series, f64>,
}

impl LastSums {
    pub(crate) fn of(received: &Received) -> Self {
        let mut last = Self::default();
        for resource in (received.metrics.iter()).flat_map(|export| &export.resource_metrics) {
            let service = service(resource.resource.as_ref());
            for metric in (resource.scope_metrics.iter()).flat_map(|scope| &scope.metrics) {
                last.add(&service, metric);
            }
        }
        last
    }

    fn add(&mut self, service: &str, metric: &Metric) {
        let Some(Data::Sum(sum)) = &metric.data else {
            return;
        };
        let series = match sum.is_monotonic {
            true => &mut self.counters,
            false => &mut self.up_down_counters,
        };
        for point in &sum.data_points {
            let key = (service.to_owned(), metric.name.clone(), attributes(point));
            series.insert(key, value(point));
        }
    }

    /// The sum of all series of a counter whose attributes have this in them.
    pub(crate) fn count(&self, name: &str, attribute: &str) -> f64 {
        let of = |(series, _): &(&Series, &f64)| series.1 == name && series.2.contains(attribute);
        self.counters
            .iter()
            .filter(of)
            .map(|(_, value)| value)
            .sum()
    }

    /// Asserts that nothing is under way any more, in any service.
    #[track_caller]
    pub(crate) fn assert_nothing_in_flight(&self) {
        let off: Vec<_> = (self.up_down_counters.iter())
            .filter(|(series, value)| **value != 0.0 && !stays(series))
            .collect();
        assert!(off.is_empty(), "still in flight: {off:#?}");
        let names = self.up_down_counters.keys().map(|series| &*series.1);
        let names: BTreeSet<&str> = names.collect();
        let missing: Vec<_> = IN_FLIGHT
            .iter()
            .filter(|name| !names.contains(**name))
            .collect();
        assert!(missing.is_empty(), "nobody counts {missing:?}");
    }
}

/// What must be counted, so that it can be at zero.
const IN_FLIGHT: [&str; 6] = [
    "db.client.connection.count",
    "db.client.connection.pending_requests",
    "http.server.active_requests",
    "otelware.rabbitmq.pending_confirms",
    "otelware.rabbitmq.unacknowledged_deliveries",
    "otelware.rpc.server.active_calls",
];

/// What is not at zero as long as the service runs.
fn stays((service, name, attributes): &Series) -> bool {
    match &**name {
        "db.client.connection.limit" | "db.client.connection.idle.min" => true,
        "db.client.connection.count" => attributes.contains("db.client.connection.state=idle"),
        "otelware.kafka.consumer.assigned_partitions" => true,
        // A consumer always asks for more.
        "otelware.kafka.broker.requests.in_flight" => service == "fulfilment",
        _ => false,
    }
}

fn attributes(point: &NumberDataPoint) -> String {
    let pairs = point.attributes.iter();
    let mut pairs: Vec<String> = pairs
        .map(|pair| format!("{}={}", pair.key, value_text(pair.value.as_ref())))
        .collect();
    pairs.sort();
    pairs.join(" ")
}

fn value(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Value::AsInt(value)) => value as f64,
        Some(Value::AsDouble(value)) => value,
        None => f64::NAN,
    }
}
