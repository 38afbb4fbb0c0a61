//! What `install` makes of code and environment, without any endpoint.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::collections::HashMap;

use opentelemetry::logs::{LogRecord as _, Logger as _, LoggerProvider as _};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::logs::InMemoryLogExporter;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader};
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler};
use otelware::telemetry::{Environment, SetupError, Telemetry, TelemetryBuilder};
use telemetry_support::{Lines, wait};

fn quiet() -> TelemetryBuilder {
    Telemetry::builder("orders")
        .without_globals()
        .without_environment()
        .without_exporters()
}

fn with(variables: &[(&str, &str)]) -> TelemetryBuilder {
    quiet().with_environment(Environment::from_iter(variables.iter().copied()))
}

fn error(builder: TelemetryBuilder) -> String {
    builder.install().unwrap_err().to_string()
}

#[test]
fn exporters_given_in_code() {
    let (spans, logs, metrics) = (
        InMemorySpanExporter::default(),
        InMemoryLogExporter::default(),
        InMemoryMetricExporter::default(),
    );
    let telemetry = quiet()
        .with_span_exporter(spans.clone())
        .with_log_exporter(logs.clone())
        .with_metric_reader(PeriodicReader::builder(metrics.clone()).build())
        .install()
        .unwrap();
    telemetry_support::emit(&telemetry);
    assert_eq!(wait(telemetry.force_flush()), Ok(()));
    assert_eq!(spans.get_finished_spans().unwrap()[0].name, "checkout");
    assert_eq!(
        logs.get_emitted_logs().unwrap()[0].record.body(),
        Some(&"paid".into())
    );
    let collected = metrics.get_finished_metrics().unwrap();
    assert_eq!(
        collected[0]
            .scope_metrics()
            .next()
            .unwrap()
            .metrics()
            .next()
            .unwrap()
            .name(),
        "orders"
    );
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
}

#[test]
fn nothing_is_set_for_the_process_without_globals() {
    let telemetry = quiet()
        .with_span_exporter(InMemorySpanExporter::default())
        .install()
        .unwrap();
    let span = global::tracer("test").start("noop");
    assert!(!span.span_context().is_valid());
    let unset = |dispatch: &tracing::Dispatch| dispatch.is::<tracing::subscriber::NoSubscriber>();
    assert!(tracing::dispatcher::get_default(unset));
    let mut carrier = HashMap::<String, String>::new();
    let context =
        Context::new().with_span(telemetry.tracer_provider().tracer("test").start("span"));
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    assert_eq!(carrier, HashMap::new());
}

#[test]
fn the_sampler_and_the_limits_come_from_the_environment_unless_given() {
    let names = |builder: TelemetryBuilder| {
        let spans = InMemorySpanExporter::default();
        let telemetry = builder.with_span_exporter(spans.clone()).install().unwrap();
        let mut span = telemetry.tracer_provider().tracer("test").start("span");
        span.set_attributes([KeyValue::new("a", 1), KeyValue::new("b", 2)]);
        span.end();
        let spans = spans.get_finished_spans().unwrap();
        spans
            .iter()
            .map(|span| span.attributes.len())
            .collect::<Vec<_>>()
    };
    let off = [("OTEL_TRACES_SAMPLER", "always_off")];
    assert_eq!(names(with(&[])), [2]);
    assert_eq!(
        names(with(&[("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")])),
        [1]
    );
    assert_eq!(names(with(&off)), Vec::<usize>::new());
    assert_eq!(names(with(&off).with_sampler(Sampler::AlwaysOn)), [2]);
}

fn injected(telemetry: &Telemetry) -> Vec<String> {
    let span = telemetry.tracer_provider().tracer("test").start("span");
    let mut carrier = HashMap::<String, String>::new();
    telemetry
        .propagator()
        .inject_context(&Context::new().with_span(span), &mut carrier);
    let mut keys: Vec<String> = carrier.into_keys().collect();
    keys.sort();
    keys
}

#[test]
fn propagators() {
    assert_eq!(injected(&with(&[]).install().unwrap()), ["traceparent"]);
    assert_eq!(
        injected(&with(&[("OTEL_PROPAGATORS", "b3")]).install().unwrap()),
        ["b3"]
    );
    assert_eq!(
        injected(&with(&[("OTEL_PROPAGATORS", "none")]).install().unwrap()),
        Vec::<String>::new()
    );
    let own =
        with(&[("OTEL_PROPAGATORS", "b3,nonsense")]).with_propagator(BaggagePropagator::new());
    let telemetry = own.install().unwrap();
    assert_eq!(injected(&telemetry), Vec::<String>::new());
    assert_eq!(telemetry.complaints(), &[]);
}

#[test]
fn disabled() {
    let spans = InMemorySpanExporter::default();
    let logs = InMemoryLogExporter::default();
    let telemetry = with(&[
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        // Errors, were anything sent.
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"),
    ])
    .with_span_exporter(spans.clone())
    .with_log_exporter(logs.clone())
    .install()
    .unwrap();
    telemetry_support::emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(spans.get_finished_spans().unwrap(), []);
    assert_eq!(logs.get_emitted_logs().unwrap().len(), 0);
    assert_eq!(
        telemetry.propagator().fields().collect::<Vec<_>>(),
        ["traceparent", "tracestate", "baggage"]
    );
}

