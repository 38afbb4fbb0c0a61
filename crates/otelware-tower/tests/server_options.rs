//! What the server's layer can be told: trust, filters, hooks, proxies, captured headers and so on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "axum")]

mod server_support;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Cancellation, ErrorType, Signals};
use otelware::propagation::Trust;
use otelware_testing::suites::http_server::{ExpectedRequest, TestServer};
use otelware_testing::{Capture, RemoteParent, expect_histogram, expect_log};
use otelware_tower::HttpServerLayer;
use otelware_tower::server::{TraceResponse, TrustedProxies};
use server_support::{axum_server, layer};
use std::future::pending;
use std::time::Duration;
use tower::{Layer, ServiceExt};

/// A server with one route of every kind that these tests need.
async fn server<B>(telemetry: &Capture, layer: HttpServerLayer<B>) -> TestServer
where
    HttpServerLayer<B>: ServesAxum,
{
    axum_server(telemetry, layer.on(router())).await
}

/// Both kinds of the layer fit on a router.
trait ServesAxum {
    fn on(self, router: Router) -> Router;
}

impl ServesAxum for HttpServerLayer {
    fn on(self, router: Router) -> Router {
        router.layer(self)
    }
}

impl ServesAxum for HttpServerLayer<otelware_tower::CountBodies> {
    fn on(self, router: Router) -> Router {
        router.layer(self)
    }
}

fn router() -> Router {
    Router::new()
        .route("/ok", any(async || "ok"))
        .route(
            "/baggage",
            get(async || Context::current().baggage().len().to_string()),
        )
        .route("/fail", get(async || StatusCode::BAD_GATEWAY))
        .route("/classed", get(classed))
        .route("/headers", any(headers))
        .route("/echo", post(async |body: axum::body::Bytes| body))
        .route("/ignore", post(async || "ignored"))
        .route("/panic", get(panics))
        .route("/hang", get(hangs))
        .route("/half", get(half))
}

async fn classed() -> Response {
    let class = ErrorType::from("out_of_stock");
    (StatusCode::CONFLICT, Extension(class), "none left").into_response()
}

async fn headers() -> Response {
    let own = [
        ("x-a", "1"),
        ("x-b", "2"),
        ("set-cookie", "id=s3cr3t"),
        ("x-token", "s3cr3t"),
    ];
    let mut response = "headers".into_response();
    for (name, value) in own {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response.headers_mut().append("x-b", "3".parse().unwrap());
    response
}

async fn panics() -> &'static str {
    panic!("the handler panics")
}

async fn hangs() -> &'static str {
    pending().await
}

/// A body that fails half-way.
async fn half() -> Response {
    let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    Response::new(Body::from_stream(futures_util::stream::iter([
        Ok("chunk"),
        Err(error),
    ])))
}

fn ok(server: &TestServer) -> ExpectedRequest {
    server.expect("GET", "/ok").route("/ok").status(200)
}

#[tokio::test]
async fn the_public_gets_a_new_trace_with_a_link_and_without_baggage() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry).with_trust(Trust::Public)).await;
    let parent = RemoteParent::unsampled();
    let traceparent = parent.traceparent();
    let headers = [("traceparent", traceparent.as_str()), ("baggage", "a=1")];
    assert_eq!(server.request("GET", "/baggage", &headers).await.body, "0");
    assert_eq!(
        server
            .request("GET", "/baggage", &[("baggage", "a=1")])
            .await
            .body,
        "0"
    );
    let expected = server
        .expect("GET", "/baggage")
        .route("/baggage")
        .status(200);
    server
        .assert(&[expected.clone().linked_to(&parent), expected])
        .await;
    assert!(telemetry.trace(parent.trace_id).is_empty());
}

#[tokio::test]
async fn trust_may_depend_on_the_request() {
    let telemetry = Capture::new();
    let by_header = layer(&telemetry).with_trust_of(|request| {
        match request.headers.contains_key("x-internal") {
            true => Trust::Trusted,
            false => Trust::Public,
        }
    });
    let server = server(&telemetry, by_header).await;
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let headers = [
        ("traceparent", traceparent.as_str()),
        ("baggage", "a=1"),
        ("x-internal", "1"),
    ];
    assert_eq!(server.request("GET", "/baggage", &headers).await.body, "1");
    assert_eq!(
        server.request("GET", "/baggage", &headers[..2]).await.body,
        "0"
    );
    let expected = || {
        server
            .expect("GET", "/baggage")
            .route("/baggage")
            .status(200)
    };
    server
        .assert(&[expected().child_of(&parent), expected().linked_to(&parent)])
        .await;
}

