//! What arrives at an OTLP endpoint, over every protocol.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http", feature = "gzip"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use otelware::console::ConsoleLogFormat;
use otelware::telemetry::{Environment, Telemetry};
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::metrics::v1::metric::Data;
use otelware_testing::otlp::{Answer, OtlpReceiver, Received};
use telemetry_support::{Lines, builder, emit, end_span, header, wait};

/// Emits one of each, shuts down and gives back what arrived.
fn sent_over_http(protocol: &str, more: &[(&str, &str)]) -> Received {
    let endpoint = OtlpReceiver::http();
    let telemetry = builder(protocol, endpoint.address(), more)
        .install()
        .unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    endpoint.received()
}

fn sent_over_grpc(more: &[(&str, &str)]) -> Received {
    let endpoint = OtlpReceiver::grpc();
    let telemetry = builder("grpc", endpoint.address(), more).install().unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    endpoint.received()
}

fn assert_one_of_each(received: &Received) {
    assert_eq!(received.span_names(), ["checkout"]);
    assert_eq!(received.metric_names(), ["orders"]);
    let bodies: Vec<_> = received
        .log_records()
        .into_iter()
        .map(|record| record.body.clone().unwrap().value)
        .collect();
    assert_eq!(bodies, [Some(Value::StringValue("paid".to_owned()))]);
}

#[test]
fn http_protobuf() {
    let received = sent_over_http("http/protobuf", &[]);
    assert_one_of_each(&received);
    assert_eq!(received.paths(), ["/v1/logs", "/v1/metrics", "/v1/traces"]);
    assert_eq!(
        header(&received, "content-type"),
        vec![Some("application/x-protobuf".to_owned()); 3]
    );
    assert_eq!(header(&received, "content-encoding"), vec![None; 3]);
}

#[test]
fn http_json() {
    let received = sent_over_http("http/json", &[]);
    assert_one_of_each(&received);
    assert_eq!(
        header(&received, "content-type"),
        vec![Some("application/json".to_owned()); 3]
    );
}

#[test]
fn grpc() {
    let received = sent_over_grpc(&[]);
    assert_one_of_each(&received);
    assert_eq!(received.paths(), ["logs", "metrics", "traces"]);
    assert_eq!(header(&received, "grpc-encoding"), vec![None; 3]);
}

#[test]
fn headers_reach_the_wire_once() {
    let headers = [(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "authorization=Bearer%20token,x-tenant=shop",
    )];
    for received in [
        sent_over_http("http/protobuf", &headers),
        sent_over_grpc(&headers),
    ] {
        assert_eq!(
            header(&received, "authorization"),
            vec![Some("Bearer token".to_owned()); 3]
        );
        assert_eq!(
            header(&received, "x-tenant"),
            vec![Some("shop".to_owned()); 3]
        );
        assert!(header(&received, "user-agent").iter().all(Option::is_some));
    }
}

#[test]
fn headers_of_one_signal() {
    let received = sent_over_http(
        "http/protobuf",
        &[
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=general"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=own"),
        ],
    );
    let by_path: BTreeMap<String, Option<String>> = received
        .requests
        .iter()
        .map(|request| request.path.clone())
        .zip(header(&received, "a"))
        .collect();
    let value = |value: &str| Some(value.to_owned());
    assert_eq!(
        by_path,
        BTreeMap::from([
            ("/v1/logs".to_owned(), value("general")),
            ("/v1/metrics".to_owned(), value("general")),
            ("/v1/traces".to_owned(), value("own")),
        ])
    );
}

#[test]
fn gzip() {
    let gzip = [("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    let over_http = sent_over_http("http/json", &gzip);
    assert_one_of_each(&over_http);
    assert_eq!(
        header(&over_http, "content-encoding"),
        vec![Some("gzip".to_owned()); 3]
    );
    let over_grpc = sent_over_grpc(&gzip);
    assert_one_of_each(&over_grpc);
    assert_eq!(
        header(&over_grpc, "grpc-encoding"),
        vec![Some("gzip".to_owned()); 3]
    );
}

#[test]
fn the_timeout_reaches_the_wire() {
    let received = sent_over_grpc(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "7000")]);
    assert_eq!(
        header(&received, "grpc-timeout"),
        vec![Some("7000000u".to_owned()); 3]
    );

    let endpoint = OtlpReceiver::builder().http(Answer::Never);
    let telemetry = builder(
        "http/protobuf",
        endpoint.address(),
        &[("OTEL_EXPORTER_OTLP_TIMEOUT", "200")],
    )
    .install()
    .unwrap();
    end_span(&telemetry, "lost");
    let started = Instant::now();
    assert!(wait(telemetry.force_flush()).is_err());
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let health = telemetry.health().spans;
    assert_eq!(
        (
            health.exported,
            health.failed,
            health.dropped,
            health.pending
        ),
        (0, 1, 0, 0)
    );
}

