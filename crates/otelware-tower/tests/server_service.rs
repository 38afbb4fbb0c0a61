//! The server's layer around plain tower services.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod server_support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use otelware::opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use otelware::opentelemetry::{Context, SpanId};
use otelware_testing::{Capture, RemoteParent, expect_span};
use otelware_tower::server::{ResponseBody, ResponseFuture};
use otelware_tower::{CountBodies, HttpServer, HttpServerLayer};
use server_support::{Never, hyper_server, layer};
use std::cell::Cell;
use std::future::{Ready, ready};
use std::io;
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::Poll;
use tower::{Layer, Service, ServiceExt, service_fn};

fn request() -> Request<Empty<Bytes>> {
    Request::get("/path").body(Empty::new()).unwrap()
}

fn response() -> Response<Full<Bytes>> {
    Response::new(Full::from("body"))
}

/// A service that looks at the current span in each place where user code runs.
#[derive(Clone)]
struct Looks(std::sync::Arc<std::sync::Mutex<Vec<SpanId>>>);

impl Looks {
    fn look(&self) {
        self.0
            .lock()
            .unwrap()
            .push(Context::current().span().span_context().span_id());
    }
}

impl Service<Request<Empty<Bytes>>> for Looks {
    type Response = Response<Full<Bytes>>;
    type Error = Never;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Never>>>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Never>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
        self.look();
        let this = self.clone();
        Box::pin(async move {
            this.look();
            tokio::task::yield_now().await;
            this.look();
            Ok(response())
        })
    }
}

#[tokio::test]
async fn the_context_is_current_in_call_and_in_every_poll_and_nowhere_else() {
    let telemetry = Capture::new();
    let looks = Looks(std::sync::Arc::default());
    let mut service = layer(&telemetry).layer(looks.clone());
    let future = service.ready().await.unwrap().call(request());
    looks.look();
    let response = future.await.unwrap();
    looks.look();
    response.into_body().collect().await.unwrap();
    let span = telemetry.span("GET").span_id;
    let outside = SpanId::INVALID;
    assert_eq!(
        *looks.0.lock().unwrap(),
        [span, outside, span, span, outside]
    );
}

#[tokio::test]
async fn the_context_is_current_in_the_polls_of_the_body() {
    let telemetry = Capture::new();
    let tracer = telemetry.tracer_provider().tracer("body");
    let service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        let chunks = [1, 2].map(|_| {
            drop(tracer.start("chunk"));
            Ok::<_, io::Error>(http_body::Frame::data(Bytes::from_static(b"chunk")))
        });
        let tracer = &tracer;
        let chunks = futures_util::StreamExt::inspect(futures_util::stream::iter(chunks), |_| {
            drop(tracer.start("frame"));
        });
        Ok::<_, Never>(Response::new(http_body_util::StreamBody::new(chunks)))
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let request = telemetry.span("GET");
    assert_eq!(
        telemetry.tree(),
        "SERVER GET\n  INTERNAL chunk\n  INTERNAL chunk\n  INTERNAL frame\n  INTERNAL frame\n"
    );
    assert_eq!(telemetry.spans().len(), 5);
    for span in telemetry.spans().iter().filter(|span| span.name != "GET") {
        span.assert(expect_span(&span.name).child_of(&request));
    }
}

#[tokio::test]
async fn a_panic_in_call_is_a_panic_of_the_request() {
    let telemetry = Capture::new();
    let service = layer(&telemetry).layer(service_fn(|_: Request<Empty<Bytes>>| {
        if true {
            panic!("call panics");
        }
        ready(Ok::<_, Never>(response()))
    }));
    let running = tokio::spawn(async move { service.oneshot(request()).await.map(drop) });
    assert!(running.await.unwrap_err().is_panic());
    let span = telemetry.span("GET");
    assert_eq!(span.attribute("error.type"), Some(&"panic".into()));
    telemetry
        .metric("http.server.request.duration")
        .assert_same_reading([&span]);
    telemetry.assert_in_flight_zero();
    assert_eq!(
        Context::current().span().span_context().span_id(),
        SpanId::INVALID
    );
}

#[tokio::test]
async fn a_future_that_is_never_polled_is_cancelled() {
    let telemetry = Capture::new();
    let mut service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Never>(response())
    }));
    drop(service.call(request()));
    assert_eq!(
        telemetry.span("GET").attribute("error.type"),
        Some(&"cancelled".into())
    );
    telemetry.assert_in_flight_zero();
}

