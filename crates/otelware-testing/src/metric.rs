//! Captured metrics.

use std::fmt;
use std::time::Duration;

use opentelemetry_sdk::metrics::data::{self, AggregatedMetrics, MetricData, ResourceMetrics};

use crate::diff::{Found, assert_same, write_fields};
use crate::expect_metric::ExpectedMetric;
use crate::scope::Scope;
use crate::span::Span;
use crate::value::{Attributes, Value, expected, inline, pairs};

/// The advised boundaries of HTTP, RPC and messaging durations (semantic conventions 1.45), in seconds.
pub const HTTP_SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The advised boundaries of `db.client.operation.duration` (semantic conventions 1.45), in seconds.
pub const DATABASE_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// The difference up to which a span and a metric count as the same clock reading.
const SAME_READING: Duration = Duration::from_micros(1);

/// A metric with all its data points.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The name of the instrument.
    pub name: String,
    /// The unit in UCUM, such as `s` or `{request}`.
    pub unit: String,
    /// The description.
    pub description: String,
    /// The kind of instrument, as far as its data tells.
    pub kind: MetricKind,
    /// The instrumentation that made it.
    pub scope: Scope,
    /// One point per set of attributes, sorted by attributes.
    pub points: Vec<Point>,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// A histogram with explicit boundaries.
    Histogram,
    /// A histogram with exponential buckets.
    ExponentialHistogram,
    /// A monotonic sum.
    Counter,
    /// A sum that goes up and down.
    UpDownCounter,
    /// A last value.
    Gauge,
}

/// What was measured under one set of attributes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// The attributes.
    pub attributes: Attributes,
    /// The measured values.
    pub data: PointData,
}

/// The aggregated values of a [`Point`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PointData {
    /// A distribution.
    Histogram {
        /// The number of values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The upper bounds of the buckets but the last; empty if the buckets are exponential.
        boundaries: Vec<f64>,
        /// The number of values per bucket; empty if the buckets are exponential.
        bucket_counts: Vec<u64>,
    },
    /// A sum or a last value, [`Value::Int`] or [`Value::Double`].
    Number(Value),
}

impl Metric {
    /// The only point with exactly these attributes.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn point<K: Into<String>, V: Into<Value>>(
        &self,
        attributes: impl IntoIterator<Item = (K, V)>,
    ) -> &Point {
        let wanted = expected("an expected point", attributes);
        match self.points.iter().find(|point| point.attributes == wanted) {
            Some(point) => point,
            None => panic!(
                "metric {:?} has no point {}; it is:\n{self}",
                self.name,
                inline(&wanted)
            ),
        }
    }

    /// The number of values of all points of a histogram.
    pub fn total_count(&self) -> u64 {
        self.points.iter().map(Point::count).sum()
    }

    /// The sum of all points.
    pub fn total_sum(&self) -> f64 {
        self.points.iter().map(Point::sum).sum()
    }

    /// Compares the whole metric with `expected`.
    ///
    /// # Panics
    ///
    /// If they differ, listing every difference.
    #[track_caller]
    pub fn assert(&self, expected: impl AsRef<ExpectedMetric>) {
        let expected = expected.as_ref();
        let subject = format!("metric {:?}", self.name);
        let found = self.fields(&expected.points_with_sum());
        assert_same(&subject, &expected.fields(), &found, self);
    }

    /// Asserts that this duration histogram, in seconds, measured exactly `spans`, with the same clock readings: as many values,
    /// and the same total to one microsecond for each span.
    ///
    /// # Panics
    ///
    /// If the number of values or the total differs, or the unit is not `s`.
    #[track_caller]
    pub fn assert_same_reading<'a>(&self, spans: impl IntoIterator<Item = &'a Span>) {
        let durations: Vec<Duration> = spans.into_iter().map(Span::duration).collect();
        let seconds: f64 = durations.iter().map(Duration::as_secs_f64).sum();
        let tolerance = SAME_READING.as_secs_f64() * durations.len() as f64;
        let same = self.unit == "s"
            && self.total_count() == durations.len() as u64
            && (self.total_sum() - seconds).abs() <= tolerance;
        if !same {
            panic!(
                "metric {:?} recorded {} values of {:?} {} in all, the spans are {} of {seconds:?} s in all",
                self.name,
                self.total_count(),
                self.total_sum(),
                self.unit,
                durations.len()
            );
        }
    }

    /// The properties of the metric; sums of histograms only for the points that are to be compared by sum.
    fn fields(&self, with_sum: &[&Attributes]) -> Vec<Found> {
        let mut fields = vec![
            ("name".to_owned(), format!("{:?}", self.name)),
            ("kind".to_owned(), format!("{:?}", self.kind)),
            ("unit".to_owned(), format!("{:?}", self.unit)),
            ("description".to_owned(), format!("{:?}", self.description)),
            ("scope".to_owned(), self.scope.to_string()),
        ];
        if self.kind == MetricKind::Histogram {
            let mut boundaries: Vec<&[f64]> = self.points.iter().map(Point::boundaries).collect();
            boundaries.dedup();
            let boundaries: Vec<String> = boundaries.iter().map(|b| format!("{b:?}")).collect();
            fields.push(("boundaries".to_owned(), boundaries.join(" and ")));
        }
        for point in &self.points {
            let sum = with_sum.contains(&&point.attributes).then(|| point.sum());
            fields.push((
                point_label(&point.attributes),
                match &point.data {
                    PointData::Histogram { count, .. } => histogram_text(*count, sum),
                    PointData::Number(value) => value.described(),
                },
            ));
        }
        fields
    }
}

