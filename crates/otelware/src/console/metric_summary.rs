//! The current values of all metrics as one compact text.

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, ExponentialHistogram, Histogram, Metric, MetricData, ResourceMetrics,
};

use super::attributes::pair;
use super::output::service_name;
use super::quantile::{Bucket, estimate, explicit_buckets, exponential_buckets};
use super::text::{escape, escape_and_cut};

/// Attribute sets shown per metric.
const MAXIMUM_ROWS: usize = 20;

/// Stands for a figure that cannot be known.
const UNKNOWN: &str = "–";

const HISTOGRAM_COLUMNS: [&str; 5] = ["count", "mean", "p50", "p95", "max"];

/// One line per attribute set under each metric's name, kind and unit; empty if nothing was recorded.
pub(super) fn render_metrics(metrics: &ResourceMetrics) -> String {
    let tables: String = metrics
        .scope_metrics()
        .flat_map(|scope| scope.metrics())
        .filter_map(render_metric)
        .collect();
    if tables.is_empty() {
        return tables;
    }
    let service =
        service_name(metrics.resource()).map(|name| format!("  {}", escape_and_cut(&name)));
    format!("metrics{}\n{tables}", service.unwrap_or_default())
}

fn render_metric(metric: &Metric) -> Option<String> {
    let table = match metric.data() {
        AggregatedMetrics::F64(data) => table(data),
        AggregatedMetrics::U64(data) => table(data),
        AggregatedMetrics::I64(data) => table(data),
    };
    if table.rows.is_empty() {
        return None;
    }
    let unit = match metric.unit() {
        "" => String::new(),
        unit => format!(", {}", escape(unit)),
    };
    Some(format!(
        "  {}  {}{unit}\n{}",
        escape(metric.name()),
        table.kind,
        table.render()
    ))
}

/// A value of any instrument.
trait Number: Copy {
    fn as_f64(self) -> f64;
    fn to_text(self) -> String;
}

impl Number for f64 {
    fn as_f64(self) -> f64 {
        self
    }

    fn to_text(self) -> String {
        figure(self)
    }
}

impl Number for u64 {
    fn as_f64(self) -> f64 {
        self as f64
    }

    fn to_text(self) -> String {
        self.to_string()
    }
}

impl Number for i64 {
    fn as_f64(self) -> f64 {
        self as f64
    }

    fn to_text(self) -> String {
        self.to_string()
    }
}

struct Table {
    kind: &'static str,
    columns: &'static [&'static str],
    rows: Vec<TableRow>,
}

/// Attributes first: rows are sorted by them, so that they keep their place from one export to the next.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct TableRow {
    attributes: String,
    cells: Vec<String>,
}

fn table<T: Number>(data: &MetricData<T>) -> Table {
    let value = |attributes, value: T| TableRow {
        attributes,
        cells: vec![value.to_text()],
    };
    let (kind, columns, mut rows): (_, &'static [&'static str], Vec<TableRow>) = match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points();
            (
                "gauge",
                &[],
                points
                    .map(|point| value(set(point.attributes()), point.value()))
                    .collect(),
            )
        }
        MetricData::Sum(sum) => {
            let points = sum.data_points();
            let kind = if sum.is_monotonic() {
                "counter"
            } else {
                "up-down counter"
            };
            (
                kind,
                &[],
                points
                    .map(|point| value(set(point.attributes()), point.value()))
                    .collect(),
            )
        }
        MetricData::Histogram(histogram) => {
            ("histogram", &HISTOGRAM_COLUMNS, histogram_rows(histogram))
        }
        MetricData::ExponentialHistogram(histogram) => (
            "exponential histogram",
            &HISTOGRAM_COLUMNS,
            exponential_rows(histogram),
        ),
    };
    rows.sort();
    Table {
        kind,
        columns,
        rows,
    }
}

fn histogram_rows<T: Number>(histogram: &Histogram<T>) -> Vec<TableRow> {
    histogram
        .data_points()
        .map(|point| {
            let (minimum, maximum) = (point.min().map(T::as_f64), point.max().map(T::as_f64));
            let bounds: Vec<f64> = point.bounds().collect();
            let buckets = explicit_buckets(&bounds, point.bucket_counts(), minimum, maximum);
            let cells = histogram_cells(point.count(), point.sum().as_f64(), &buckets, maximum);
            TableRow {
                attributes: set(point.attributes()),
                cells,
            }
        })
        .collect()
}

fn exponential_rows<T: Number>(histogram: &ExponentialHistogram<T>) -> Vec<TableRow> {
    histogram
        .data_points()
        .map(|point| {
            let (minimum, maximum) = (point.min().map(T::as_f64), point.max().map(T::as_f64));
            let buckets = exponential_buckets(point, minimum, maximum);
            let cells = histogram_cells(
                point.count() as u64,
                point.sum().as_f64(),
                &buckets,
                maximum,
            );
            TableRow {
                attributes: set(point.attributes()),
                cells,
            }
        })
        .collect()
}

fn histogram_cells(count: u64, sum: f64, buckets: &[Bucket], maximum: Option<f64>) -> Vec<String> {
    let mean = (count > 0).then(|| sum / count as f64);
    let figures = [
        mean,
        estimate(buckets, 0.5),
        estimate(buckets, 0.95),
        maximum,
    ];
    let figures = figures.map(|value| value.map_or_else(|| UNKNOWN.to_owned(), figure));
    std::iter::once(count.to_string()).chain(figures).collect()
}

/// The attributes of one time series, ordered by key.
fn set<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> String {
    let mut pairs: Vec<String> = attributes
        .map(|attribute| pair(attribute.key.as_str(), &attribute.value.as_str()))
        .collect();
    pairs.sort();
    pairs.join(" ")
}

impl Table {
    fn render(&self) -> String {
        let shown = self.rows.get(..MAXIMUM_ROWS).unwrap_or(&self.rows);
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|title| (*title).to_owned())
            .collect();
        let mut widths = vec![0; shown.first().map_or(0, |row| row.cells.len())];
        for cells in shown.iter().map(|row| &row.cells).chain([&titles]) {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        }

        let mut text = String::new();
        if !titles.is_empty() {
            push_line(&mut text, &titles, &widths, "");
        }
        for row in shown {
            push_line(&mut text, &row.cells, &widths, &row.attributes);
        }
        let hidden = self.rows.len() - shown.len();
        if hidden > 0 {
            text.push_str(&format!("    … {hidden} more\n"));
        }
        text
    }
}

fn push_line(text: &mut String, cells: &[String], widths: &[usize], attributes: &str) {
    let cells: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:>width$}"))
        .collect();
    let line = format!("    {}  {attributes}", cells.join("  "));
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Four significant digits, without trailing zeros; whole numbers in full.
fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() || (value.fract() == 0.0 && magnitude < 1e15) {
        return value.to_string();
    }
    if !(1e-6..1e15).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - magnitude.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
