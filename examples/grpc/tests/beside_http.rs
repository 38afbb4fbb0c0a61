//! Services of tonic's in a router of axum's, with a layer for HTTP around it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// What the tests of the layer for gRPC have. They can't have these: no layer depends on another.
#[path = "../../../crates/otelware-tonic/tests/support/mod.rs"]
mod support;

use axum::Router;
use axum::routing::any;
use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Full;
use otelware::opentelemetry::trace::SpanKind;
use otelware::propagation::{CompositePropagator, Trust};
use otelware::semconv::SCHEMA_URL;
use otelware_testing::suites::grpc::Script;
use otelware_testing::{Capture, ExpectedSpan, RemoteParent, expect_histogram, expect_span};
use otelware_tonic::GrpcServerLayer;
use otelware_tower::HttpServerLayer;
use support::*;
use tonic::service::Routes;
use tower::Layer;

const ROUTE: &str = "/otelware.test.Shapes/{*rest}";

fn http_layer(telemetry: &Capture) -> HttpServerLayer {
    HttpServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
}

/// A router with the service of these routes and a plain route.
fn router(routes: Routes) -> Router {
    routes
        .into_axum_router()
        .route("/plain", any(async || "plain"))
}

/// The service with a layer of its own.
fn around_service(layer: &GrpcServerLayer) -> Router {
    router(Routes::new(layer.layer(shapes())))
}

/// The layer around the whole router.
fn around_router(layer: &GrpcServerLayer) -> Router {
    router(Routes::new(shapes())).layer(layer.clone())
}

/// The span of an HTTP request on this route.
fn http_span(method: &str, path: &str, route: Option<&str>, version: &str) -> ExpectedSpan {
    let name = match route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    };
    let span = expect_span(name)
        .kind(SpanKind::Server)
        .scope("otelware-tower", env!("CARGO_PKG_VERSION"), SCHEMA_URL)
        .attribute("http.request.method", method)
        .attribute("http.response.status_code", 200)
        .attribute("network.protocol.version", version)
        .attribute("server.address", HOST)
        .attribute("server.port", PORT)
        .attribute("url.path", path)
        .attribute("url.scheme", "http");
    match route {
        Some(route) => span.attribute("http.route", route),
        None => span,
    }
}

fn names(telemetry: &Capture) -> Vec<String> {
    let metrics = telemetry.metrics().into_iter();
    metrics.map(|metric| metric.name).collect()
}

/// Makes a call in a trace of another process, and asserts that it has one span and one duration.
async fn assert_one_span(telemetry: &Capture, app: &Router) {
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let metadata = [("traceparent", traceparent.as_str()), ("baggage", "a=1")];
    let request = with_metadata(told(note(1, ""), Script::Context), &metadata);
    let answer = client_of(app.clone()).unary(request).await;
    let answer = answer.unwrap().into_inner();
    let call = ExpectedCall::server(UNARY);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 1, "{}", telemetry.tree());
    spans[0].assert(call.span().child_of(&parent));
    let carried = spans[0].traceparent();
    assert_eq!(line(&answer, "traceparent"), Some(carried.as_str()));
    assert_eq!(line(&answer, "baggage"), Some("a=1"));
    assert_metrics(telemetry, &[call], &[]);
}

/// What both layers leave behind of a call of [`UNARY`]: the span of gRPC within that of HTTP.
fn assert_both(telemetry: &Capture) {
    let http = telemetry.span(&format!("POST {ROUTE}"));
    http.assert(http_span("POST", &format!("/{UNARY}"), Some(ROUTE), "2"));
    let call = ExpectedCall::server(UNARY).span().child_of(&http);
    telemetry.span(UNARY).assert(call);
    assert_eq!(telemetry.spans().len(), 2, "{}", telemetry.tree());
}

/// The router after a first call, of which there is no trace.
async fn after_a_call(telemetry: &Capture, app: Router) -> Router {
    client_of(app.clone()).unary(plain()).await.unwrap();
    telemetry.reset();
    app
}

