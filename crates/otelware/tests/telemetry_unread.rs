//! A process that exports traces alone. One test, because a process has its globals once.

#![cfg(feature = "telemetry")]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use opentelemetry::global;
use otelware::telemetry::Telemetry;
use telemetry_support::Lines;

#[test]
fn instruments_that_nobody_reads_are_no_error() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let _telemetry = Telemetry::builder("orders")
            .without_environment()
            .without_exporters()
            .without_subscriber()
            .install()
            .unwrap();
        global::meter("test")
            .i64_observable_up_down_counter("connections")
            .with_callback(|instrument| instrument.observe(1, &[]))
            .build();
        tracing::warn!("done");
    });
    assert!(lines.text().ends_with("done\n"));
    assert_eq!(lines.text().lines().count(), 1, "{}", lines.text());
}