#[tokio::test]
async fn filters_choose_the_signals_and_the_context_flows() {
    let telemetry = Capture::new();
    let by_query = layer(&telemetry)
        .with_body_sizes()
        .with_trace_response(TraceResponse::TraceResponse)
        .with_filter(|request| match request.uri.query() {
            Some("none") => Signals::NONE,
            Some("metrics") => Signals::METRICS,
            Some("traces") => Signals::TRACES,
            _ => Signals::ALL,
        });
    let server = server(&telemetry, by_query).await;
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let headers = [("traceparent", traceparent.as_str()), ("baggage", "a=1")];
    let mut told = Vec::new();
    for query in ["none", "metrics", "traces", "all"] {
        let answer = server
            .request("GET", &format!("/baggage?{query}"), &headers)
            .await;
        assert_eq!(answer.body, "1", "{query}");
        told.push(!answer.header("traceresponse").is_empty());
    }
    assert_eq!(told, [false, false, true, true]);
    let expected = |query| {
        let expected = server
            .expect("GET", "/baggage")
            .route("/baggage")
            .status(200);
        let expected = expected.query(query).child_of(&parent);
        expected
            .on_span("http.request.body.size", 0)
            .on_span("http.response.body.size", 1)
    };
    let sizes = [
        "http.server.request.body.size",
        "http.server.response.body.size",
    ];
    server
        .assert_besides(
            &[
                expected("none").without_span().without_metrics(),
                expected("metrics").without_span(),
                expected("traces").without_metrics(),
                expected("all"),
            ],
            &sizes,
        )
        .await;
    for name in sizes {
        assert_eq!(telemetry.metric(name).total_count(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_filter_that_says_no_leaves_nothing() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry).with_filter(|_| false)).await;
    assert_eq!(server.get("/ok").await.status, 200);
    assert_eq!(
        (server.assert(&[]).await, telemetry.started()),
        (vec![], vec![])
    );
}

#[tokio::test]
async fn bodies_are_measured_by_the_bytes_that_flow() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry).with_body_sizes()).await;
    let chunked = [("transfer-encoding", "chunked"), ("connection", "close")];
    let announced = [("content-length", "5"), ("connection", "close")];
    let body = "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let head = server.head("POST", "/echo", &chunked);
    assert_eq!(
        server.exchange(format!("{head}\r\n{body}")).await.body,
        "abcdefg"
    );
    let head = server.head("POST", "/echo", &announced);
    assert_eq!(
        server.exchange(format!("{head}\r\nhello")).await.body,
        "hello"
    );
    let head = server.head("POST", "/ignore", &announced);
    assert_eq!(
        server.exchange(format!("{head}\r\nhello")).await.body,
        "ignored"
    );
    assert_eq!(server.request("HEAD", "/ok", &[]).await.body, "");
    server.get("/half").await;
    server.get("/panic").await;

    let expected = |method, path, request: u32, response: u32| {
        let expected = server.expect(method, path).route(path).status(200);
        expected
            .on_span("http.request.body.size", request)
            .on_span("http.response.body.size", response)
    };
    let echo = [
        expected("POST", "/echo", 7, 7),
        expected("POST", "/echo", 5, 5),
    ];
    let rest = [
        expected("POST", "/ignore", 0, 7),
        expected("HEAD", "/ok", 0, 0),
        expected("GET", "/half", 0, 5).error("unexpected_eof"),
    ];
    let panicked = server
        .expect("GET", "/panic")
        .route("/panic")
        .error("panic")
        .on_span("http.request.body.size", 0);
    let all = [echo.to_vec(), rest.to_vec(), vec![panicked.clone()]].concat();
    let sizes = [
        "http.server.request.body.size",
        "http.server.response.body.size",
    ];
    server.assert_besides(&all, &sizes).await;

    let bytes: [f64; 10] = std::array::from_fn(|power| 4_f64.powi(power as i32 + 3));
    let whole = |name, description, sums: &[f64; 4]| {
        let metric = expect_histogram(name)
            .unit("By")
            .description(description)
            .boundaries(&bytes)
            .point_with_sum(echo[0].metric_attributes(), 2, sums[0]);
        rest.iter()
            .zip(&sums[1..])
            .fold(metric, |metric, (request, sum)| {
                metric.point_with_sum(request.metric_attributes(), 1, *sum)
            })
    };
    telemetry.metric(sizes[0]).assert(
        whole(
            sizes[0],
            "Size of HTTP server request bodies.",
            &[12.0, 0.0, 0.0, 0.0],
        )
        .point_with_sum(panicked.metric_attributes(), 1, 0.0),
    );
    telemetry.metric(sizes[1]).assert(whole(
        sizes[1],
        "Size of HTTP server response bodies.",
        &[12.0, 7.0, 0.0, 5.0],
    ));
}