#[test]
fn wrong_names_are_complaints_and_in_strict_mode_errors_with_the_same_text() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otpl,none"),
        ("OTEL_PROPAGATORS", "tracecontext,xray,w3c"),
        ("OTEL_SDK_DISABLED", "no"),
    ];
    let expected = [
        r#"OTEL_SDK_DISABLED: "no" is not known and is ignored; allowed: true, false"#,
        r#"OTEL_TRACES_EXPORTER: "otpl" is not known and is ignored; allowed: otlp, console, none"#,
        r#"OTEL_PROPAGATORS: "xray" is known but not built in and is ignored; allowed: tracecontext, baggage, b3, b3multi, jaeger, none"#,
        r#"OTEL_PROPAGATORS: "w3c" is not known and is ignored; allowed: tracecontext, baggage, b3, b3multi, jaeger, none"#,
    ];
    let telemetry = with(&variables).install().unwrap();
    let complaints: Vec<String> = telemetry
        .complaints()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(complaints, expected);
    assert_eq!(error(with(&variables).strict()), expected.join("\n"));
    assert!(
        with(&[("OTEL_PROPAGATORS", "b3")])
            .strict()
            .install()
            .is_ok()
    );
}

#[test]
fn complaints_are_warnings_where_a_subscriber_listens() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let _telemetry = tracing::subscriber::with_default(subscriber, || {
        with(&[("OTEL_TRACES_EXPORTER", "otpl")]).install().unwrap()
    });
    assert_eq!(
        lines.text(),
        " WARN otelware: OTEL_TRACES_EXPORTER: \"otpl\" is not known and is ignored; allowed: otlp, console, none\n"
    );
}

#[test]
fn what_cannot_work_is_an_error_at_once() {
    let otlp = |variable, value| with(&[("OTEL_TRACES_EXPORTER", "otlp"), (variable, value)]);
    assert_eq!(
        error(otlp("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")),
        r#"OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" is not a URL of an OTLP endpoint; write http://host:port or https://host:port"#
    );
    assert_eq!(
        error(otlp("OTEL_EXPORTER_OTLP_HEADERS", "authorization")),
        r#"OTEL_EXPORTER_OTLP_HEADERS: element 1 has no "="; write name=value pairs separated by commas, such as authorization=Bearer%20token"#
    );
    let endpoint = otlp("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense")
        .install()
        .unwrap_err();
    assert!(matches!(endpoint, SetupError::Endpoint(_)));
    let header = otlp("OTEL_EXPORTER_OTLP_HEADERS", "a b=c")
        .install()
        .unwrap_err();
    assert!(matches!(header, SetupError::Header(_)));
    let certificate = otlp("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem")
        .install()
        .unwrap_err();
    assert!(matches!(certificate, SetupError::Certificate(_)));
}

#[test]
fn errors_show_no_secret() {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
    for (protocol, variable, value) in [
        ("http/protobuf", ENDPOINT, "ftp://user:marker@host"),
        ("http/protobuf", ENDPOINT, "user:marker@host:4318"),
        ("http/protobuf", ENDPOINT, "http//marker@host"),
        ("http/protobuf", ENDPOINT, "http://user:p/marker@host"),
        ("http/protobuf", ENDPOINT, "http://user:p?marker@host"),
        ("http/protobuf", ENDPOINT, "http://user:marker#p@host"),
        ("http/protobuf", ENDPOINT, "http://user:p@marker/@host name"),
        ("http/protobuf", ENDPOINT, "http://host name/?key=marker"),
        ("grpc", ENDPOINT, "user:p/marker@host"),
        ("grpc", ENDPOINT, "marker@host name"),
        ("http/protobuf", HEADERS, "marker"),
        ("http/protobuf", HEADERS, "Authorization: Basic marker=="),
        ("http/protobuf", HEADERS, "authorization=marker%0A"),
        ("grpc", HEADERS, "authorization=a,b marker=="),
    ] {
        let builder = with(&[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            (variable, value),
        ]);
        let error = builder.install().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.starts_with(variable), "{value:?}: {shown}");
        assert!(!shown.contains("marker"), "{value:?}: {shown}");
    }
}

#[test]
fn the_builder_shows_no_secret() {
    let builder = with(&[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret-token")]);
    assert!(!format!("{builder:?}").contains("secret-token"));
    let builder = with(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret-token"),
    ]);
    let telemetry = builder.install().unwrap();
    let shown = format!("{telemetry:?} {:?}", telemetry.tracer_provider());
    assert!(!shown.contains("secret-token"), "{shown}");
}

#[test]
fn log_and_meter_providers_are_the_ones_given_out() {
    let logs = InMemoryLogExporter::default();
    let telemetry = quiet().with_log_exporter(logs.clone()).install().unwrap();
    let logger = telemetry.logger_provider().logger("test");
    let mut record = logger.create_log_record();
    record.set_body("line".into());
    logger.emit(record);
    telemetry
        .meter_provider()
        .meter("test")
        .u64_counter("unread")
        .build()
        .add(1, &[]);
    assert_eq!(logs.get_emitted_logs().unwrap().len(), 1);
}
