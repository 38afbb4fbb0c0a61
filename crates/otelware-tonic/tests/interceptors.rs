//! Interceptors propagate context, and do nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
use otelware::opentelemetry::{Context, KeyValue, global};
use otelware::propagation::{CompositePropagator, Outbound, Trust};
use otelware_testing::suites::grpc::shapes::Note;
use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
use otelware_testing::suites::grpc::shapes::shapes_server::{Shapes, ShapesServer};
use otelware_testing::{Capture, RemoteParent, expect_span};
use otelware_tonic::{ClientInterceptor, ServerInterceptor};
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex};
use support::*;
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Status, Streaming};
use tower::layer::util::Identity;
use tower::{Layer, Service, service_fn};

/// What a client with this interceptor sends, where there are a span and two entries of baggage.
/// Returns the span's `traceparent` besides.
async fn sent(
    interceptor: ClientInterceptor,
    metadata: &[(&'static str, &str)],
) -> (String, HeaderMap) {
    let telemetry = Capture::new();
    let tracer = telemetry.tracer_provider().tracer("test");
    let context = Context::new()
        .with_span(tracer.start("around"))
        .with_baggage([KeyValue::new("tenant", "7"), KeyValue::new("user", "me")]);
    let headers = send(interceptor, metadata, context.clone()).await;
    context.span().end();
    (telemetry.span("around").traceparent(), headers)
}

/// The headers of a call in this context, but for those of any call.
async fn send(
    interceptor: ClientInterceptor,
    metadata: &[(&'static str, &str)],
    context: Context,
) -> HeaderMap {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let keep = seen.clone();
    let server = service_fn(move |request: Request<Body>| {
        *keep.lock().unwrap() = request.headers().clone();
        ready(Ok::<_, Infallible>(
            Status::not_found("").into_http::<Body>(),
        ))
    });
    let mut client = ShapesClient::with_interceptor(server, interceptor);
    let request = with_metadata(tonic::Request::new(note(1, "")), metadata);
    let status = client.unary(request).with_context(context).await;
    assert_eq!(status.unwrap_err().code(), Code::NotFound);
    let mut headers = seen.lock().unwrap().clone();
    for usual in ["content-type", "te", "user-agent"] {
        headers.remove(usual);
    }
    headers
}

fn headers(expected: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in expected {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn interceptor() -> ClientInterceptor {
    ClientInterceptor::new().with_propagator(CompositePropagator::default())
}

#[tokio::test]
async fn a_client_sends_what_its_policy_allows() {
    for (outbound, traced, baggage) in [
        (None, true, Some("tenant=7,user=me")),
        (Some(Outbound::Everything), true, Some("tenant=7,user=me")),
        (Some(Outbound::baggage(["user"])), true, Some("user=me")),
        (Some(Outbound::TraceContextOnly), true, None),
        (Some(Outbound::Nothing), false, None),
    ] {
        let mut interceptor = interceptor();
        if let Some(outbound) = outbound.clone() {
            interceptor = interceptor.with_outbound(outbound);
        }
        let (traceparent, sent) = sent(interceptor, &[("x-own", "kept")]).await;
        let mut expected = headers(&[("x-own", "kept")]);
        if traced {
            expected.insert("traceparent", traceparent.parse().unwrap());
        }
        if let Some(baggage) = baggage {
            expected.insert("baggage", baggage.parse().unwrap());
        }
        assert_eq!(sorted(sent), expected, "{outbound:?}");
    }
}

/// The headers with the entries of their baggage in order.
fn sorted(mut headers: HeaderMap) -> HeaderMap {
    if let Some(baggage) = headers.get("baggage") {
        let mut entries: Vec<&str> = baggage.to_str().unwrap().split(',').collect();
        entries.sort_unstable();
        let entries = entries.join(",").parse().unwrap();
        headers.insert("baggage", entries);
    }
    headers
}

#[tokio::test]
async fn what_came_before_is_replaced_by_a_client() {
    let stale = RemoteParent::sampled().traceparent();
    let before = [
        ("traceparent", stale.as_str()),
        ("traceparent", stale.as_str()),
        ("tracestate", "stale=1"),
    ];
    let interceptor = interceptor().with_outbound(Outbound::TraceContextOnly);
    let (traceparent, sent) = sent(interceptor, &before).await;
    assert_eq!(sent, headers(&[("traceparent", &traceparent)]));
}

#[tokio::test]
async fn without_a_context_a_client_adds_nothing() {
    let sent = send(interceptor(), &[("x-own", "kept")], Context::new()).await;
    assert_eq!(sent, headers(&[("x-own", "kept")]));
}

#[tokio::test]
async fn the_global_propagator_is_the_default() {
    global::set_text_map_propagator(CompositePropagator::default());
    let (traceparent, sent) = sent(
        ClientInterceptor::new().with_outbound(Outbound::TraceContextOnly),
        &[],
    )
    .await;
    assert_eq!(sent, headers(&[("traceparent", &traceparent)]));
    let found = found(ServerInterceptor::new(), &sent).await;
    assert_eq!(traceparent_of(&found), traceparent);
}

/// A service whose handler works in the context that it finds, and keeps that.
struct Working {
    telemetry: Capture,
    found: Arc<Mutex<Option<Context>>>,
}

type Never = tokio_stream::Empty<Result<Note, Status>>;

#[tonic::async_trait]
impl Shapes for Working {
    async fn unary(&self, request: tonic::Request<Note>) -> Result<tonic::Response<Note>, Status> {
        let context = request.extensions().get::<Context>().cloned();
        let tracer = self.telemetry.tracer_provider().tracer("test");
        drop(tracer.start_with_context("work", context.as_ref().unwrap()));
        *self.found.lock().unwrap() = context;
        Ok(tonic::Response::new(request.into_inner()))
    }

    async fn client_stream(
        &self,
        _: tonic::Request<Streaming<Note>>,
    ) -> Result<tonic::Response<Note>, Status> {
        Err(Status::unimplemented(""))
    }

    type ServerStreamStream = Never;

    async fn server_stream(
        &self,
        _: tonic::Request<Note>,
    ) -> Result<tonic::Response<Never>, Status> {
        Err(Status::unimplemented(""))
    }

    type BidiStream = Never;

    async fn bidi(
        &self,
        _: tonic::Request<Streaming<Note>>,
    ) -> Result<tonic::Response<Never>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// What the handler of a service with this interceptor finds.
async fn found(interceptor: ServerInterceptor, sent: &HeaderMap) -> Context {
    found_by(&Capture::new(), interceptor, sent).await
}

async fn found_by(
    telemetry: &Capture,
    interceptor: ServerInterceptor,
    sent: &HeaderMap,
) -> Context {
    found_beneath(&Identity::new(), telemetry, interceptor, sent).await
}

/// What the handler finds beneath a layer.
async fn found_beneath<L, S, B>(
    layer: &L,
    telemetry: &Capture,
    interceptor: ServerInterceptor,
    sent: &HeaderMap,
) -> Context
where
    L: Layer<InterceptedService<ShapesServer<Working>, ServerInterceptor>, Service = S>,
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let found = Arc::new(Mutex::new(None));
    let working = Working {
        telemetry: telemetry.clone(),
        found: found.clone(),
    };
    let service = layer.layer(ShapesServer::with_interceptor(working, interceptor));
    let mut call = request(&format!("/{UNARY}"));
    *call.body_mut() = framed(b"", false).into();
    call.headers_mut().extend(sent.clone());
    let response: Response<_> = exchange(&service, call).await;
    assert_eq!(response.body(), &framed(b"", false));
    found.lock().unwrap().take().unwrap()
}

fn traceparent_of(context: &Context) -> String {
    let span = context.span();
    let span = span.span_context();
    let flags = span.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}

#[tokio::test]
async fn a_handler_finds_the_context_among_the_extensions() {
    let telemetry = Capture::new();
    let parent = RemoteParent::sampled().with_trace_state("a=1");
    let traceparent = parent.traceparent();
    let sent = headers(&[
        ("traceparent", &traceparent),
        ("tracestate", "a=1"),
        ("baggage", "tenant=7"),
        ("baggage", "user=me"),
    ]);
    let interceptor = ServerInterceptor::new().with_propagator(CompositePropagator::default());
    let context = found_by(&telemetry, interceptor, &sent).await;
    telemetry
        .span("work")
        .assert(expect_span("work").child_of(&parent).trace_state("a=1"));
    let baggage = context.baggage();
    assert_eq!(baggage.len(), 2);
    assert_eq!(baggage.get("tenant").map(AsRef::as_ref), Some("7"));
    assert_eq!(baggage.get("user").map(AsRef::as_ref), Some("me"));
    assert_eq!(telemetry.spans().len(), 1, "there are no other spans");
    assert_eq!((telemetry.metrics(), telemetry.logs()), (vec![], vec![]));
}

#[tokio::test]
async fn beneath_a_layer_a_handler_works_within_the_servers_span() {
    let telemetry = Capture::new();
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let sent = headers(&[("traceparent", &traceparent), ("baggage", "tenant=7")]);
    let interceptor = ServerInterceptor::new().with_propagator(CompositePropagator::default());
    let layer = listed_layer(&telemetry);
    let context = found_beneath(&layer, &telemetry, interceptor, &sent).await;
    let server = telemetry.span(UNARY);
    server.assert(ExpectedCall::server(UNARY).span().child_of(&parent));
    telemetry
        .span("work")
        .assert(expect_span("work").child_of(&server));
    let baggage = context.baggage();
    assert_eq!(baggage.get("tenant").map(AsRef::as_ref), Some("7"));
}

#[tokio::test]
async fn nothing_is_taken_from_callers_that_are_not_trusted() {
    let telemetry = Capture::new();
    let traceparent = RemoteParent::sampled().traceparent();
    let sent = headers(&[("traceparent", &traceparent), ("baggage", "tenant=7")]);
    let interceptor = ServerInterceptor::new()
        .with_propagator(CompositePropagator::default())
        .with_trust(Trust::Public);
    let context = found_by(&telemetry, interceptor, &sent).await;
    telemetry.span("work").assert(expect_span("work"));
    assert_eq!(context.baggage().len(), 0);
    assert!(!context.span().span_context().is_valid());
}

#[tokio::test]
async fn what_cannot_be_read_is_no_context() {
    for traceparent in ["", "x", "00-0-0-01", "ff-0-0-0"] {
        let telemetry = Capture::new();
        let interceptor = ServerInterceptor::new().with_propagator(CompositePropagator::default());
        found_by(
            &telemetry,
            interceptor,
            &headers(&[("traceparent", traceparent)]),
        )
        .await;
        telemetry.span("work").assert(expect_span("work"));
    }
}

#[test]
fn interceptors_go_anywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    anywhere(&ClientInterceptor::new());
    anywhere(&ServerInterceptor::new());
}