#[tokio::test]
async fn named_headers_are_captured_once_and_secrets_are_redacted() {
    let telemetry = Capture::new();
    let capturing = layer(&telemetry)
        .with_captured_request_headers(["X-A", "x-a", "x-*", "authorization", "bad name"])
        .with_captured_response_headers(["x-b", "X-B", "set-*", "*token*"]);
    let server = server(&telemetry, capturing).await;
    let headers = [
        ("X-A", "1"),
        ("x-a", "2"),
        ("X-Other", "3"),
        ("Authorization", "s3cr3t"),
    ];
    server.request("GET", "/headers", &headers).await;
    let expected = server
        .expect("GET", "/headers")
        .route("/headers")
        .status(200)
        .on_span("http.request.header.x-a", ["1", "2"])
        .on_span("http.request.header.x-other", ["3"])
        .on_span("http.request.header.authorization", ["REDACTED"])
        .on_span("http.response.header.x-b", ["2", "3"])
        .on_span("http.response.header.set-cookie", ["REDACTED"])
        .on_span("http.response.header.x-token", ["REDACTED"]);
    server.assert(&[expected]).await;
    let started = telemetry.started().remove(0);
    assert_eq!(
        started.attribute("http.request.header.x-a"),
        Some(&["1", "2"].into())
    );
    telemetry.assert_never_contains("s3cr3t");
}

#[tokio::test]
async fn the_client_is_told_the_trace() {
    for (header, name, before, after) in [
        (TraceResponse::TraceResponse, "traceresponse", "", ""),
        (
            TraceResponse::ServerTiming,
            "server-timing",
            "traceparent;desc=\"",
            "\"",
        ),
    ] {
        let telemetry = Capture::new();
        let server = server(&telemetry, layer(&telemetry).with_trace_response(header)).await;
        let parent = RemoteParent::sampled().with_random_flag();
        let traceparent = parent.traceparent();
        let answer = server
            .request("GET", "/ok", &[("traceparent", &traceparent)])
            .await;
        let span = server
            .assert(&[ok(&server).child_of(&parent)])
            .await
            .remove(0);
        let told = format!("{before}{}{after}", span.traceparent());
        assert_eq!(answer.header(name), [told]);
        assert!(span.traceparent().ends_with("-03"));
    }
}

#[tokio::test]
async fn a_response_may_bring_its_class_of_error() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry).with_body_sizes()).await;
    assert_eq!(server.get("/classed").await.body, "none left");
    let expected = server
        .expect("GET", "/classed")
        .route("/classed")
        .status(409)
        .error("out_of_stock")
        .on_span("http.request.body.size", 0)
        .on_span("http.response.body.size", 9);
    let sizes = [
        "http.server.request.body.size",
        "http.server.response.body.size",
    ];
    server.assert_besides(&[expected], &sizes).await;
}

#[tokio::test]
async fn known_methods_can_be_replaced() {
    let telemetry = Capture::new();
    let methods = layer(&telemetry).with_known_methods(["PROPFIND", "get"]);
    let server = server(&telemetry, methods).await;
    let mut expected = Vec::new();
    // HEAD has no body, by whatever name it goes.
    for (method, label) in [
        ("PROPFIND", "PROPFIND"),
        ("get", "get"),
        ("GET", "_OTHER"),
        ("HEAD", "_OTHER"),
    ] {
        assert_eq!(server.request(method, "/ok", &[]).await.status, 200);
        let request = server.expect(label, "/ok").route("/ok").status(200);
        expected.push(match label {
            "_OTHER" => request.on_span("http.request.method_original", method),
            _ => request,
        });
    }
    server.assert(&expected).await;
}

