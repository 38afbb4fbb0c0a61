#![allow(clippy::unwrap_used)]

use futures_util::FutureExt as _;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter as _;
use opentelemetry_sdk::metrics::{
    Aggregation, InMemoryMetricExporter, PeriodicReader, SdkMeterProvider, Stream,
};

use super::*;
use crate::console::ConsoleMetricExporter;
use crate::console::test_support::Captured;

/// The text for what `record` records.
fn rendered(aggregation: Option<Aggregation>, record: impl FnOnce(&Meter)) -> String {
    let exporter = InMemoryMetricExporter::default();
    let mut builder = SdkMeterProvider::builder()
        .with_resource(
            Resource::builder_empty()
                .with_service_name("orders")
                .build(),
        )
        .with_reader(PeriodicReader::builder(exporter.clone()).build());
    if let Some(aggregation) = aggregation {
        builder = builder.with_view(move |_: &_| {
            Stream::builder()
                .with_aggregation(aggregation.clone())
                .build()
                .ok()
        });
    }
    let provider = builder.build();
    record(&provider.meter("test"));
    provider.force_flush().unwrap();
    exporter
        .get_finished_metrics()
        .unwrap()
        .iter()
        .map(render_metrics)
        .collect()
}

fn method(method: &'static str) -> [KeyValue; 2] {
    [
        KeyValue::new("http.route", "/orders/{id}"),
        KeyValue::new("http.request.method", method),
    ]
}

#[test]
fn histograms_show_count_mean_and_quantiles() {
    let text = rendered(None, |meter| {
        let boundaries = vec![0.01, 0.02, 0.05, 0.1];
        let duration = meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_boundaries(boundaries)
            .build();
        for milliseconds in 1..=100 {
            duration.record(f64::from(milliseconds) / 1e3, &method("GET"));
        }
        duration.record(0.25, &method("POST"));
    });
    assert_eq!(
        text,
        "\
metrics  orders
  http.server.request.duration  histogram, s
    count    mean   p50    p95   max
      100  0.0505  0.05  0.095   0.1  http.request.method=GET http.route=/orders/{id}
        1    0.25  0.25   0.25  0.25  http.request.method=POST http.route=/orders/{id}
"
    );
}

#[test]
fn sums_and_gauges_show_their_value() {
    let text = rendered(None, |meter| {
        meter
            .u64_counter("orders.placed")
            .with_unit("{order}")
            .build()
            .add(1_234, &[KeyValue::new("tenant", "acme")]);
        meter
            .i64_up_down_counter("orders.open")
            .build()
            .add(-2, &[]);
        meter
            .f64_gauge("queue.fill")
            .with_unit("1")
            .build()
            .record(0.123_456, &[KeyValue::new("queue", "a\u{1b}b")]);
    });
    assert_eq!(
        text,
        "\
metrics  orders
  orders.placed  counter, {order}
    1234  tenant=acme
  orders.open  up-down counter
    -2
  queue.fill  gauge, 1
    0.1235  queue=a\\u{1b}b
"
    );
}

#[test]
fn exponential_histograms_show_the_same_columns() {
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: 160,
        max_scale: 20,
        record_min_max: true,
    };
    let text = rendered(Some(aggregation), |meter| {
        let size = meter.u64_histogram("size").with_unit("By").build();
        for value in [2, 2, 2, 8] {
            size.record(value, &[]);
        }
    });
    // 2 to 8 in 160 buckets needs scale 6: the last bucket starts at 2^(191/64), 7.914; p95 lies four fifths into it.
    assert_eq!(
        text,
        "\
metrics  orders
  size  exponential histogram, By
    count  mean  p50    p95  max
        4   3.5    2  7.983    8
"
    );
}

#[test]
fn what_is_unknown_is_a_dash() {
    let aggregation = Aggregation::ExplicitBucketHistogram {
        boundaries: Vec::new(),
        record_min_max: false,
    };
    let text = rendered(Some(aggregation), |meter| {
        meter.f64_histogram("wait").build().record(3.0, &[]);
    });
    assert_eq!(
        text,
        "\
metrics  orders
  wait  histogram
    count  mean  p50  p95  max
        1     3    –    –    –
"
    );
}

#[test]
fn at_most_twenty_rows_are_shown_per_metric() {
    let text = rendered(None, |meter| {
        let counter = meter.u64_counter("hits").build();
        for index in 10..43 {
            counter.add(index as u64, &[KeyValue::new("page", index)]);
        }
    });
    let rows: String = (10..30)
        .map(|index| format!("    {index}  page={index}\n"))
        .collect();
    assert_eq!(
        text,
        format!("metrics  orders\n  hits  counter\n{rows}    … 13 more\n")
    );
}

#[test]
fn nothing_recorded_gives_no_text() {
    assert_eq!(render_metrics(&ResourceMetrics::default()), "");
}

#[test]
fn figures_have_four_significant_digits() {
    let texts = [
        0.0,
        12.0,
        1_234_567.0,
        1_234.567,
        99.999,
        0.000_123_456,
        1e-9,
        2.5e20,
        -0.5,
        f64::INFINITY,
    ]
    .map(figure);
    assert_eq!(
        texts,
        [
            "0",
            "12",
            "1234567",
            "1235",
            "100",
            "0.0001235",
            "1.000e-9",
            "2.500e20",
            "-0.5",
            "inf"
        ]
    );
}

#[test]
fn the_exporter_prints_cumulative_values_until_shutdown() {
    let captured = Captured::default();
    let exporter = ConsoleMetricExporter::to_writer(captured.clone());
    let provider = SdkMeterProvider::builder()
        .with_resource(Resource::builder_empty().build())
        .with_reader(PeriodicReader::builder(exporter.clone()).build())
        .build();
    let counter = provider.meter("test").u64_counter("hits").build();
    counter.add(1, &[]);
    provider.force_flush().unwrap();
    counter.add(2, &[]);
    provider.force_flush().unwrap();
    assert_eq!(
        captured.text(),
        "metrics\n  hits  counter\n    1\nmetrics\n  hits  counter\n    3\n"
    );
    exporter.shutdown().unwrap();
    let exported = exporter
        .export(&ResourceMetrics::default())
        .now_or_never()
        .unwrap();
    assert_eq!(format!("{exported:?}"), "Err(AlreadyShutdown)");
}