impl Point {
    /// The number of values of a histogram; 0 for a number.
    pub fn count(&self) -> u64 {
        match &self.data {
            PointData::Histogram { count, .. } => *count,
            PointData::Number(_) => 0,
        }
    }

    /// The sum of a histogram, or the number as a double.
    pub fn sum(&self) -> f64 {
        match &self.data {
            PointData::Histogram { sum, .. } => *sum,
            PointData::Number(Value::Double(value)) => *value,
            PointData::Number(value) => value.as_int().unwrap_or_default() as f64,
        }
    }

    /// The boundaries of a histogram; empty for a number.
    pub fn boundaries(&self) -> &[f64] {
        match &self.data {
            PointData::Histogram { boundaries, .. } => boundaries,
            PointData::Number(_) => &[],
        }
    }

    /// The value of the attribute `key`.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.get(key)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&Attributes> = self.points.iter().map(|point| &point.attributes).collect();
        write_fields(formatter, "metric", &self.fields(&all))
    }
}

pub(crate) fn point_label(attributes: &Attributes) -> String {
    format!("point {}", inline(attributes))
}

pub(crate) fn histogram_text(count: u64, sum: Option<f64>) -> String {
    match sum {
        Some(sum) => format!("count {count}, sum {sum:?}"),
        None => format!("count {count}"),
    }
}

/// Converts one collection of the SDK.
pub(crate) fn metrics_of(collected: &ResourceMetrics) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = collected
        .scope_metrics()
        .flat_map(|scope| {
            scope
                .metrics()
                .map(|metric| metric_of(scope.scope(), metric))
        })
        .collect();
    metrics.sort_by(|a, b| (&a.scope.name, &a.name).cmp(&(&b.scope.name, &b.name)));
    metrics
}

fn metric_of(scope: &opentelemetry::InstrumentationScope, metric: &data::Metric) -> Metric {
    let (kind, mut points) = match metric.data() {
        AggregatedMetrics::F64(data) => points_of(data, |value| value, Value::from),
        AggregatedMetrics::U64(data) => points_of(data, |value| value as f64, Value::from),
        AggregatedMetrics::I64(data) => points_of(data, |value| value as f64, Value::from),
    };
    points.sort_by_cached_key(|point| inline(&point.attributes));
    Metric {
        name: metric.name().to_owned(),
        unit: metric.unit().to_owned(),
        description: metric.description().to_owned(),
        kind,
        scope: Scope::from(scope),
        points,
    }
}

