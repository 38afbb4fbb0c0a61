//! The access log: one event for each request, field by field.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "axum", feature = "request-id"))]

mod server_support;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::routing::{any, get, post};
use otelware_testing::{Capture, Span};
use server_support::{axum_server, layer};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::pending;
use std::sync::{Arc, Mutex};
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tracing::field::{Field, Visit};
use tracing_subscriber::prelude::*;

/// The events of the access log: fields with types, and the current span.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0
            .insert(field.name().to_owned(), format!("str {value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0
            .insert(field.name().to_owned(), format!("u64 {value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0
            .insert(field.name().to_owned(), format!("f64 {value}"));
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("otelware") {
            let mut fields = Fields::default();
            event.record(&mut fields);
            let place = format!("{} {}", metadata.level(), metadata.target());
            fields.0.insert("place".to_owned(), place);
            self.0.lock().unwrap().push(fields.0);
        }
    }
}

impl Log {
    /// Captures the events of this thread, on which everything of these tests runs.
    fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The events, with their durations compared with those of the spans and taken out.
    #[track_caller]
    fn take(&self, spans: &[Span]) -> Vec<BTreeMap<String, String>> {
        let mut events = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(events.len(), spans.len());
        for (event, span) in events.iter_mut().zip(spans) {
            let millis = event.remove("duration_ms").unwrap();
            let millis: f64 = millis.strip_prefix("f64 ").unwrap().parse().unwrap();
            let of_span = span.duration().as_secs_f64() * 1_000.0;
            assert!((millis - of_span).abs() < 0.001, "{millis} and {of_span}");
        }
        events
    }
}

fn event(span: &Span, fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let common = [
        ("place", "INFO otelware::access".to_owned()),
        ("message", "request".to_owned()),
        ("trace_id", format!("str {}", span.trace_id)),
    ];
    let own = fields
        .iter()
        .map(|(key, value)| (*key, (*value).to_owned()));
    let all = common.into_iter().chain(own);
    all.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn router() -> Router {
    Router::new()
        .route("/users/{id}", any(async || "user"))
        .route("/echo", post(async |body: Body| body))
        .route(
            "/panic",
            get(async || {
                if true {
                    panic!("the handler panics")
                }
            }),
        )
        .route("/hang", get(async || pending::<()>().await))
}

#[tokio::test]
async fn one_event_for_each_request() {
    let (log, _capturing) = Log::capture();
    let telemetry = Capture::new();
    let logging = layer(&telemetry).with_access_log();
    let server = axum_server(&telemetry, router().layer(logging)).await;
    let id = ("x-request-id", "from-the-client");
    server.request("GET", "/users/1?token=s3cr3t", &[id]).await;
    server.get("/unknown").await;
    server.request("BREW", "/users/2", &[]).await;
    server.get("/panic").await;
    let started = telemetry.clone();
    let there = telemetry.wait_until("five", move || started.started().len() == 5);
    server.abandon("/hang", there).await;
    let spans = telemetry.wait_for_spans(5).await;
    let common = |method, path, outcome| [("method", method), ("path", path), ("outcome", outcome)];
    let user = ("route", "str /users/{id}");
    let expected = [
        [
            &common("str GET", "str /users/1", "str success")[..],
            &[user, ("status", "u64 200"), ("response_bytes", "u64 4")],
            &[("request_id", "str from-the-client")],
        ]
        .concat(),
        [
            &common("str GET", "str /unknown", "str success")[..],
            &[("status", "u64 404"), ("response_bytes", "u64 0")],
        ]
        .concat(),
        [
            &common("str BREW", "str /users/2", "str success")[..],
            &[user, ("status", "u64 200"), ("response_bytes", "u64 4")],
        ]
        .concat(),
        [
            &common("str GET", "str /panic", "str panicked")[..],
            &[("route", "str /panic"), ("error", "str panic")],
        ]
        .concat(),
        [
            &common("str GET", "str /hang", "str cancelled")[..],
            &[("route", "str /hang"), ("error", "str cancelled")],
        ]
        .concat(),
    ];
    let expected: Vec<_> = spans
        .iter()
        .zip(&expected)
        .map(|(span, fields)| event(span, fields))
        .collect();
    assert_eq!(log.take(&spans), expected);
}

#[derive(Clone)]
struct Made;

impl MakeRequestId for Made {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        Some(RequestId::new(HeaderValue::from_static("made")))
    }
}

#[tokio::test]
async fn the_request_id_of_tower_http_further_out_and_further_in() {
    let (log, _capturing) = Log::capture();
    for further_out in [true, false] {
        let telemetry = Capture::new();
        let set = SetRequestIdLayer::x_request_id(Made);
        let propagate = PropagateRequestIdLayer::x_request_id();
        let logging = layer(&telemetry).with_access_log();
        let router = router();
        let router = if further_out {
            router.layer(logging).layer(set)
        } else {
            router.layer(propagate).layer(set).layer(logging)
        };
        let server = axum_server(&telemetry, router).await;
        server.get("/users/1").await;
        let spans = telemetry.wait_for_spans(1).await;
        let expected = event(
            &spans[0],
            &[
                ("method", "str GET"),
                ("path", "str /users/1"),
                ("outcome", "str success"),
                ("route", "str /users/{id}"),
                ("status", "u64 200"),
                ("response_bytes", "u64 4"),
                ("request_id", "str made"),
            ],
        );
        assert_eq!(log.take(&spans), [expected], "further out: {further_out}");
    }
}

#[tokio::test]
async fn with_body_sizes_the_bytes_of_the_request_are_told() {
    let (log, _capturing) = Log::capture();
    let telemetry = Capture::new();
    let logging = layer(&telemetry).with_access_log().with_body_sizes();
    let server = axum_server(&telemetry, router().layer(logging)).await;
    let headers = [("content-length", "5"), ("connection", "close")];
    let head = server.head("POST", "/echo", &headers);
    assert_eq!(
        server.exchange(format!("{head}\r\nhello")).await.body,
        "hello"
    );
    let spans = telemetry.wait_for_spans(1).await;
    let expected = event(
        &spans[0],
        &[
            ("method", "str POST"),
            ("path", "str /echo"),
            ("outcome", "str success"),
            ("route", "str /echo"),
            ("status", "u64 200"),
            ("request_bytes", "u64 5"),
            ("response_bytes", "u64 5"),
        ],
    );
    assert_eq!(log.take(&spans), [expected]);
}

#[tokio::test]
async fn the_event_is_in_the_span_of_its_request() {
    let telemetry = Capture::new();
    let logging = layer(&telemetry).with_access_log();
    let server = axum_server(&telemetry, router().layer(logging)).await;
    let context = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::registry().with(InSpan(context.clone()));
    let _capturing = tracing::subscriber::set_default(subscriber);
    server.get("/users/1").await;
    let spans = telemetry.wait_for_spans(1).await;
    assert_eq!(*context.lock().unwrap(), [spans[0].span_id]);
}

/// Which OpenTelemetry span is current when the access log writes.
struct InSpan(Arc<Mutex<Vec<otelware::opentelemetry::SpanId>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for InSpan {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        use otelware::opentelemetry::trace::TraceContextExt;
        if event.metadata().target() == "otelware::access" {
            let context = otelware::opentelemetry::Context::current();
            self.0
                .lock()
                .unwrap()
                .push(context.span().span_context().span_id());
        }
    }
}
