//! What concerns a whole process: its subscriber and its standard error. Each case is a process of its own, in which
//! this program runs one test again.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::process::{Command, Output, Stdio};

use opentelemetry_sdk::trace::InMemorySpanExporter;
use otelware::telemetry::{Environment, Telemetry, TelemetryBuilder};
use otelware_testing::otlp::OtlpReceiver;
use telemetry_support::wait;

const CHILD: &str = "OTELWARE_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs `test` in a process of its own.
fn child(test: &str, standard_error: Stdio) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env_remove("NO_COLOR")
        .stderr(standard_error)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

fn assert_succeeds(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn with(variables: &[(&str, &str)]) -> TelemetryBuilder {
    Telemetry::builder("orders")
        .without_exporters()
        .with_environment(Environment::from_iter(variables.iter().copied()))
}

#[test]
fn a_filter_takes_no_span_out_of_the_traces() {
    if !is_child() {
        let output = child("a_filter_takes_no_span_out_of_the_traces", Stdio::piped());
        assert_succeeds(&output);
        let text = String::from_utf8(output.stderr).unwrap();
        let said = ["quiet", "loud"].map(|word| text.contains(word));
        assert_eq!(said, [false, true], "{text}");
        return;
    }
    let (endpoint, spans) = (OtlpReceiver::http(), InMemorySpanExporter::default());
    let telemetry = with(&[
        ("RUST_LOG", "warn"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint.endpoint()),
    ])
    .with_span_exporter(spans.clone())
    .install()
    .unwrap();
    tracing::debug_span!("too fine").in_scope(|| ());
    tracing::info_span!(target: "hyper", "of an exporter").in_scope(|| ());
    tracing::info_span!(target: "lapin::io_loop", "observed already").in_scope(|| ());
    tracing::info_span!("order").in_scope(|| {
        tracing::info!("quiet");
        tracing::warn!("loud");
        tracing::warn!(target: "hyper", "of an exporter");
        tracing::warn!(target: "lapin::channels", "a frame");
        tracing::warn!(target: "lapin::frames", "a frame");
        tracing::warn!(target: "lapin::returned_messages", "a body");
        // Asking must not disturb what is logged next.
        let enabled = [
            tracing::enabled!(tracing::Level::WARN),
            tracing::enabled!(tracing::Level::INFO),
        ];
        assert_eq!(enabled, [true, false]);
    });
    tracing::info_span!("payment").in_scope(|| ());
    let spans: Vec<_> = spans
        .get_finished_spans()
        .unwrap()
        .into_iter()
        .map(|span| {
            let events: Vec<_> = span.events.iter().map(|event| event.name.clone()).collect();
            (span.name, events)
        })
        .collect();
    assert_eq!(
        spans,
        [
            ("order".into(), vec!["loud".into()]),
            ("payment".into(), vec![])
        ]
    );
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    let severities: Vec<_> = endpoint
        .received()
        .log_records()
        .into_iter()
        .map(|record| record.severity_text.clone())
        .collect();
    assert_eq!(severities, ["WARN"]);
}

#[test]
fn console_log_records_are_printed_beside_a_subscriber_of_ones_own() {
    const TEST: &str = "console_log_records_are_printed_beside_a_subscriber_of_ones_own";
    if !is_child() {
        let output = child(TEST, Stdio::piped());
        assert_succeeds(&output);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(text.matches("paid").count(), 1, "{text}");
        return;
    }
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let telemetry = with(&[("OTEL_LOGS_EXPORTER", "console")])
        .install()
        .unwrap();
    telemetry_support::emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
}

#[test]
fn a_standard_error_that_nobody_reads_ends_nothing() {
    if !is_child() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = child(
            "a_standard_error_that_nobody_reads_ends_nothing",
            writer.into(),
        );
        assert_succeeds(&output);
        return;
    }
    let builder = with(&[("OTEL_SDK_DISABLED", "maybe")]).without_globals();
    assert_eq!(builder.install().unwrap().complaints().len(), 1);
}
