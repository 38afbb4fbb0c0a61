//! `HttpClientLayer` over services made for the purpose: what the suite can't see of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use otelware::opentelemetry::trace::{SpanId, TraceContextExt};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::operation::{Cancellation, Signals};
use otelware::propagation::{CompositePropagator, Destinations, Outbound};
use otelware_testing::{
    Attributes, Capture, ExpectedSpan, Span, attributes, expect_histogram, expect_span,
};
use otelware_tower::HttpClientLayer;
use otelware_tower::client::{ResendCountLayer, UrlTemplate};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::follow_redirect::FollowRedirectLayer;

const DURATION: &str = "http.client.request.duration";

fn layer(telemetry: &Capture) -> HttpClientLayer {
    HttpClientLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_requests()
}

fn get(uri: &str) -> Request<Empty<Bytes>> {
    Request::get(uri).body(Empty::new()).unwrap()
}

fn ok<B>(body: B) -> Response<B> {
    Response::new(body)
}

/// The attributes that span and metric share of a request for `http://shop/`, but for the response's.
fn sent(method: &str) -> Attributes {
    attributes! {
        "http.request.method" => method,
        "server.address" => "shop",
        "server.port" => 80,
    }
}

/// Those of an answered request.
fn answered(method: &str, status: u16) -> Attributes {
    let mut attributes = sent(method);
    attributes.extend(attributes! {
        "http.response.status_code" => status,
        "network.protocol.version" => "1.1",
    });
    attributes
}

fn with(mut attributes: Attributes, key: &str, value: &str) -> Attributes {
    attributes.insert(key.to_owned(), value.into());
    attributes
}

fn expect_client(name: &str, shared: Attributes) -> ExpectedSpan {
    expect_span(name)
        .kind(otelware::opentelemetry::trace::SpanKind::Client)
        .attributes(shared)
        .attribute("url.full", "http://shop/")
}

/// The only span and the only measured duration have these attributes, and nothing is in flight.
fn finds(telemetry: &Capture, name: &str, shared: Attributes) -> Span {
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 1, "{}", telemetry.dump());
    let expected = expect_client(name, shared.clone());
    let expected = match shared.contains_key("error.type") {
        true => expected.error(),
        false => expected,
    };
    spans[0].assert(expected);
    telemetry
        .metric(DURATION)
        .assert(expect_histogram(DURATION).point(shared, 1));
    telemetry.assert_in_flight_zero();
    spans[0].clone()
}

/// The spans that were current at each step of a request.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<(&'static str, SpanId)>>>);

impl Steps {
    fn push(&self, step: &'static str) {
        let current = Context::current().span().span_context().span_id();
        self.0.lock().unwrap().push((step, current));
    }
}

/// A service, future and body that say what is current, and whose future and body are pending once.
#[derive(Clone)]
struct Watched(Steps);

struct WatchedFuture(Steps, bool);

struct WatchedBody(Steps, u8);

impl<B> Service<Request<B>> for Watched {
    type Response = Response<WatchedBody>;
    type Error = Infallible;
    type Future = WatchedFuture;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        self.0.push("ready");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> WatchedFuture {
        self.0.push("call");
        WatchedFuture(self.0.clone(), false)
    }
}

impl Future for WatchedFuture {
    type Output = Result<Response<WatchedBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.push("poll");
        if !std::mem::replace(&mut self.1, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(ok(WatchedBody(self.0.clone(), 0))))
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.push("frame");
        self.1 += 1;
        match self.1 {
            1 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"data"))))),
            2 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(None),
        }
    }
}

#[tokio::test]
async fn its_context_is_current_wherever_the_service_runs_and_nowhere_else() {
    let telemetry = Capture::new();
    let steps = Steps::default();
    let mut client = layer(&telemetry).layer(Watched(steps.clone()));
    poll_fn(|cx| <_ as Service<Request<Empty<Bytes>>>>::poll_ready(&mut client, cx))
        .await
        .unwrap();
    let future = client.call(get("http://shop/"));
    steps.push("outside");
    let response = future.await.unwrap();
    steps.push("outside");
    let body = response.into_body().collect().await.unwrap();
    steps.push("outside");
    assert_eq!(body.to_bytes(), "data");

    let span = finds(&telemetry, "GET", answered("GET", 200));
    let (inside, outside) = (span.span_id, SpanId::INVALID);
    assert_eq!(
        *steps.0.lock().unwrap(),
        [
            ("ready", outside),
            ("call", inside),
            ("outside", outside),
            ("poll", inside),
            ("poll", inside),
            ("outside", outside),
            ("frame", inside),
            ("frame", inside),
            ("frame", inside),
            ("outside", outside),
        ]
    );
}