#[tokio::test]
async fn hooks_add_to_their_own_signal_and_nothing_twice() {
    let telemetry = Capture::new();
    let hooked = layer(&telemetry)
        .with_span_attributes(|request| {
            vec![
                KeyValue::new("on.span", request.uri.path().to_owned()),
                KeyValue::new("on.span", "again"),
                KeyValue::new("url.path", "/replaced"),
                KeyValue::new("http.route", "ignored"),
                KeyValue::new("http.response.status_code", 1),
                KeyValue::new("error.type", "ignored"),
            ]
        })
        .with_response_attributes(|response| {
            vec![
                KeyValue::new("on.response", i64::from(response.status.as_u16())),
                KeyValue::new("on.response", 2),
                KeyValue::new("on.span", "not again"),
                KeyValue::new("url.path", "not again"),
                KeyValue::new("http.response.header.x-a", "own"),
                KeyValue::new("http.response.status_code", 1),
                KeyValue::new("http.route", "ignored"),
            ]
        })
        .with_metric_attributes(|_| {
            vec![
                KeyValue::new("on.metric", "first"),
                KeyValue::new("on.metric", "last"),
                KeyValue::new("url.scheme", "mine"),
            ]
        })
        .with_captured_response_headers(["x-a"]);
    let server = server(&telemetry, hooked).await;
    assert_eq!(server.get("/headers").await.status, 200);
    let span = telemetry.wait_for_spans(1).await.remove(0);
    server.telemetry().settle().await;
    let whole = server
        .expect("GET", "/replaced")
        .route("/headers")
        .status(200)
        .on_span("on.span", "again")
        .on_span("on.response", 2)
        .on_span("http.response.header.x-a", "own");
    span.assert(whole.span(&server_support::scope()));
    let on_metrics = server
        .expect("GET", "/headers")
        .route("/headers")
        .status(200)
        .scheme("mine")
        .on_metrics("on.metric", "last");
    let duration = telemetry.metric("http.server.request.duration");
    duration.assert(
        expect_histogram("http.server.request.duration")
            .point(on_metrics.metric_attributes(), 1_u64),
    );
    duration.assert_same_reading([&span]);
    let active = telemetry.metric("http.server.active_requests");
    assert_eq!(active.points.len(), 1);
    assert_eq!(active.point(on_metrics.active_attributes()).sum(), 0.0);
}

#[tokio::test]
async fn names_and_routes_can_be_given() {
    let telemetry = Capture::new();
    let named = layer(&telemetry)
        .with_route(|request| {
            let path = request.uri.path();
            path.starts_with("/files/")
                .then(|| "/files/{*path}".to_owned())
        })
        .with_span_name(|request| request.uri.query().map(|query| format!("op {query}")));
    let server = server(&telemetry, named).await;
    assert_eq!(server.get("/files/a/b").await.status, 404);
    assert_eq!(server.get("/ok?named").await.status, 200);
    assert_eq!(server.get("/ok").await.status, 200);
    server
        .assert(&[
            server
                .expect("GET", "/files/a/b")
                .route("/files/{*path}")
                .status(404),
            ok(&server).query("named").name("op named"),
            ok(&server),
        ])
        .await;
}

#[tokio::test]
async fn queries_and_schemes_by_configuration() {
    let telemetry = Capture::new();
    let configured = layer(&telemetry)
        .with_sensitive_query_parameters(["card"])
        .with_scheme("https");
    let server = server(&telemetry, configured).await;
    server.get("/ok?card=1234&sig=shown").await;
    let expected = ok(&server).scheme("https").query("card=REDACTED&sig=shown");
    server.assert(&[expected]).await;
}

const FORWARDED: [(&str, &str); 4] = [
    ("x-forwarded-for", "6.6.6.6, 203.0.113.7"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.example"),
    (
        "forwarded",
        "for=\"[2001:db8::7]:4711\";proto=https;host=\"std.example:444\"",
    ),
];

#[tokio::test]
async fn nobody_is_believed_about_the_client_by_default() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry)).await;
    server.request("GET", "/ok", &FORWARDED).await;
    server.assert(&[ok(&server)]).await;
}