#[tokio::test]
async fn a_drop_while_unwinding_for_another_reason_is_a_panic() {
    let telemetry = Capture::new();
    let mut service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        std::future::pending::<Result<Response<Full<Bytes>>, Never>>().await
    }));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = service.call(request());
        panic!("elsewhere");
    }));
    assert!(result.is_err());
    assert_eq!(
        telemetry.span("GET").attribute("error.type"),
        Some(&"panic".into())
    );
    telemetry.assert_in_flight_zero();
}

#[tokio::test]
async fn errors_of_the_service_are_classed_and_pass_untouched() {
    #[derive(Debug)]
    struct Broken(&'static str);
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }
    impl std::error::Error for Broken {}
    let telemetry = Capture::new();
    let service = service_fn(async |_: Request<hyper::body::Incoming>| {
        Err::<Response<Full<Bytes>>, _>(Broken("s3cr3t"))
    });
    let server = hyper_server(&telemetry, layer(&telemetry).layer(service)).await;
    assert_eq!(server.get("/path").await.status, 0);
    server
        .assert(&[server.expect("GET", "/path").error("Broken")])
        .await;
    telemetry.assert_never_contains("s3cr3t");

    let service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Full<Bytes>>, _>(Broken("as it was"))
    }));
    assert_eq!(
        service.oneshot(request()).await.map(drop).unwrap_err().0,
        "as it was"
    );
}

#[tokio::test]
async fn readiness_passes_through() {
    struct Full1;
    impl Service<Request<Empty<Bytes>>> for Full1 {
        type Response = Response<Full<Bytes>>;
        type Error = &'static str;
        type Future = Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Err("full"))
        }

        fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
            ready(Ok(response()))
        }
    }
    let telemetry = Capture::new();
    let mut service = layer(&telemetry).layer(Full1);
    assert_eq!(service.ready().await.map(drop).unwrap_err(), "full");
    assert_eq!(telemetry.spans(), []);
    assert_eq!(telemetry.metrics(), []);
}

#[tokio::test]
async fn services_of_one_layer_and_its_clones_share_their_instruments() {
    let telemetry = Capture::new();
    let layer = layer(&telemetry);
    for layer in [layer.clone(), layer] {
        let service = layer.layer(service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, Never>(response())
        }));
        for service in [service.clone(), service] {
            let response = service.oneshot(request()).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
    }
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 4);
    telemetry
        .metric("http.server.request.duration")
        .assert_same_reading(&spans);
}

#[tokio::test]
async fn an_option_set_on_a_clone_leaves_the_original_alone() {
    let telemetry = Capture::new();
    let original = layer(&telemetry);
    let serve = async |layer: HttpServerLayer| {
        let service = layer.layer(service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, Never>(response())
        }));
        service
            .oneshot(request())
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap();
    };
    serve(original.clone()).await;
    serve(
        original
            .clone()
            .with_span_name(|_| Some("renamed".to_owned())),
    )
    .await;
    serve(original).await;
    let names: Vec<_> = telemetry
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["GET", "renamed", "GET"]);
}

#[tokio::test]
async fn a_current_span_encloses_requests_without_a_remote_parent() {
    let telemetry = Capture::new();
    let service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Never>(response())
    }));
    let tracer = telemetry.tracer_provider().tracer("test");
    let local = Context::current_with_span(tracer.start("local"));
    let remote = RemoteParent::sampled();
    {
        let mut service = service;
        let attached = local.clone().attach();
        let first = service.call(request());
        let mut with_parent = request();
        let traceparent = remote.traceparent().parse().unwrap();
        with_parent.headers_mut().insert("traceparent", traceparent);
        let second = service.call(with_parent);
        drop(attached);
        drop((first, second));
    }
    let spans = telemetry.spans();
    assert_eq!(
        spans[0].parent_span_id,
        Some(local.span().span_context().span_id())
    );
    assert_eq!(spans[1].parent_span_id, Some(remote.span_id));
}

#[tokio::test]
async fn the_wrapped_service_can_be_had_back() {
    let telemetry = Capture::new();
    let mut service = layer(&telemetry).layer(7);
    *service.get_mut() += 1;
    assert_eq!((*service.get_ref(), service.into_inner()), (8, 8));
}

/// A future that is not `Send`: services need not be.
#[tokio::test]
async fn services_that_are_not_send_are_served() {
    let telemetry = Capture::new();
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    let service = layer(&telemetry).layer(service_fn(move |_: Request<Empty<Bytes>>| {
        let calls = counted.clone();
        async move {
            calls.set(calls.get() + 1);
            Ok::<_, Never>(response())
        }
    }));
    service
        .oneshot(request())
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!((calls.get(), telemetry.spans().len()), (1, 1));
}

const fn shared<T: Clone + Send + Sync + 'static>() {}
const fn send<T: Send + 'static>() {}
const fn unpin<T: Unpin>() {}