#[test]
fn the_resource_names_the_service() {
    let endpoint = OtlpReceiver::http();
    let more = [(
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.instance.id=i-1,team=payments",
    )];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .version("1.2.3")
        .environment("staging")
        .namespace("shop")
        .resource_attribute("team", "nobody")
        .resource_attribute("replicas", 3)
        .install()
        .unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    let received = endpoint.received();
    let resources = [
        received.traces[0].resource_spans[0]
            .resource
            .clone()
            .unwrap(),
        received.logs[0].resource_logs[0].resource.clone().unwrap(),
        received.metrics[0].resource_metrics[0]
            .resource
            .clone()
            .unwrap(),
    ];
    let text = |text: &str| Some(Value::StringValue(text.to_owned()));
    let expected = BTreeMap::from(
        [
            ("deployment.environment.name", text("staging")),
            ("replicas", Some(Value::IntValue(3))),
            ("service.instance.id", text("i-1")),
            ("service.name", text("orders")),
            ("service.namespace", text("shop")),
            ("service.version", text("1.2.3")),
            ("team", text("payments")),
            ("telemetry.distro.name", text("otelware")),
            ("telemetry.distro.version", text(env!("CARGO_PKG_VERSION"))),
            ("telemetry.sdk.language", text("rust")),
            ("telemetry.sdk.name", text("opentelemetry")),
            ("telemetry.sdk.version", text("0.33.1")),
        ]
        .map(|(key, value)| (key.to_owned(), format!("{value:?}"))),
    );
    for resource in resources {
        let attributes: BTreeMap<String, String> = resource
            .attributes
            .into_iter()
            .map(|attribute| {
                (
                    attribute.key,
                    format!("{:?}", attribute.value.unwrap().value),
                )
            })
            .collect();
        assert_eq!(attributes, expected);
    }
}

#[test]
fn values_of_attributes_are_cut() {
    let endpoint = OtlpReceiver::http();
    let more = [("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .install()
        .unwrap();
    let mut span = telemetry.tracer_provider().tracer("test").start("checkout");
    span.set_attribute(KeyValue::new("long", "abcdefgh"));
    span.end();
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    let value = endpoint.received().spans()[0].attributes[0]
        .value
        .clone()
        .unwrap()
        .value;
    assert_eq!(value, Some(Value::StringValue("abcd".to_owned())));
}

#[derive(Clone, Debug)]
struct RecordOnly;

impl ShouldSample for RecordOnly {
    fn should_sample(
        &self,
        _parent_context: Option<&Context>,
        _trace_id: opentelemetry::TraceId,
        name: &str,
        _span_kind: &opentelemetry::trace::SpanKind,
        _attributes: &[KeyValue],
        _links: &[opentelemetry::trace::Link],
    ) -> SamplingResult {
        SamplingResult {
            decision: if name == "recorded" {
                SamplingDecision::RecordOnly
            } else {
                SamplingDecision::RecordAndSample
            },
            attributes: Vec::new(),
            trace_state: opentelemetry::trace::TraceState::NONE,
        }
    }
}

#[test]
fn spans_that_are_recorded_but_not_sampled_stay() {
    let endpoint = OtlpReceiver::http();
    let telemetry = builder("http/protobuf", endpoint.address(), &[])
        .with_sampler(RecordOnly)
        .install()
        .unwrap();
    end_span(&telemetry, "recorded");
    end_span(&telemetry, "sampled");
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(endpoint.received().span_names(), ["sampled"]);
    let health = telemetry.health().spans;
    assert_eq!(
        (
            health.exported,
            health.failed,
            health.dropped,
            health.pending
        ),
        (1, 0, 0, 0)
    );
}

#[test]
fn metrics_are_aggregated_as_the_environment_says() {
    let endpoint = OtlpReceiver::http();
    let more = [
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
        ),
    ];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .with_view(|instrument| {
            let stream = opentelemetry_sdk::metrics::Stream::builder().with_name("renamed");
            (instrument.name() == "viewed")
                .then(|| stream.build().ok())
                .flatten()
        })
        .install()
        .unwrap();
    let meter = telemetry.meter_provider().meter("test");
    meter.f64_histogram("viewed").build().record(1.0, &[]);
    meter.f64_histogram("plain").build().record(1.0, &[]);
    meter.u64_counter("count").build().add(1, &[]);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    const DELTA: i32 = 1;
    let received = endpoint.received();
    let metrics = received.metrics[0].resource_metrics[0].scope_metrics[0]
        .metrics
        .iter();
    let mut kinds: Vec<(String, &str, i32)> = metrics
        .map(|metric| {
            let (kind, temporality) = match metric.data.as_ref().unwrap() {
                Data::Sum(sum) => ("sum", sum.aggregation_temporality),
                Data::Histogram(histogram) => ("histogram", histogram.aggregation_temporality),
                Data::ExponentialHistogram(histogram) => {
                    ("exponential", histogram.aggregation_temporality)
                }
                _ => ("other", 0),
            };
            (metric.name.clone(), kind, temporality)
        })
        .collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            ("count".to_owned(), "sum", DELTA),
            ("plain".to_owned(), "exponential", DELTA),
            ("renamed".to_owned(), "histogram", DELTA),
        ]
    );
}

