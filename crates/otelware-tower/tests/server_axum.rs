//! The server's layer on routers of axum: routes, nesting, panics, timeouts, upgrades.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "axum")]

mod server_support;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, any_service, get};
use otelware::opentelemetry::trace::{FutureExt, Span, Tracer, TracerProvider};
use otelware::opentelemetry::{Context, KeyValue};
use otelware_testing::suites::http_server::TestServer;
use otelware_testing::{Capture, expect_span};
use otelware_tower::set_route;
use server_support::{axum_server, hyper_server, layer, scope};
use std::future::pending;
use std::time::Duration;
use tower::{Layer, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

const MOMENT: Duration = Duration::from_millis(20);

async fn panics() -> &'static str {
    panic!("the handler panics")
}

async fn hangs() -> &'static str {
    pending().await
}

fn user() -> Router {
    Router::new().route("/users/{id}", get(async || "user"))
}

#[tokio::test]
async fn a_method_that_the_route_does_not_allow() {
    let telemetry = Capture::new();
    let server = axum_server(&telemetry, user().layer(layer(&telemetry))).await;
    assert_eq!(server.request("DELETE", "/users/1", &[]).await.status, 405);
    let expected = server
        .expect("DELETE", "/users/1")
        .route("/users/{id}")
        .status(405);
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn a_panic_that_is_caught_further_in_is_its_status() {
    let telemetry = Capture::new();
    let router = Router::new()
        .route("/panic", get(panics))
        .layer(CatchPanicLayer::new())
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/panic").await.status, 500);
    let expected = server.expect("GET", "/panic").route("/panic").status(500);
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn a_panic_that_is_caught_further_out_goes_on() {
    let telemetry = Capture::new();
    let router = Router::new()
        .route("/panic", get(panics))
        .layer(layer(&telemetry))
        .layer(CatchPanicLayer::new());
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/panic").await.status, 500);
    let expected = server
        .expect("GET", "/panic")
        .route("/panic")
        .error("panic");
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn a_panic_of_the_body() {
    let telemetry = Capture::new();
    let body = || {
        let chunks = futures_util::stream::iter(0..2);
        Body::from_stream(futures_util::StreamExt::map(chunks, |chunk| match chunk {
            0 => Ok::<_, std::io::Error>("chunk"),
            _ => panic!("the body panics"),
        }))
    };
    let router = Router::new().route("/body", get(async move || body()));
    let server = axum_server(&telemetry, router.layer(layer(&telemetry))).await;
    assert_eq!(
        server.get("/body").await.header("transfer-encoding"),
        ["chunked"; 0]
    );
    let expected = server
        .expect("GET", "/body")
        .route("/body")
        .status(200)
        .error("panic");
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn a_timeout_further_in_is_its_status() {
    for status in [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT] {
        let telemetry = Capture::new();
        let router = Router::new()
            .route("/hang", get(hangs))
            .layer(TimeoutLayer::with_status_code(status, MOMENT))
            .layer(layer(&telemetry));
        let server = axum_server(&telemetry, router).await;
        assert_eq!(server.get("/hang").await.status, status);
        let expected = server
            .expect("GET", "/hang")
            .route("/hang")
            .status(status.as_u16());
        server.assert(&[expected]).await;
    }
}

#[tokio::test]
async fn a_timeout_further_out_cancels() {
    let telemetry = Capture::new();
    let router = Router::new()
        .route("/hang", get(hangs))
        .layer(layer(&telemetry))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            MOMENT,
        ));
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/hang").await.status, 408);
    let expected = server.expect("GET", "/hang").route("/hang").cancelled();
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn the_error_of_a_timer_of_tower() {
    let telemetry = Capture::new();
    let service = ServiceBuilder::new()
        .layer(layer(&telemetry))
        .timeout(MOMENT)
        .service(Router::new().route("/hang", get(hangs)));
    let server = hyper_server(&telemetry, service).await;
    assert_eq!(server.get("/hang").await.status, 0);
    server
        .assert(&[server.expect("GET", "/hang").error("timeout")])
        .await;
}

#[tokio::test]
async fn nested_routers_make_one_span_with_the_whole_route() {
    let telemetry = Capture::new();
    let inner = || user().layer(layer(&telemetry));
    let router = Router::new()
        .nest("/nested", inner())
        .nest_service("/service", inner())
        .nest("/bare", user())
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    let mut expected = Vec::new();
    for prefix in ["/nested", "/service", "/bare"] {
        let path = format!("{prefix}/users/1");
        assert_eq!(server.get(&path).await.body, "user");
        let route = format!("{prefix}/users/{{id}}");
        expected.push(server.expect("GET", &path).route(&route).status(200));
    }
    server.assert(&expected).await;
}

#[tokio::test]
async fn a_layer_around_the_router_learns_the_route_of_the_one_inside() {
    let telemetry = Capture::new();
    let router = user()
        .route_layer(layer(&telemetry))
        .fallback(async || StatusCode::NOT_FOUND);
    let server = hyper_server(&telemetry, layer(&telemetry).layer(router)).await;
    assert_eq!(server.get("/users/1").await.status, 200);
    assert_eq!(server.get("/unknown").await.status, 404);
    let spans = server
        .assert(&[
            server
                .expect("GET", "/users/1")
                .route("/users/{id}")
                .status(200),
            server.expect("GET", "/unknown").status(404),
        ])
        .await;
    let started = telemetry.started();
    let began = started
        .iter()
        .map(|span| (span.name.as_str(), span.attribute("http.route")));
    assert_eq!(began.collect::<Vec<_>>(), [("GET", None), ("GET", None)]);
    assert_eq!(spans.len(), 2);
}

#[tokio::test]
async fn a_layer_without_a_router_inside_has_no_route() {
    let telemetry = Capture::new();
    let router = Router::new()
        .nest_service("/service", user())
        .fallback(async || "fallback")
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/service/users/1").await.body, "user");
    assert_eq!(server.get("/elsewhere").await.body, "fallback");
    server
        .assert(&[
            server.expect("GET", "/service/users/1").status(200),
            server.expect("GET", "/elsewhere").status(200),
        ])
        .await;
}

#[tokio::test]
async fn a_route_layer_leaves_unknown_paths_alone() {
    let telemetry = Capture::new();
    let router = user().route_layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    assert_eq!(server.get("/unknown").await.status, 404);
    assert_eq!(server.get("/users/1").await.status, 200);
    let expected = server
        .expect("GET", "/users/1")
        .route("/users/{id}")
        .status(200);
    server.assert(&[expected]).await;
}

#[tokio::test]
async fn a_layer_on_one_method_router() {
    let telemetry = Capture::new();
    let router = Router::new()
        .route("/one", get(async || "one").layer(layer(&telemetry)))
        .route("/two", get(async || "two"))
        .route_service(
            "/three",
            layer(&telemetry).layer(any_service(any(async || "three"))),
        );
    let server = axum_server(&telemetry, router).await;
    for path in ["/one", "/two", "/three"] {
        assert_eq!(server.get(path).await.body, path[1..]);
    }
    server
        .assert(&[
            server.expect("GET", "/one").route("/one").status(200),
            server.expect("GET", "/three").route("/three").status(200),
        ])
        .await;
}

#[tokio::test]
async fn without_connection_info_there_is_no_peer() {
    let telemetry = Capture::new();
    let service = ServiceBuilder::new()
        .map_response(|response: axum::http::Response<_>| response.map(Body::new))
        .layer(layer(&telemetry))
        .service(user());
    let make = axum::ServiceExt::<axum::extract::Request>::into_make_service(service);
    let server = TestServer::start(&telemetry, scope(), |listener| async {
        axum::serve(listener, make).await.unwrap();
    })
    .await;
    assert_eq!(server.get("/users/1").await.status, 200);
    server
        .assert(&[server.expect("GET", "/users/1").status(200).no_peer()])
        .await;
}

#[tokio::test]
async fn a_handler_names_the_route() {
    let telemetry = Capture::new();
    let named = async || {
        set_route("/lost/{by}");
        tokio::task::yield_now().await;
        set_route("/told/{by}/handler");
        "named"
    };
    let router = Router::new()
        .route("/known", get(named))
        .fallback(named)
        .layer(layer(&telemetry));
    let server = axum_server(&telemetry, router).await;
    // Outside of a request it says nothing to anyone.
    set_route("/nobody");
    assert_eq!(server.get("/known").await.status, 200);
    assert_eq!(server.get("/unknown").await.status, 200);
    server
        .assert(&[
            server.expect("GET", "/known").route("/known").status(200),
            server
                .expect("GET", "/unknown")
                .route("/told/{by}/handler")
                .status(200),
        ])
        .await;
}

async fn echo(mut socket: WebSocket, telemetry: Capture) {
    while let Some(Ok(message)) = socket.recv().await {
        let mut span = telemetry
            .tracer_provider()
            .tracer("handler")
            .start("message");
        span.set_attribute(KeyValue::new("text", message.to_text().unwrap().to_owned()));
        drop(span);
        socket.send(Message::Text("echo".into())).await.unwrap();
    }
}

#[tokio::test]
async fn an_upgrade_ends_the_request_and_not_the_connection() {
    let telemetry = Capture::new();
    let inner = telemetry.clone();
    let upgrade = move |upgrade: WebSocketUpgrade| async move {
        let context = Context::current();
        upgrade.on_upgrade(move |socket| echo(socket, inner).with_context(context))
    };
    let router: Router<()> = Router::new().route("/ws", any(upgrade));
    let server = axum_server(&telemetry, router.layer(layer(&telemetry))).await;
    let mut wire = server.wire().await;
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    wire.send(format!("{}\r\n", server.head("GET", "/ws", &headers)))
        .await;
    wire.read_until("\r\n\r\n").await;
    let expected = server.expect("GET", "/ws").route("/ws").status(101);
    // The connection is open still.
    let request = server.assert(&[expected]).await.remove(0);
    for text in ["hi", "ho"] {
        // A text frame of two bytes, masked with zeros.
        wire.send([&[0x81, 0x82, 0, 0, 0, 0], text.as_bytes()].concat())
            .await;
    }
    let answers = wire.read_until("echo\u{fffd}\u{4}echo").await;
    assert!(
        answers.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{answers}"
    );
    drop(wire);
    telemetry.wait_for_spans(3).await;
    let messages: Vec<_> = telemetry.spans().into_iter().skip(1).collect();
    for (message, text) in messages.iter().zip(["hi", "ho"]) {
        message.assert(
            expect_span("message")
                .child_of(&request)
                .attribute("text", text),
        );
    }
}

#[tokio::test]
async fn a_body_of_a_handler_that_fails_is_classed_by_its_cause() {
    #[derive(Debug)]
    struct Own;
    impl std::fmt::Display for Own {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("s3cr3t text")
        }
    }
    impl std::error::Error for Own {}
    let telemetry = Capture::new();
    let failing = async || -> Response {
        Response::new(Body::from_stream(futures_util::stream::iter([
            Ok("chunk"),
            Err(Own),
        ])))
    };
    let router: Router<()> = Router::new().route("/fail", get(failing));
    let server = axum_server(&telemetry, router.layer(layer(&telemetry))).await;
    server.get("/fail").await;
    let expected = server
        .expect("GET", "/fail")
        .route("/fail")
        .status(200)
        .error("_OTHER");
    server.assert(&[expected]).await;
    telemetry.assert_never_contains("s3cr3t");
}