#[tokio::test]
async fn trusted_proxies_tell_of_the_client() {
    let networks = |network: &str| TrustedProxies::networks([network.parse().unwrap()]);
    for (proxies, believed) in [
        (networks("127.0.0.0/8"), true),
        (TrustedProxies::nearest(1), true),
        (networks("10.0.0.0/8"), false),
    ] {
        for writes_forwarded in [false, true] {
            let mut proxies = proxies.clone();
            if writes_forwarded {
                proxies = proxies.that_write_forwarded();
            }
            let telemetry = Capture::new();
            let trusting = layer(&telemetry).with_trusted_proxies(proxies);
            let server = server(&telemetry, trusting).await;
            server.request("GET", "/ok", &FORWARDED).await;
            let expected = match (believed, writes_forwarded) {
                (false, _) => ok(&server),
                (true, false) => ok(&server)
                    .client("203.0.113.7")
                    .scheme("https")
                    .host("shop.example", None),
                (true, true) => ok(&server)
                    .client("2001:db8::7")
                    .scheme("https")
                    .host("std.example", 444),
            };
            server.assert(&[expected]).await;
        }
    }
}

/// Whether a request of this kind is observed by `layer`.
async fn observes(
    layer: impl FnOnce(HttpServerLayer) -> HttpServerLayer,
    version: Version,
    method: Method,
    content_type: &str,
) -> bool {
    let telemetry = Capture::new();
    let layer = layer(server_support::layer(&telemetry));
    let service = layer.layer(tower::service_fn(async |_: Request<Body>| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    }));
    let request = Request::builder()
        .version(version)
        .method(method)
        .header("content-type", content_type);
    let request = request.body(Body::empty()).unwrap();
    service.oneshot(request).await.unwrap();
    !telemetry.spans().is_empty()
}

#[tokio::test]
async fn grpc_is_left_to_its_own_layer_where_that_is_said() {
    let (http1, http2) = (Version::HTTP_11, Version::HTTP_2);
    for (version, method, content_type, is_grpc) in [
        (http2, Method::POST, "application/grpc", true),
        (http2, Method::POST, "application/grpc+proto", true),
        (http2, Method::POST, "application/grpc;charset=utf-8", true),
        (http2, Method::POST, "application/grpc-web", false),
        (http2, Method::POST, "application/grpcish", false),
        (http2, Method::POST, "application/json", false),
        (http2, Method::GET, "application/grpc", false),
        (http1, Method::POST, "application/grpc", false),
    ] {
        let by_default = observes(|layer| layer, version, method.clone(), content_type).await;
        let without = HttpServerLayer::without_grpc;
        let without = observes(without, version, method.clone(), content_type).await;
        assert_eq!(
            (by_default, without),
            (true, !is_grpc),
            "{version:?} {method} {content_type}"
        );
    }
}

#[tokio::test]
async fn exceptions_are_log_events_where_a_logger_is_given() {
    let telemetry = Capture::new();
    let logging = layer(&telemetry).with_logger_provider(telemetry.logger_provider());
    let server = server(&telemetry, logging).await;
    server.get("/panic").await;
    server.get("/half").await;
    server.get("/fail").await;
    let spans = server
        .assert(&[
            server
                .expect("GET", "/panic")
                .route("/panic")
                .error("panic"),
            server
                .expect("GET", "/half")
                .route("/half")
                .status(200)
                .error("unexpected_eof"),
            server.expect("GET", "/fail").route("/fail").status(502),
        ])
        .await;
    let logs = telemetry.wait_for_logs(2).await;
    assert_eq!(logs.len(), 2, "a status is no exception");
    let messages = ["the handler panicked", "unexpected end of file"];
    for (((log, span), class), message) in logs
        .iter()
        .zip(&spans)
        .zip(["panic", "unexpected_eof"])
        .zip(messages)
    {
        let scope = server_support::scope();
        log.assert(
            expect_log(Severity::Error)
                .event_name("http.server.request.exception")
                .in_span(span)
                .attribute("exception.type", class)
                .attribute("exception.message", message)
                .scope(
                    &scope.name,
                    &scope.version.unwrap(),
                    &scope.schema_url.unwrap(),
                ),
        );
    }
}