#[tokio::test]
async fn a_panic_while_calling_is_recorded() {
    #[derive(Clone)]
    struct Panics;
    impl<B> Service<Request<B>> for Panics {
        type Response = Response<Empty<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Empty<Bytes>>, Infallible>>;

        fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<B>) -> Self::Future {
            panic!("in call")
        }
    }

    let telemetry = Capture::new();
    let mut client = layer(&telemetry).layer(Panics);
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(client.call(get("http://shop/")))));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in call"));
    finds(&telemetry, "GET", with(sent("GET"), "error.type", "panic"));
    assert_eq!(
        Context::current().span().span_context().span_id(),
        SpanId::INVALID
    );
}

#[tokio::test]
async fn a_panic_of_the_body_is_recorded() {
    let telemetry = Capture::new();
    let frames =
        futures_util::stream::poll_fn(|_| -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("in the body")
        });
    let body = Mutex::new(Some(StreamBody::new(frames)));
    let client = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(ok(body.lock().unwrap().take().unwrap()))
    }));
    let response = client.oneshot(get("http://shop/")).await.unwrap();
    let panicked = AssertUnwindSafe(response.into_body().collect())
        .catch_unwind()
        .await;
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"in the body"));
    finds(
        &telemetry,
        "GET",
        with(answered("GET", 200), "error.type", "panic"),
    );
}

#[tokio::test]
async fn cancellation_is_what_it_is_told_to_be() {
    for (cancellation, error_type, error) in [
        (Cancellation::Ignore, None, false),
        (Cancellation::Mark, Some("cancelled"), false),
        (Cancellation::Error, Some("cancelled"), true),
    ] {
        let telemetry = Capture::new();
        let client = layer(&telemetry)
            .with_cancellation(cancellation)
            .layer(service_fn(|_: Request<Empty<Bytes>>| {
                std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
            }));
        drop(client.oneshot(get("http://shop/")).now_or_never());
        let mut shared = sent("GET");
        if let Some(error_type) = error_type {
            shared = with(shared, "error.type", error_type);
        }
        let expected = expect_client("GET", shared.clone());
        telemetry
            .span("GET")
            .assert(if error { expected.error() } else { expected });
        telemetry
            .metric(DURATION)
            .assert(expect_histogram(DURATION).point(shared, 1));
        telemetry.assert_in_flight_zero();
    }
}

#[tokio::test]
async fn an_empty_body_ends_with_its_head() {
    let telemetry = Capture::new();
    let client = layer(&telemetry).layer(telling(Arc::default()));
    let response = client.oneshot(get("http://shop/")).await.unwrap();
    finds(&telemetry, "GET", answered("GET", 200));
    drop(response);
}

#[tokio::test]
async fn a_body_of_which_all_that_was_announced_was_read_is_not_cancelled() {
    for (announced, error_type) in [(5, None), (6, Some("cancelled"))] {
        let telemetry = Capture::new();
        let client = layer(&telemetry)
            .with_cancellation(Cancellation::Mark)
            .layer(service_fn(async |_: Request<Empty<Bytes>>| {
                let mut response = ok(chunks(["chunk", "never read"]));
                response
                    .headers_mut()
                    .insert(header::CONTENT_LENGTH, announced.into());
                Ok::<_, Infallible>(response)
            }));
        let mut response = client.oneshot(get("http://shop/")).await.unwrap();
        response.body_mut().frame().await.unwrap().unwrap();
        assert_eq!(telemetry.spans(), []);
        drop(response);
        let mut shared = answered("GET", 200);
        if let Some(error_type) = error_type {
            shared = with(shared, "error.type", error_type);
        }
        telemetry.span("GET").assert(expect_client("GET", shared));
    }
}

