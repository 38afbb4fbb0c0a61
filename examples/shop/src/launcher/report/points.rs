//! Metrics as they came over OTLP.

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Metric, NumberDataPoint, ResourceMetrics, metric::Data,
};

/// All metrics of a service.
pub(super) fn metrics(resource: &ResourceMetrics) -> impl Iterator<Item = &Metric> {
    let scopes = resource.scope_metrics.iter();
    scopes.flat_map(|scope| &scope.metrics)
}

/// The points of a counter or a gauge.
pub(super) fn numbers(metric: &Metric) -> &[NumberDataPoint] {
    match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        _ => &[],
    }
}

pub(super) fn number(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(Number::AsInt(value)) => value as f64,
        Some(Number::AsDouble(value)) => value,
        None => 0.0,
    }
}

/// The values of those attributes that are there, in one text.
pub(super) fn label(attributes: &[KeyValue], keys: &[&str]) -> String {
    let find = |key: &&str| attributes.iter().find(|attribute| attribute.key == **key);
    let values: Vec<String> = keys
        .iter()
        .filter_map(find)
        .filter_map(|attribute| attribute.value.as_ref()?.value.as_ref())
        .map(|value| match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(value) => value.to_string(),
            Value::DoubleValue(number) => number.to_string(),
            _ => "…".to_owned(),
        })
        .collect();
    values.join(" ")
}
