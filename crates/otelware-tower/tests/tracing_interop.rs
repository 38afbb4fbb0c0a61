//! Spans of `tracing` and of the layers nest in each other, and events of `tracing` carry the ids of the span that they
//! happen in, on the console and over OTLP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "axum")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use http_body_util::BodyExt;
use otelware::console::ConsoleLogFormat;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::trace::{
    FutureExt as _, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use otelware::telemetry::{Environment, Telemetry};
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind as Kind;
use otelware_testing::otlp::{OtlpReceiver, Received};
use otelware_tower::{HttpClientLayer, HttpServerLayer};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tower::{Layer as _, ServiceExt, service_fn};
use tracing::subscriber::DefaultGuard;
use tracing::{Instrument, info_span};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;

const FIRST: &str = "11111111111111111111111111111111";
const SECOND: &str = "22222222222222222222222222222222";
const REMOTE_PARENT: &str = "00f067aa0ba902b7";

/// Telemetry as a program sets it up that composes its subscriber itself, on this thread only.
struct Setup {
    receiver: OtlpReceiver,
    telemetry: Telemetry,
    console: Lines,
    _subscriber: DefaultGuard,
}

impl Setup {
    fn new() -> Self {
        let receiver = OtlpReceiver::http();
        let environment =
            Environment::from_iter([("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint())]);
        let telemetry = Telemetry::builder("shop")
            .without_globals()
            .with_environment(environment)
            .install()
            .unwrap();
        let console = Lines::default();
        let writer = console.clone();
        let console_layer = tracing_subscriber::fmt::layer()
            .event_format(ConsoleLogFormat::new())
            .with_ansi(false)
            .with_writer(move || writer.clone())
            // The SDK's notices about itself are not what is looked at here.
            .with_filter(filter_fn(|event| {
                !event.target().starts_with("opentelemetry")
            }));
        let subscriber = tracing_subscriber::registry()
            .with(console_layer)
            .with(telemetry.tracing_layer())
            .with(telemetry.log_layer());
        Self {
            receiver,
            telemetry,
            console,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    fn server_layer(&self) -> HttpServerLayer {
        HttpServerLayer::new()
            .with_tracer_provider(self.telemetry.tracer_provider().clone())
            .with_meter_provider(self.telemetry.meter_provider().clone())
            .with_propagator(self.telemetry.propagator())
    }

    fn client_layer(&self) -> HttpClientLayer {
        HttpClientLayer::new()
            .with_tracer_provider(self.telemetry.tracer_provider().clone())
            .with_meter_provider(self.telemetry.meter_provider().clone())
            .with_propagator(self.telemetry.propagator())
    }

    /// Ends the telemetry; what was exported, and the lines of the console.
    async fn end(self) -> (Received, String) {
        self.telemetry.shutdown().await.unwrap();
        (self.receiver.received(), self.console.text())
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A span of a trace: the name of its parent (or its id, if that is elsewhere), its kind and its name.
type Edge = (String, Kind, String);

fn edge(parent: &str, kind: Kind, name: &str) -> Edge {
    (parent.to_owned(), kind, name.to_owned())
}

/// The spans of one trace.
fn edges(received: &Received, trace_id: &str) -> BTreeSet<(String, i32, String)> {
    let spans = of_trace(received, trace_id);
    spans
        .iter()
        .map(|span| {
            let parent = spans
                .iter()
                .find(|other| other.span_id == span.parent_span_id)
                .map_or_else(|| hex(&span.parent_span_id), |parent| parent.name.clone());
            (parent, span.kind, span.name.clone())
        })
        .collect()
}

fn expected<const N: usize>(edges: [Edge; N]) -> BTreeSet<(String, i32, String)> {
    let numbered = |(parent, kind, name): Edge| (parent, kind as i32, name);
    edges.into_iter().map(numbered).collect()
}

fn of_trace<'a>(received: &'a Received, trace_id: &str) -> Vec<&'a Span> {
    let spans = received.spans().into_iter();
    spans
        .filter(|span| hex(&span.trace_id) == trace_id)
        .collect()
}

/// Trace id, name of the span, and text of each log record; sorted.
fn records(received: &Received) -> Vec<[String; 3]> {
    let spans = received.spans();
    let mut records: Vec<[String; 3]> = received
        .log_records()
        .into_iter()
        .map(|record| {
            let span = spans
                .iter()
                .find(|span| (&span.trace_id, &span.span_id) == (&record.trace_id, &record.span_id))
                .map_or("no span", |span| &span.name);
            let Some(Value::StringValue(text)) = record.body.clone().unwrap().value else {
                panic!("the body of {record:?} is no text");
            };
            [hex(&record.trace_id), span.to_owned(), text]
        })
        .collect();
    records.sort();
    records
}

/// The same of the lines of the console.
fn lines(console: &str, received: &Received) -> Vec<[String; 3]> {
    let spans = received.spans();
    let mut lines: Vec<[String; 3]> = console
        .lines()
        .map(|line| {
            let word = |key: &str| {
                let value = line.split(' ').find_map(|word| word.strip_prefix(key));
                value.unwrap_or_default().to_owned()
            };
            let (trace_id, span_id) = (word("trace_id="), word("span_id="));
            let span = spans
                .iter()
                .find(|span| hex(&span.trace_id) == trace_id && hex(&span.span_id) == span_id)
                .map_or("no span", |span| &span.name);
            let (_, text) = line.rsplit_once(": ").unwrap();
            [trace_id, span.to_owned(), text.to_owned()]
        })
        .collect();
    lines.sort();
    lines
}

/// One span of each side in the other, with suspensions in between, so that two requests take turns.
async fn order(tracer: otelware::opentelemetry_sdk::trace::SdkTracer) -> &'static str {
    tracing::info!("directly in the handler");
    async {
        tokio::task::yield_now().await;
        tracing::info!("in tracing's span");
        let span = tracer.start("load order");
        async {
            tokio::task::yield_now().await;
            tracing::info!("in OpenTelemetry's span");
            async {
                tokio::task::yield_now().await;
                tracing::info!("in the innermost span");
            }
            .instrument(info_span!("decode order"))
            .await;
        }
        .with_context(Context::current_with_span(span))
        .await;
        tokio::task::yield_now().await;
        tracing::info!("back in tracing's span");
    }
    .instrument(info_span!("show order"))
    .await;
    tracing::info!("back in the handler");
    "order"
}

#[tokio::test(flavor = "current_thread")]
async fn spans_and_events_of_tracing_nest_in_the_servers_span() {
    let setup = Setup::new();
    let tracer = setup.telemetry.tracer_provider().tracer("shop");
    let router = Router::new()
        .route("/orders/{id}", get(move || order(tracer.clone())))
        .layer(setup.server_layer());
    let send = async |trace_id: &str| {
        let request = Request::get("/orders/7")
            .header("traceparent", format!("00-{trace_id}-{REMOTE_PARENT}-01"))
            .body(Body::empty())
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    };
    let bodies = tokio::join!(send(FIRST), send(SECOND));
    assert_eq!(bodies, ("order".into(), "order".into()));

    let (received, console) = setup.end().await;
    for trace_id in [FIRST, SECOND] {
        assert_eq!(
            edges(&received, trace_id),
            expected([
                edge(REMOTE_PARENT, Kind::Server, "GET /orders/{id}"),
                edge("GET /orders/{id}", Kind::Internal, "show order"),
                edge("show order", Kind::Internal, "load order"),
                edge("load order", Kind::Internal, "decode order"),
            ])
        );
    }
    assert_eq!(received.spans().len(), 8);
    let events = [
        ("GET /orders/{id}", "back in the handler"),
        ("GET /orders/{id}", "directly in the handler"),
        ("decode order", "in the innermost span"),
        ("load order", "in OpenTelemetry's span"),
        ("show order", "back in tracing's span"),
        ("show order", "in tracing's span"),
    ];
    let expected: Vec<[String; 3]> = [FIRST, SECOND]
        .into_iter()
        .flat_map(|trace| events.map(|(span, text)| [trace, span, text].map(str::to_owned)))
        .collect();
    assert_eq!(records(&received), expected);
    assert_eq!(lines(&console, &received), expected);
}

#[tokio::test(flavor = "current_thread")]
async fn the_clients_span_nests_in_a_span_of_tracing() {
    let setup = Setup::new();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&sent);
    let client = setup
        .client_layer()
        .layer(service_fn(move |request: Request<Body>| {
            let noted = Arc::clone(&noted);
            async move {
                tokio::task::yield_now().await;
                tracing::info!("on its way");
                info_span!("connect").in_scope(|| tracing::info!("connecting"));
                let header = request.headers().get("traceparent").unwrap();
                noted
                    .lock()
                    .unwrap()
                    .push(header.to_str().unwrap().to_owned());
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        }));
    let tracer = setup.telemetry.tracer_provider().tracer("shop");
    let outermost = tracer
        .span_builder("consume")
        .with_kind(SpanKind::Consumer)
        .start(&tracer);
    async {
        let request = Request::get("http://stock/7").body(Body::empty()).unwrap();
        let response = client.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
        tracing::info!("answered");
    }
    .instrument({
        // The parent of a span of `tracing` is the context in which it is made.
        let _attached = Context::current_with_span(outermost).attach();
        info_span!("ask for stock")
    })
    .await;

    let (received, console) = setup.end().await;
    let trace_id = hex(&received.spans()[0].trace_id);
    assert_eq!(
        edges(&received, &trace_id),
        expected([
            edge("", Kind::Consumer, "consume"),
            edge("consume", Kind::Internal, "ask for stock"),
            edge("ask for stock", Kind::Client, "GET"),
            edge("GET", Kind::Internal, "connect"),
        ])
    );
    assert_eq!(received.spans().len(), 4);
    let span_id = received
        .spans()
        .iter()
        .find(|span| span.name == "GET")
        .map(|span| hex(&span.span_id))
        .unwrap();
    assert_eq!(
        *sent.lock().unwrap(),
        [format!("00-{trace_id}-{span_id}-01")]
    );
    let expected = [
        ("GET", "on its way"),
        ("ask for stock", "answered"),
        ("connect", "connecting"),
    ]
    .map(|(span, text)| [trace_id.as_str(), span, text].map(str::to_owned));
    assert_eq!(records(&received), expected);
    assert_eq!(lines(&console, &received), expected);
}