#[tokio::test]
async fn a_tunnel_and_an_upgrade_end_with_their_head() {
    for (request, status, full) in [
        (Request::connect("shop:80"), StatusCode::OK, "//shop:80"),
        (
            Request::get("http://shop/"),
            StatusCode::SWITCHING_PROTOCOLS,
            "http://shop/",
        ),
    ] {
        let telemetry = Capture::new();
        let client = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
            let mut response = ok(StreamBody::new(futures_util::stream::pending::<
                Result<Frame<Bytes>, Infallible>,
            >()));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }));
        let request = request.body(Empty::new()).unwrap();
        let method = request.method().to_string();
        let response = client.oneshot(request).await.unwrap();
        telemetry.span(&method).assert(
            expect_span(&method)
                .kind(otelware::opentelemetry::trace::SpanKind::Client)
                .attributes(answered(&method, status.as_u16()))
                .attribute("url.full", full),
        );
        drop(response);
        assert_eq!(telemetry.spans().len(), 1);
    }
}

#[tokio::test]
async fn an_error_is_classed_by_its_type_or_its_cause() {
    #[derive(Debug)]
    struct QuotaExceeded;
    impl std::fmt::Display for QuotaExceeded {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("s3cr3t")
        }
    }

    let telemetry = Capture::new();
    let client = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Empty<Bytes>>, _>(QuotaExceeded)
    }));
    client.oneshot(get("http://shop/")).await.unwrap_err();
    finds(
        &telemetry,
        "GET",
        with(sent("GET"), "error.type", "QuotaExceeded"),
    );
    telemetry.assert_never_contains("s3cr3t");

    let telemetry = Capture::new();
    let client = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        Err::<Response<Empty<Bytes>>, tower::BoxError>(io::Error::other(reset).into())
    }));
    client.oneshot(get("http://shop/")).await.unwrap_err();
    finds(
        &telemetry,
        "GET",
        with(sent("GET"), "error.type", "connection_reset"),
    );
}

#[tokio::test]
async fn each_redirect_is_a_span_with_its_ordinal() {
    let telemetry = Capture::new();
    let client = ServiceBuilder::new()
        .layer(ResendCountLayer::new())
        .layer(FollowRedirectLayer::new())
        .layer(layer(&telemetry))
        .service(service_fn(async |request: Request<Empty<Bytes>>| {
            let mut response = ok(Empty::<Bytes>::new());
            let next = match request.uri().path() {
                "/0" => "/1",
                "/1" => "/2",
                _ => return Ok::<_, Infallible>(response),
            };
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert(header::LOCATION, next.parse().unwrap());
            Ok(response)
        }));
    for _ in 0..2 {
        client.clone().oneshot(get("http://shop/0")).await.unwrap();
        let spans = telemetry.spans();
        assert_eq!(spans.len(), 3);
        for (number, status) in [(0, 302), (1, 302), (2, 200)] {
            let mut expected = expect_span("GET")
                .kind(otelware::opentelemetry::trace::SpanKind::Client)
                .attributes(answered("GET", status))
                .attribute("url.full", format!("http://shop/{number}"));
            if number > 0 {
                expected = expected.attribute("http.request.resend_count", number);
            }
            spans[number as usize].assert(expected);
        }
        telemetry.reset();
    }
}

#[tokio::test]
async fn the_bytes_that_flowed_are_counted() {
    let telemetry = Capture::new();
    // It takes one chunk of two, and then answers.
    let client = layer(&telemetry).with_body_sizes().layer(service_fn(
        async |request: Request<otelware::http::CountedBody<_>>| {
            let mut body: otelware::http::CountedBody<Chunks> = request.into_body();
            body.frame().await.unwrap().unwrap();
            Ok::<_, Infallible>(ok(Full::new(Bytes::from_static(b"answer"))))
        },
    ));
    let body = || chunks(["chunk", "never taken"]);
    let request = Request::post("http://shop/").body(body()).unwrap();
    let response = client.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    telemetry.span("POST").assert(
        expect_client("POST", answered("POST", 200))
            .attribute("http.request.body.size", 5)
            .attribute("http.response.body.size", 6),
    );
    for (name, bytes) in [
        ("http.client.request.body.size", 5.0),
        ("http.client.response.body.size", 6.0),
    ] {
        let expected = expect_histogram(name).unit("By");
        let expected = expected.point_with_sum(answered("POST", 200), 1, bytes);
        telemetry.metric(name).assert(expected);
    }
}

type Chunks = StreamBody<futures_util::stream::Iter<std::array::IntoIter<Chunk, 2>>>;
type Chunk = Result<Frame<Bytes>, Infallible>;