fn points_of<T: Copy>(
    data: &MetricData<T>,
    to_sum: fn(T) -> f64,
    to_value: fn(T) -> Value,
) -> (MetricKind, Vec<Point>) {
    match data {
        MetricData::Histogram(histogram) => (
            MetricKind::Histogram,
            histogram
                .data_points()
                .map(|point| Point {
                    attributes: pairs(point.attributes()).collect(),
                    data: PointData::Histogram {
                        count: point.count(),
                        sum: to_sum(point.sum()),
                        boundaries: point.bounds().collect(),
                        bucket_counts: point.bucket_counts().collect(),
                    },
                })
                .collect(),
        ),
        MetricData::ExponentialHistogram(histogram) => (
            MetricKind::ExponentialHistogram,
            histogram
                .data_points()
                .map(|point| Point {
                    attributes: pairs(point.attributes()).collect(),
                    data: PointData::Histogram {
                        count: point.count() as u64,
                        sum: to_sum(point.sum()),
                        boundaries: Vec::new(),
                        bucket_counts: Vec::new(),
                    },
                })
                .collect(),
        ),
        MetricData::Sum(sum) => (
            if sum.is_monotonic() {
                MetricKind::Counter
            } else {
                MetricKind::UpDownCounter
            },
            sum.data_points()
                .map(|point| Point {
                    attributes: pairs(point.attributes()).collect(),
                    data: PointData::Number(to_value(point.value())),
                })
                .collect(),
        ),
        MetricData::Gauge(gauge) => (
            MetricKind::Gauge,
            gauge
                .data_points()
                .map(|point| Point {
                    attributes: pairs(point.attributes()).collect(),
                    data: PointData::Number(to_value(point.value())),
                })
                .collect(),
        ),
    }
}

/// What `now` has that `before` had not: histograms and counters lose what they counted before, up-down counters and gauges stay.
pub(crate) fn since(now: Vec<Metric>, before: &[Metric]) -> Vec<Metric> {
    now.into_iter()
        .filter_map(|mut metric| {
            let earlier = before.iter().find(|other| {
                (&other.name, other.kind, &other.scope)
                    == (&metric.name, metric.kind, &metric.scope)
            });
            let Some(earlier) = earlier else {
                return Some(metric);
            };
            if matches!(metric.kind, MetricKind::UpDownCounter | MetricKind::Gauge) {
                return Some(metric);
            }
            metric.points.retain_mut(|point| {
                let same = |other: &&Point| other.attributes == point.attributes;
                match earlier.points.iter().find(same) {
                    Some(other) if other.data == point.data => false,
                    Some(other) => {
                        point.data = difference(&point.data, &other.data);
                        true
                    }
                    None => true,
                }
            });
            (!metric.points.is_empty()).then_some(metric)
        })
        .collect()
}

fn difference(now: &PointData, before: &PointData) -> PointData {
    match (now, before) {
        (
            PointData::Histogram {
                count,
                sum,
                boundaries,
                bucket_counts,
            },
            PointData::Histogram {
                count: count_before,
                sum: sum_before,
                bucket_counts: bucket_counts_before,
                ..
            },
        ) => PointData::Histogram {
            count: count.saturating_sub(*count_before),
            sum: sum - sum_before,
            boundaries: boundaries.clone(),
            bucket_counts: bucket_counts
                .iter()
                .zip(bucket_counts_before)
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
        },
        (PointData::Number(Value::Int(now)), PointData::Number(Value::Int(before))) => {
            PointData::Number(Value::Int(now - before))
        }
        (PointData::Number(Value::Double(now)), PointData::Number(Value::Double(before))) => {
            PointData::Number(Value::Double(now - before))
        }
        (now, _) => now.clone(),
    }
}
