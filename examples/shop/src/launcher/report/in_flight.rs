//! What had begun and not ended when all was over. A counter that does not return to zero never will.

use super::points::{label, metrics, number, numbers};
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use otelware::semconv::{attribute, metric};

/// With the attribute that a series must have to count, where not all do.
const COUNTERS: [(&str, Option<(&str, &str)>); 8] = [
    (metric::HTTP_SERVER_ACTIVE_REQUESTS, None),
    (metric::HTTP_CLIENT_ACTIVE_REQUESTS, None),
    (metric::RPC_SERVER_ACTIVE_CALLS, None),
    (metric::RPC_CLIENT_ACTIVE_CALLS, None),
    (metric::DB_CLIENT_CONNECTION_PENDING_REQUESTS, None),
    (
        metric::DB_CLIENT_CONNECTION_COUNT,
        Some((attribute::DB_CLIENT_CONNECTION_STATE, "used")),
    ),
    (metric::RABBITMQ_PENDING_CONFIRMS, None),
    (metric::RABBITMQ_UNACKNOWLEDGED_DELIVERIES, None),
];

/// Each counter that is not zero, with its service and its value.
pub(super) fn left(services: &[(String, ResourceMetrics)]) -> Vec<String> {
    let mut left = Vec::new();
    for (service, resource) in services {
        for metric in metrics(resource) {
            let known = COUNTERS.iter().find(|(name, _)| *name == metric.name);
            let Some((name, only)) = known else {
                continue;
            };
            for point in numbers(metric) {
                let counts =
                    only.is_none_or(|(key, value)| label(&point.attributes, &[key]) == value);
                if counts && number(point) != 0.0 {
                    left.push(format!("{service}  {name}  {}", number(point)));
                }
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
    use opentelemetry_proto::tonic::metrics::v1::{
        Metric, NumberDataPoint, ScopeMetrics, Sum, metric::Data,
    };

    fn counter(name: &str, points: &[(&str, i64)]) -> Metric {
        let point = |(state, value): &(&str, i64)| NumberDataPoint {
            attributes: vec![KeyValue {
                key: attribute::DB_CLIENT_CONNECTION_STATE.to_owned(),
                value: Some(AnyValue {
                    value: Some(any_value::Value::StringValue((*state).to_owned())),
                }),
                ..KeyValue::default()
            }],
            value: Some(Value::AsInt(*value)),
            ..NumberDataPoint::default()
        };
        Metric {
            name: name.to_owned(),
            data: Some(Data::Sum(Sum {
                data_points: points.iter().map(point).collect(),
                ..Sum::default()
            })),
            ..Metric::default()
        }
    }

    #[test]
    fn what_is_not_zero_is_left() {
        let scope = ScopeMetrics {
            metrics: vec![
                counter(metric::HTTP_SERVER_ACTIVE_REQUESTS, &[("", 0), ("", 2)]),
                counter(
                    metric::DB_CLIENT_CONNECTION_COUNT,
                    &[("idle", 3), ("used", 1)],
                ),
                counter("shop.orders", &[("", 8)]),
            ],
            ..ScopeMetrics::default()
        };
        let resource = ResourceMetrics {
            scope_metrics: vec![scope],
            ..ResourceMetrics::default()
        };
        assert_eq!(
            left(&[("orders".to_owned(), resource)]),
            [
                "orders  http.server.active_requests  2",
                "orders  db.client.connection.count  1",
            ]
        );
    }
}