#[tokio::test]
async fn what_a_client_that_leaves_means_can_be_chosen() {
    for cancellation in [
        Cancellation::Mark,
        Cancellation::Error,
        Cancellation::Ignore,
    ] {
        let telemetry = Capture::new();
        let server = server(
            &telemetry,
            layer(&telemetry).with_cancellation(cancellation),
        )
        .await;
        let started = telemetry.clone();
        let there = telemetry.wait_until("the request", move || !started.started().is_empty());
        server.abandon("/hang", there).await;
        let expected = server.expect("GET", "/hang").route("/hang");
        let expected = match cancellation {
            Cancellation::Mark => expected.cancelled(),
            Cancellation::Error => expected.error("cancelled"),
            _ => expected,
        };
        server.assert(&[expected]).await;
    }
}

#[tokio::test]
async fn an_error_status_stands_although_the_client_leaves() {
    let telemetry = Capture::new();
    let body = || {
        let chunk = futures_util::stream::iter([Ok::<_, std::io::Error>("chunk")]);
        Body::from_stream(futures_util::StreamExt::chain(
            chunk,
            futures_util::stream::pending(),
        ))
    };
    let failing = async move || (StatusCode::SERVICE_UNAVAILABLE, body());
    let router = Router::new()
        .route("/slow", get(failing))
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    let mut wire = server.wire().await;
    wire.send(format!("{}\r\n", server.head("GET", "/slow", &[])))
        .await;
    wire.read_until("chunk").await;
    drop(wire);
    server
        .assert(&[server.expect("GET", "/slow").route("/slow").status(503)])
        .await;
}

#[tokio::test]
async fn spans_of_tracing_nest_in_the_request() {
    use tracing_subscriber::prelude::*;
    let telemetry = Capture::new();
    let tracer = otelware::opentelemetry::trace::TracerProvider::tracer(
        &telemetry.tracer_provider(),
        "tracing",
    );
    let subscriber =
        tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let _default = tracing::subscriber::set_default(subscriber);
    let traced = async |_: Request| {
        let span = tracing::info_span!("work");
        let _entered = span.enter();
        "traced"
    };
    let router = Router::new()
        .route("/traced", get(traced))
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/traced").await.body, "traced");
    let expected = server.expect("GET", "/traced").route("/traced").status(200);
    let request = server.assert(&[expected]).await.remove(0);
    let work = telemetry.wait_for_spans(2).await;
    let work = work.iter().find(|span| span.name == "work").unwrap();
    assert_eq!(
        (work.trace_id, work.parent_span_id),
        (request.trace_id, Some(request.span_id))
    );
}

#[tokio::test]
async fn foreign_bytes_of_an_agent_are_replaced() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry)).await;
    let mut head = server
        .head("GET", "/ok", &[("connection", "close")])
        .into_bytes();
    head.extend(b"user-agent: a\xffb\r\n\r\n");
    server.exchange(head).await;
    server
        .assert(&[ok(&server).on_span("user_agent.original", "a\u{fffd}b")])
        .await;
}

#[tokio::test]
async fn spans_are_recorded_by_samplers_that_ignore_the_parent() {
    let telemetry = Capture::new();
    let server = server(&telemetry, layer(&telemetry)).await;
    let parent = RemoteParent::unsampled();
    let traceparent = parent.traceparent();
    server
        .request("GET", "/ok", &[("traceparent", &traceparent)])
        .await;
    server.assert(&[ok(&server).child_of(&parent)]).await;
}

/// A timer that ends a body in the middle.
#[tokio::test]
async fn a_body_that_runs_out_of_time() {
    let telemetry = Capture::new();
    let stalled = async || {
        let chunk = futures_util::stream::iter([Ok::<_, std::io::Error>("chunk")]);
        Body::from_stream(futures_util::StreamExt::chain(
            chunk,
            futures_util::stream::pending(),
        ))
    };
    let timer = tower_http::timeout::ResponseBodyTimeoutLayer::new(Duration::from_millis(20));
    let router = Router::new()
        .route("/stalled", get(stalled))
        .layer(timer)
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    server.get("/stalled").await;
    let expected = server
        .expect("GET", "/stalled")
        .route("/stalled")
        .status(200);
    server.assert(&[expected.error("timeout")]).await;
}
