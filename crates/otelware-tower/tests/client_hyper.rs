//! `HttpClientLayer` over hyper-util's client: versions, and the classes of its errors.
#![cfg(feature = "hyper-util")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use otelware::propagation::CompositePropagator;
use otelware_testing::suites::Peer;
use otelware_testing::{Capture, Span};
use otelware_tower::HttpClientLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

fn layer(telemetry: &Capture) -> HttpClientLayer {
    HttpClientLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
}

fn get(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

/// The span of a request whose client is `connector`'s, which must fail.
async fn failed(
    client: Client<impl Connect + Clone + Send + Sync + 'static, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Span {
    let telemetry = Capture::new();
    let error: Error = layer(&telemetry)
        .layer(client)
        .oneshot(request)
        .await
        .map(drop)
        .unwrap_err();
    let span = telemetry.span("GET");
    assert_eq!(
        span.status,
        otelware::opentelemetry::trace::Status::error(""),
        "{error:?}"
    );
    span
}

/// The `error.type` of a request to a server that answers each connection with `answer`.
async fn answered_with(answer: &'static [u8]) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).await.unwrap();
        connection.write_all(answer).await.unwrap();
        connection.shutdown().await.unwrap();
    });
    let client = Client::builder(TokioExecutor::new()).build_http();
    let span = failed(client, get(&format!("http://{address}/"))).await;
    server.await.unwrap();
    error_type(&span)
}

fn error_type(span: &Span) -> Option<String> {
    let value = span.attribute("error.type")?;
    value.as_str().map(ToOwned::to_owned)
}

#[tokio::test]
async fn a_connection_that_closes_instead_of_answering() {
    assert_eq!(
        answered_with(b"").await.as_deref(),
        Some("connection_closed")
    );
}

#[tokio::test]
async fn an_answer_that_is_none() {
    let answer = b"no HTTP at all\r\n\r\n";
    assert_eq!(
        answered_with(answer).await.as_deref(),
        Some("invalid_response")
    );
}

#[tokio::test]
async fn a_name_that_does_not_resolve() {
    let resolver = service_fn(async |_| {
        Err::<std::iter::Empty<SocketAddr>, _>(io::Error::other("no such host"))
    });
    let connector = HttpConnector::new_with_resolver(resolver);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let span = failed(client, get("http://shop.example/")).await;
    assert_eq!(error_type(&span).as_deref(), Some("name_resolution_error"));
}

#[tokio::test]
async fn a_scheme_that_the_connector_does_not_speak() {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let span = failed(client, get("https://127.0.0.1/")).await;
    assert_eq!(error_type(&span).as_deref(), Some("connect"));
}

#[tokio::test]
async fn the_version_is_the_one_of_the_response() {
    let peer = Peer::start().await;
    let telemetry = Capture::new();
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    let response = layer(&telemetry)
        .layer(client)
        .oneshot(get(&peer.url("/status/200")))
        .await
        .unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "short"
    );
    let span = telemetry.span("GET");
    assert_eq!(
        span.attribute("network.protocol.version"),
        Some(&"2".into())
    );
}