#[tokio::test]
async fn the_first_call_of_a_route_is_observed_by_both() {
    for router in [around_service, around_router] {
        let telemetry = Capture::new();
        let app = router(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
        client_of(app).unary(plain()).await.unwrap();
        assert_both(&telemetry);
    }
}

#[tokio::test]
async fn the_calls_that_follow_have_one_span_each() {
    for router in [around_service, around_router] {
        let telemetry = Capture::new();
        let app = router(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
        let app = after_a_call(&telemetry, app).await;
        assert_one_span(&telemetry, &app).await;
        telemetry.reset();
        assert_one_span(&telemetry, &app).await;
    }
}

#[tokio::test]
async fn the_trust_of_the_layer_for_grpc_decides() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_trust(Trust::Public);
    let app = around_service(&layer).layer(http_layer(&telemetry));
    let app = after_a_call(&telemetry, app).await;
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let request = with_metadata(plain(), &[("traceparent", &traceparent)]);
    client_of(app).unary(request).await.unwrap();
    let span = telemetry.span(UNARY);
    span.assert(ExpectedCall::server(UNARY).span().link_to(&parent));
    assert_eq!(telemetry.spans().len(), 1);
}

#[tokio::test]
async fn a_method_that_the_service_does_not_have_is_one_of_grpc() {
    let telemetry = Capture::new();
    let app = around_service(&server_layer(&telemetry)).layer(http_layer(&telemetry));
    let app = after_a_call(&telemetry, app).await;
    exchange(&app, request("/otelware.test.Shapes/Missing")).await;
    let call = ExpectedCall::server("otelware.test.Shapes/Missing");
    let call = call.other().code("UNIMPLEMENTED");
    telemetry.span("grpc").assert(call.span());
    assert_eq!(telemetry.spans().len(), 1);
    let expected = expect_histogram(SERVER_DURATION).point(call.metric_attributes(), 1);
    telemetry.metric(SERVER_DURATION).assert(expected);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_one_of_http() {
    let telemetry = Capture::new();
    let app = around_service(&server_layer(&telemetry)).layer(http_layer(&telemetry));
    exchange(&app, request("/shop.Orders/Place")).await;
    telemetry
        .span("POST")
        .assert(http_span("POST", "/shop.Orders/Place", None, "2"));
    assert_eq!(telemetry.spans().len(), 1);

    // A layer around the router sees it too, within that span, whatever the caller says.
    telemetry.reset();
    let app = around_router(&server_layer(&telemetry)).layer(http_layer(&telemetry));
    let parent = RemoteParent::sampled();
    let mut call = request("/shop.Orders/Place");
    let traceparent = parent.traceparent().parse().unwrap();
    call.headers_mut().insert("traceparent", traceparent);
    exchange(&app, call).await;
    let http = telemetry.span("POST");
    http.assert(http_span("POST", "/shop.Orders/Place", None, "2").child_of(&parent));
    let call = ExpectedCall::server("shop.Orders/Place").other();
    let call = call.code("UNIMPLEMENTED");
    telemetry.span("grpc").assert(call.span().child_of(&http));
    assert_eq!(telemetry.spans().len(), 2);
}

#[tokio::test]
async fn a_plain_route_has_its_span_of_http() {
    for router in [around_service, around_router] {
        let telemetry = Capture::new();
        let app = router(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
        let parent = RemoteParent::sampled();
        let request = Request::get(format!("{ORIGIN}/plain"))
            .header("traceparent", parent.traceparent())
            .body(Full::<Bytes>::default())
            .unwrap();
        assert_eq!(exchange(&app, request).await.body(), "plain");
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 1, "{}", telemetry.dump());
        let expected = http_span("GET", "/plain", Some("/plain"), "1.1");
        spans[0].assert(expected.child_of(&parent));
        assert_eq!(names(&telemetry), ["http.server.request.duration"]);
    }
}

/// By its content type alone nobody hides a request from the layer for HTTP.
#[tokio::test]
async fn a_plain_route_is_observed_whatever_the_content_type() {
    let telemetry = Capture::new();
    let app = around_service(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
    assert_eq!(exchange(&app, request("/plain")).await.body(), "plain");
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 1, "{}", telemetry.dump());
    spans[0].assert(http_span("POST", "/plain", Some("/plain"), "2"));
    assert_eq!(names(&telemetry), ["http.server.request.duration"]);
}

/// Whether or not the layer for gRPC knows the method.
#[tokio::test]
async fn a_request_that_is_none_of_grpc_is_observed_by_the_layer_for_http() {
    for layer in [server_layer, listed_layer] {
        let telemetry = Capture::new();
        let app = around_service(&layer(&telemetry)).layer(http_layer(&telemetry));
        let request = Request::get(format!("{ORIGIN}/{UNARY}"))
            .version(Version::HTTP_2)
            .body(Full::<Bytes>::default())
            .unwrap();
        exchange(&app, request).await;
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 1, "{}", telemetry.tree());
        let path = format!("/{UNARY}");
        spans[0].assert(http_span("GET", &path, Some(ROUTE), "2"));
    }
}

/// tonic answers it, so it is a call; and nothing but the method tells that it is none of HTTP.
#[tokio::test]
async fn a_call_without_a_content_type_is_observed_by_both() {
    let telemetry = Capture::new();
    let app = around_service(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
    let mut call = request_with(&format!("/{UNARY}"), Full::new(framed(b"", false)));
    call.headers_mut().remove("content-type");
    let app = after_a_call(&telemetry, app).await;
    exchange(&app, call).await;
    assert_both(&telemetry);
}

/// `tonic` routes under an HTTP layer alone stay with it, whatever layers for gRPC the program has.
#[tokio::test]
async fn the_layer_of_another_router_claims_nothing() {
    let telemetry = Capture::new();
    let observed = around_service(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
    drop(after_a_call(&telemetry, observed).await);
    let app = router(Routes::new(shapes())).layer(http_layer(&telemetry));
    client_of(app).unary(plain()).await.unwrap();
    let names: Vec<_> = telemetry
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, [format!("POST {ROUTE}")]);
}

#[tokio::test]
async fn without_a_layer_for_grpc_calls_are_observed_as_http() {
    let telemetry = Capture::new();
    let app = router(Routes::new(shapes())).layer(http_layer(&telemetry));
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let request = with_metadata(plain(), &[("traceparent", &traceparent)]);
    client_of(app).unary(request).await.unwrap();
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 1, "{}", telemetry.dump());
    let path = format!("/{UNARY}");
    let expected = http_span("POST", &path, Some(ROUTE), "2");
    spans[0].assert(expected.child_of(&parent));
    assert_eq!(names(&telemetry), ["http.server.request.duration"]);
}

/// A layer that was made and never applied is no layer.
#[tokio::test]
async fn a_layer_for_grpc_that_is_not_applied_does_not_count() {
    let telemetry = Capture::new();
    let _unused = listed_layer(&telemetry);
    let app = router(Routes::new(shapes())).layer(http_layer(&telemetry));
    client_of(app).unary(plain()).await.unwrap();
    let path = format!("/{UNARY}");
    let span = telemetry.span(&format!("POST {ROUTE}"));
    span.assert(http_span("POST", &path, Some(ROUTE), "2"));
}

#[tokio::test]
async fn over_a_connection_the_peer_is_known_by_axum() {
    use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;
    use tonic::transport::Endpoint;

    let telemetry = Capture::new();
    let app = around_service(&listed_layer(&telemetry)).layer(http_layer(&telemetry));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut client = ShapesClient::new(channel);
    // After a first call, of which there is no trace.
    client.unary(plain()).await.unwrap();
    telemetry.wait_for_spans(1).await;
    telemetry.settle().await;
    telemetry.reset();
    client.unary(plain()).await.unwrap();
    let spans = telemetry.wait_for_spans(1).await;
    telemetry.settle().await;
    let call = ExpectedCall::server(UNARY).address(Some(("127.0.0.1", Some(address.port()))));
    let expected = call
        .span()
        .attribute("network.peer.address", "127.0.0.1")
        .any_value("network.peer.port");
    assert_eq!(spans.len(), 1, "{}", telemetry.dump());
    spans[0].assert(expected);
    assert_metrics(&telemetry, &[call], &[]);
    serving.abort();
}