#[test]
fn metrics_are_collected_at_the_interval() {
    let endpoint = OtlpReceiver::http();
    let telemetry = builder(
        "http/protobuf",
        endpoint.address(),
        &[("OTEL_METRIC_EXPORT_INTERVAL", "20")],
    )
    .install()
    .unwrap();
    let counter = telemetry
        .meter_provider()
        .meter("test")
        .u64_counter("orders")
        .build();
    counter.add(1, &[]);
    telemetry_support::eventually("two collections", || endpoint.received().metrics.len() >= 2);
    drop(telemetry);
}

#[test]
fn each_signal_has_its_own_endpoint() {
    let (traces, logs) = (OtlpReceiver::grpc(), OtlpReceiver::http());
    let telemetry = Telemetry::builder("orders")
        .without_globals()
        .with_environment(Environment::from_iter([
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc".to_owned()),
            ("OTEL_EXPORTER_OTLP_INSECURE", "true".to_owned()),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                traces.address().to_string(),
            ),
            (
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
                format!("http://{}/own/logs", logs.address()),
            ),
            ("OTEL_METRICS_EXPORTER", "none".to_owned()),
        ]))
        .install()
        .unwrap();
    emit(&telemetry);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(traces.received().paths(), ["traces"]);
    assert_eq!(logs.received().paths(), ["/own/logs"]);
}

#[test]
fn log_records_carry_the_trace_and_span_they_happen_in() {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    let endpoint = OtlpReceiver::http();
    let telemetry = builder("http/protobuf", endpoint.address(), &[])
        .install()
        .unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let console = tracing_subscriber::fmt::layer()
        .event_format(ConsoleLogFormat::new())
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry()
        .with(console)
        .with(telemetry.tracing_layer())
        .with(telemetry.log_layer());
    let span = telemetry.tracer_provider().tracer("test").start("outer");
    let context = Context::new().with_span(span);
    let outer = context.span().span_context().clone();
    tracing::subscriber::with_default(subscriber, || {
        let _attached = context.clone().attach();
        tracing::info!("directly");
        tracing::info_span!("inner").in_scope(|| tracing::info!(amount = 12, "nested"));
        tracing::warn!(target: "h2::codec", "of an exporter");
    });
    context.span().end();
    assert_eq!(wait(telemetry.shutdown()), Ok(()));

    let received = endpoint.received();
    let spans = received.spans();
    let inner = spans.iter().find(|span| span.name == "inner").unwrap();
    assert_eq!(spans.len(), 2);
    assert_eq!(inner.trace_id, outer.trace_id().to_bytes());
    assert_eq!(inner.parent_span_id, outer.span_id().to_bytes());
    let keys: Vec<&str> = inner
        .attributes
        .iter()
        .map(|attribute| attribute.key.as_str())
        .collect();
    assert_eq!(keys, Vec::<&str>::new());
    let records: Vec<_> = received
        .log_records()
        .into_iter()
        .map(|record| {
            (
                record.body.clone().unwrap().value,
                record.trace_id.clone(),
                record.span_id.clone(),
            )
        })
        .collect();
    let ids = |span_id: &str| format!(" INFO trace_id={} span_id={span_id} ", outer.trace_id());
    let inner_id = inner
        .span_id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let text = lines.text();
    let shown: Vec<bool> = [outer.span_id().to_string(), inner_id]
        .iter()
        .zip(text.lines())
        .map(|(span_id, line)| line.contains(&ids(span_id)))
        .collect();
    assert_eq!(shown, [true, true], "{text}");
    let body = |text: &str| Some(Value::StringValue(text.to_owned()));
    let trace_id = outer.trace_id().to_bytes().to_vec();
    assert_eq!(
        records,
        [
            (
                body("directly"),
                trace_id.clone(),
                outer.span_id().to_bytes().to_vec()
            ),
            (body("nested"), trace_id, inner.span_id.clone()),
        ]
    );
}
