//! The set-up of a whole process: globals and the subscriber. One test, because a process has them once.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::collections::HashMap;

use opentelemetry::trace::{TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, global};
use otelware::telemetry::{Environment, Telemetry};
use otelware_testing::otlp::OtlpReceiver;
use telemetry_support::wait;

#[test]
fn globals_and_subscriber() {
    let endpoint = OtlpReceiver::http();
    let environment = Environment::from_iter([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.endpoint()),
        ("OTEL_SERVICE_NAME", "from-environment".to_owned()),
        // What the exporters log about an export must not be exported in turn.
        (
            "RUST_LOG",
            "info,hyper_util=trace,opentelemetry=debug".to_owned(),
        ),
    ]);
    let telemetry = Telemetry::builder("orders")
        .with_environment(environment)
        .install()
        .unwrap();

    let span = global::tracer("test").start("outer");
    let context = Context::new().with_span(span);
    let trace_id = context.span().span_context().trace_id();
    {
        let _attached = context.clone().attach();
        tracing::info_span!("inner").in_scope(|| tracing::info!("nested"));
        tracing::debug!("filtered");
    }
    let mut carrier = HashMap::<String, String>::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    assert_eq!(carrier.keys().collect::<Vec<_>>(), ["traceparent"]);
    context.span().end();
    for _ in 0..3 {
        assert_eq!(wait(telemetry.force_flush()), Ok(()));
    }
    global::meter("test")
        .u64_counter("orders")
        .build()
        .add(1, &[]);

    // A second set-up finds a subscriber and goes on without one of its own.
    let second = Telemetry::builder("second")
        .without_environment()
        .without_exporters();
    drop(second.install().unwrap());

    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    let received = endpoint.received();
    assert_eq!(received.span_names(), ["inner", "outer"]);
    assert!(
        received
            .spans()
            .iter()
            .all(|span| span.trace_id == trace_id.to_bytes())
    );
    let mut records: Vec<_> = received
        .log_records()
        .into_iter()
        .map(|record| (record.severity_text.clone(), record.trace_id.clone()))
        .collect();
    records.sort();
    assert_eq!(
        records,
        [
            ("INFO".to_owned(), trace_id.to_bytes().to_vec()),
            // The second set-up's warning, outside of any span.
            ("WARN".to_owned(), Vec::new()),
        ]
    );
    assert_eq!(received.metric_names(), ["orders"]);
    let resource = received.traces[0].resource_spans[0]
        .resource
        .clone()
        .unwrap();
    let name = resource
        .attributes
        .into_iter()
        .find(|attribute| attribute.key == "service.name");
    assert!(format!("{name:?}").contains("from-environment"));
}