fn chunks(chunks: [&'static str; 2]) -> Chunks {
    let frames = chunks.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    StreamBody::new(futures_util::stream::iter(frames))
}

/// A service that answers with nothing and tells what headers it got.
fn telling(
    headers: Arc<Mutex<HeaderMap>>,
) -> impl Service<Request<Empty<Bytes>>, Response = Response<Empty<Bytes>>, Error = Infallible> + Clone
{
    service_fn(move |request: Request<Empty<Bytes>>| {
        *headers.lock().unwrap() = request.headers().clone();
        std::future::ready(Ok(ok(Empty::new())))
    })
}

#[tokio::test]
async fn extensions_tell_of_one_request() {
    let telemetry = Capture::new();
    let headers = Arc::new(Mutex::new(HeaderMap::new()));
    let client = layer(&telemetry)
        .with_url_template(|_| Some("/from-the-hook"))
        .with_destinations(Destinations::everywhere(Outbound::Everything))
        .layer(telling(headers.clone()));
    let mut request = get("http://shop/");
    request.extensions_mut().insert(UrlTemplate::new("/{page}"));
    request.extensions_mut().insert(Outbound::Nothing);
    client.clone().oneshot(request).await.unwrap();
    let mut shared = with(answered("GET", 200), "url.template", "/{page}");
    finds(&telemetry, "GET /{page}", shared);
    assert_eq!(*headers.lock().unwrap(), HeaderMap::new());

    telemetry.reset();
    client.oneshot(get("http://shop/")).await.unwrap();
    shared = with(answered("GET", 200), "url.template", "/from-the-hook");
    let span = finds(&telemetry, "GET /from-the-hook", shared);
    let mut expected = HeaderMap::new();
    expected.insert("traceparent", span.traceparent().parse().unwrap());
    assert_eq!(*headers.lock().unwrap(), expected);
}

#[tokio::test]
async fn the_outer_of_two_layers_decides_what_goes_out() {
    for (outbound, sends) in [(Outbound::Nothing, false), (Outbound::Everything, true)] {
        let telemetry = Capture::new();
        let headers = Arc::new(Mutex::new(HeaderMap::new()));
        let outer = layer(&telemetry).with_destinations(Destinations::everywhere(outbound));
        let client = ServiceBuilder::new()
            .layer(outer)
            .layer(layer(&telemetry))
            .service(telling(headers.clone()));
        client.oneshot(get("http://shop/")).await.unwrap();
        let span = finds(&telemetry, "GET", answered("GET", 200));
        let mut expected = HeaderMap::new();
        if sends {
            expected.insert("traceparent", span.traceparent().parse().unwrap());
        }
        assert_eq!(*headers.lock().unwrap(), expected);
    }
}

#[tokio::test]
async fn hooks_set_nothing_that_the_response_tells() {
    let telemetry = Capture::new();
    let client = layer(&telemetry)
        .with_span_attributes(|_| {
            [
                "error.type",
                "http.request.body.size",
                "http.response.body.size",
                "http.response.status_code",
                "network.peer.address",
                "network.peer.port",
                "network.protocol.version",
            ]
            .map(|key| KeyValue::new(key, "ignored"))
            .to_vec()
        })
        .layer(telling(Arc::default()));
    client.oneshot(get("http://shop/")).await.unwrap();
    finds(&telemetry, "GET", answered("GET", 200));
}

#[tokio::test]
async fn hooks_are_asked_for_signals_that_are_wanted() {
    for (signals, expected) in [
        (Signals::ALL, vec!["metrics", "span"]),
        (Signals::TRACES, vec!["span"]),
        (Signals::METRICS, vec!["metrics"]),
        (Signals::NONE, vec![]),
    ] {
        let telemetry = Capture::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (on_span, on_metrics) = (asked.clone(), asked.clone());
        let client = layer(&telemetry)
            .with_filter(move |_| signals)
            .with_span_attributes(move |_| {
                on_span.lock().unwrap().push("span");
                Vec::new()
            })
            .with_metric_attributes(move |_| {
                on_metrics.lock().unwrap().push("metrics");
                Vec::new()
            })
            .layer(telling(Arc::default()));
        client.oneshot(get("http://shop/")).await.unwrap();
        assert_eq!(*asked.lock().unwrap(), expected, "{signals:?}");
    }
}

#[tokio::test]
async fn hooks_add_attributes_and_see_no_secret() {
    let telemetry = Capture::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let client = layer(&telemetry)
        .with_sensitive_query_parameters(["card"])
        .with_span_attributes({
            let seen = seen.clone();
            move |request| {
                seen.lock()
                    .unwrap()
                    .push((request.method.clone(), request.url.to_owned()));
                vec![
                    KeyValue::new("tenant", "a"),
                    // It takes the place of the one that is set already.
                    KeyValue::new("server.address", "replaced"),
                ]
            }
        })
        .with_metric_attributes(|_| vec![KeyValue::new("team", "b")])
        .layer(telling(Arc::default()));
    client
        .oneshot(get("http://shop/?card=1&sig=2"))
        .await
        .unwrap();
    let url = "http://shop/?card=REDACTED&sig=2";
    assert_eq!(*seen.lock().unwrap(), [(Method::GET, url.to_owned())]);
    let shared = with(answered("GET", 200), "server.address", "replaced");
    telemetry.span("GET").assert(
        expect_span("GET")
            .kind(otelware::opentelemetry::trace::SpanKind::Client)
            .attributes(shared)
            .attribute("tenant", "a")
            .attribute("url.full", url),
    );
    let measured = with(answered("GET", 200), "team", "b");
    telemetry
        .metric(DURATION)
        .assert(expect_histogram(DURATION).point(measured, 1));
    telemetry.assert_in_flight_zero();
}

#[tokio::test]
async fn a_filter_decides_for_each_signal() {
    for (signals, spans, metrics) in [
        (Signals::ALL, 1, 2),
        (Signals::TRACES, 1, 0),
        (Signals::METRICS, 0, 2),
        (Signals::NONE, 0, 0),
    ] {
        let telemetry = Capture::new();
        let client = layer(&telemetry)
            .with_filter(move |_| signals)
            .layer(telling(Arc::default()));
        client.oneshot(get("http://shop/")).await.unwrap();
        let found = (telemetry.spans().len(), telemetry.metrics().len());
        assert_eq!(found, (spans, metrics), "{signals:?}");
    }
}

#[tokio::test]
async fn known_methods_replace_the_default_ones() {
    let telemetry = Capture::new();
    let client = layer(&telemetry)
        .with_known_methods(["PROPFIND"])
        .layer(telling(Arc::default()));
    let request = |method: &str| {
        Request::builder()
            .method(method)
            .uri("http://shop/")
            .body(Empty::new())
            .unwrap()
    };
    client.clone().oneshot(request("PROPFIND")).await.unwrap();
    finds(&telemetry, "PROPFIND", answered("PROPFIND", 200));
    telemetry.reset();
    client.oneshot(request("GET")).await.unwrap();
    telemetry.span("HTTP").assert(
        expect_client("HTTP", answered("_OTHER", 200))
            .attribute("http.request.method_original", "GET"),
    );
}

#[tokio::test]
async fn a_head_ends_with_its_head_whatever_its_label() {
    let telemetry = Capture::new();
    let client = layer(&telemetry)
        .with_known_methods(["GET"])
        .layer(service_fn(async |_: Request<Empty<Bytes>>| {
            let frames = futures_util::stream::pending::<Result<Frame<Bytes>, Infallible>>();
            Ok::<_, Infallible>(ok(StreamBody::new(frames)))
        }));
    let request = Request::head("http://shop/").body(Empty::new()).unwrap();
    let response = client.oneshot(request).await.unwrap();
    let expected = expect_client("HTTP", answered("_OTHER", 200));
    telemetry
        .span("HTTP")
        .assert(expected.attribute("http.request.method_original", "HEAD"));
    drop(response);
    assert_eq!(telemetry.spans().len(), 1);
}

#[tokio::test]
async fn a_long_url_is_cut() {
    let telemetry = Capture::new();
    let client = layer(&telemetry).layer(telling(Arc::default()));
    let url = format!("http://shop/{}", "x".repeat(10_000));
    client.oneshot(get(&url)).await.unwrap();
    let span = telemetry.span("GET");
    assert_eq!(span.attribute("url.full"), Some(&(&url[..4_096]).into()));
}

#[test]
fn the_layer_and_its_service_go_anywhere() {
    fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    let layer = HttpClientLayer::new();
    anywhere(&layer);
    anywhere(&layer.layer(Watched(Steps::default())));
    anywhere(&layer.with_body_sizes());
}
