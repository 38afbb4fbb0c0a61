//! The same code on redis-rs' types and on otelware's, of which only the imports differ: with the
//! same results, and with spans of all that it does.
#![cfg(all(
    feature = "connection-manager",
    feature = "script",
    feature = "streams",
    feature = "tokio-comp"
))]
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(
    clippy::duplicate_mod,
    reason = "to be compiled twice is what it is for"
)]

#[path = "../support/mod.rs"]
mod support;
mod with_otelware;
mod with_redis;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::MatchedPath;
use axum::http::Request;
use axum::middleware::{Next, from_fn};
use otelware_redis::otelware::opentelemetry::trace::{
    FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider,
};
use otelware_redis::otelware::opentelemetry::{Context, global};
use otelware_redis::{Instrument, RedisOptions};
use otelware_testing::Capture;
use support::Server;
use tower::ServiceExt;

/// The router with a span for each request, named by method and route.
fn in_spans(router: Router, telemetry: &Capture) -> Router {
    let tracer = telemetry.tracer_provider().tracer("web site");
    router.layer(from_fn(move |request: Request<Body>, next: Next| {
        let route = request.extensions().get::<MatchedPath>().unwrap();
        let name = format!("{} {}", request.method(), route.as_str());
        let span = tracer.span_builder(name).with_kind(SpanKind::Server);
        let context = Context::new().with_span(tracer.build_with_context(span, &Context::new()));
        let ended = context.clone();
        async move {
            let response = next.run(request).await;
            ended.span().end();
            response
        }
        .with_context(context)
    }))
}

/// What the site answers, request by request.
async fn answers(router: &Router) -> Vec<String> {
    let mut answers = Vec::new();
    for (method, path) in [
        ("GET", "/pens/1"),
        ("GET", "/pens/1"),
        ("PUT", "/pens/1/stock"),
        ("PUT", "/pens/1/stock"),
        ("GET", "/pens"),
        ("POST", "/orders"),
        ("POST", "/orders"),
        ("GET", "/visits"),
        ("GET", "/wrong"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        answers.push(format!("{method} {path}: {status} {text}"));
    }
    answers
}

const ANSWERS: [&str; 9] = [
    "GET /pens/1: 200 pen 1, looked up",
    "GET /pens/1: 200 pen 1",
    "PUT /pens/1/stock: 200 1 in stock",
    "PUT /pens/1/stock: 200 2 in stock",
    "GET /pens: 200 pen:1,pen:1:stock",
    "POST /orders: 200 order 1 of 2, 1 left",
    "POST /orders: 200 order 2 of 2, 0 left",
    "GET /visits: 200 8 visits, 3 in the background",
    "GET /wrong: 500 WRONGTYPE",
];

/// Each command is a child of the request that it is for, also in tasks that the handlers spawn and
/// in threads that block; text and values are as elsewhere.
const TREE: &str = "\
SERVER GET /pens/{id}
  CLIENT INCRBY
  CLIENT GET
  CLIENT SETEX
  CLIENT PIPELINE
SERVER GET /pens/{id}
  CLIENT INCRBY
  CLIENT GET
  CLIENT PIPELINE
SERVER PUT /pens/{id}/stock
  CLIENT INCRBY
  CLIENT MULTI
SERVER PUT /pens/{id}/stock
  CLIENT INCRBY
  CLIENT MULTI
SERVER GET /pens
  CLIENT INCRBY
  CLIENT SCAN
SERVER POST /orders
  CLIENT INCRBY
  CLIENT EVALSHA
  CLIENT SCRIPT
  CLIENT EVALSHA
  CLIENT XADD
SERVER POST /orders
  CLIENT INCRBY
  CLIENT EVALSHA
  CLIENT XADD
SERVER GET /visits
  CLIENT INCRBY
  CLIENT GET
  CLIENT MGET
SERVER GET /wrong
  CLIENT INCRBY
  CLIENT SET
  CLIENT LPUSH
";

#[tokio::test(flavor = "multi_thread")]
async fn only_imports_change() {
    let (plain, observed) = (Server::start(), Server::start());
    let manager = plain.client().get_connection_manager().await.unwrap();
    let client = plain.client();
    let state = with_redis::shop::Shop::new(client, manager);
    let router = with_redis::shop::router(state);
    assert_eq!(answers(&router).await, ANSWERS);

    let telemetry = Capture::new();
    global::set_tracer_provider(telemetry.tracer_provider());
    let client = observed.client().instrument_with(RedisOptions::new());
    let manager = client.get_connection_manager().await.unwrap();
    let state = with_otelware::shop::Shop::new(client, manager);
    let router = in_spans(with_otelware::shop::router(state), &telemetry);
    assert_eq!(answers(&router).await, ANSWERS);
    telemetry.settle().await;
    assert_eq!(telemetry.tree(), TREE);
}