const _: () = {
    shared::<HttpServerLayer>();
    shared::<HttpServerLayer<CountBodies>>();
    shared::<HttpServer<()>>();
    send::<ResponseFuture<Ready<()>>>();
    send::<ResponseBody<Full<Bytes>>>();
    unpin::<ResponseBody<Full<Bytes>>>();
};

/// The future of a service is the inner one and what it is observed with, and no box around it.
#[test]
fn futures_and_bodies_are_not_boxed() {
    #[allow(dead_code)]
    struct Big<T>([u8; 10_000], PhantomData<T>);
    let overhead = |outer: usize, inner: usize| outer - inner;
    let of_future = overhead(size_of::<ResponseFuture<Big<()>>>(), size_of::<Big<()>>());
    let of_body = overhead(size_of::<ResponseBody<Big<()>>>(), size_of::<Big<()>>());
    assert!((1..600).contains(&of_future), "{of_future}");
    assert!((1..600).contains(&of_body), "{of_body}");
}

#[tokio::test]
async fn targets_that_are_no_paths() {
    let telemetry = Capture::new();
    let service = service_fn(async |_: Request<hyper::body::Incoming>| Ok::<_, Never>(response()));
    let server = hyper_server(&telemetry, layer(&telemetry).layer(service)).await;
    for (method, target) in [
        ("OPTIONS", "*"),
        ("GET", "http://shop.example:81/absolute"),
        ("GET", "https://user:s3cr3t@shop.example/credentials"),
    ] {
        assert_eq!(
            server.request(method, target, &[]).await.body,
            "body",
            "{target}"
        );
    }
    // The response's head ends the request; what follows belongs to the tunnel.
    let mut wire = server.wire().await;
    wire.send("CONNECT shop.example:443 HTTP/1.1\r\nhost: shop.example:443\r\n\r\n")
        .await;
    wire.read_until("\r\n\r\n").await;
    server
        .assert(&[
            server.expect("OPTIONS", "*").status(200),
            server
                .expect("GET", "/absolute")
                .host("shop.example", 81)
                .status(200),
            server
                .expect("GET", "/credentials")
                .scheme("https")
                .no_host()
                .status(200),
            server
                .expect("CONNECT", "")
                .host("shop.example", 443)
                .status(200),
        ])
        .await;
    telemetry.assert_never_contains("s3cr3t");
}

/// Runs itself again in a process with the variable set.
#[test]
fn known_methods_come_from_the_environment() {
    const VARIABLE: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";
    if std::env::var_os(VARIABLE).is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "known_methods_come_from_the_environment"])
            .env(VARIABLE, "PROPFIND, get")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{text}");
        return;
    }
    let telemetry = Capture::new();
    let service = layer(&telemetry).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Never>(Response::new(Empty::<Bytes>::new()))
    }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for method in ["PROPFIND", "get", "GET"] {
        let mut request = request();
        *request.method_mut() = method.parse().unwrap();
        runtime.block_on(service.clone().oneshot(request)).unwrap();
    }
    let spans = telemetry.spans();
    let methods = spans
        .iter()
        .map(|span| span.attribute("http.request.method"));
    let expected = ["PROPFIND", "get", "_OTHER"].map(otelware_testing::Value::from);
    assert_eq!(
        methods.collect::<Vec<_>>(),
        expected.iter().map(Some).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_message_of_an_exception_is_cut() {
    let telemetry = Capture::new();
    let logging = layer(&telemetry).with_logger_provider(telemetry.logger_provider());
    let service = logging.layer(service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Full<Bytes>>, _>("x".repeat(10_000))
    }));
    assert_eq!(
        service
            .oneshot(request())
            .await
            .map(drop)
            .unwrap_err()
            .len(),
        10_000
    );
    let event = telemetry.event("http.server.request.exception");
    let message = event
        .attribute("exception.message")
        .and_then(otelware_testing::Value::as_str);
    assert_eq!(message.map(str::len), Some(4_096));
}

#[tokio::test]
async fn an_upgrade_ends_with_its_head_whatever_body_it_has() {
    let telemetry = Capture::new();
    let service = service_fn(async |_: Request<hyper::body::Incoming>| {
        let body = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Never>>();
        let mut response = Response::new(http_body_util::StreamBody::new(body));
        *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
        Ok::<_, Never>(response)
    });
    let server = hyper_server(&telemetry, layer(&telemetry).layer(service)).await;
    let mut wire = server.wire().await;
    let headers = [("connection", "upgrade"), ("upgrade", "echo")];
    wire.send(format!("{}\r\n", server.head("GET", "/upgrade", &headers)))
        .await;
    wire.read_until("\r\n\r\n").await;
    server
        .assert(&[server.expect("GET", "/upgrade").status(101)])
        .await;
}
