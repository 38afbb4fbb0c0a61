//! What is particular to reqwest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use otelware::opentelemetry::trace::SpanKind;
use otelware::propagation::{CompositePropagator, Outbound};
use otelware_reqwest::{ClientExt, HttpClientMiddleware, UrlTemplate};
use otelware_testing::suites::Peer;
use otelware_testing::{Attributes, Capture, ExpectedSpan, attributes, expect_span};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Body, Client};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};

fn middleware(telemetry: &Capture) -> HttpClientMiddleware {
    HttpClientMiddleware::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_logger_provider(telemetry.logger_provider())
        .with_propagator(CompositePropagator::default())
}

fn client(telemetry: &Capture) -> ClientWithMiddleware {
    let client = Client::builder().no_proxy().build().unwrap();
    client.instrumented_with(middleware(telemetry))
}

/// The attributes at the start of a request to `peer`.
fn sent(method: &str, peer: &Peer) -> Attributes {
    attributes! {
        "http.request.method" => method,
        "server.address" => peer.address().ip().to_string(),
        "server.port" => peer.address().port(),
    }
}

fn expect_sent(method: &str, peer: &Peer, path: &str) -> ExpectedSpan {
    expect_span(method)
        .kind(SpanKind::Client)
        .attributes(sent(method, peer))
        .attribute("url.full", peer.url(path))
}

fn expect_answered(method: &str, peer: &Peer, path: &str, status: u16) -> ExpectedSpan {
    expect_sent(method, peer, path)
        .attribute("http.response.status_code", status)
        .attribute("network.peer.address", peer.address().ip().to_string())
        .attribute("network.peer.port", peer.address().port())
        .attribute("network.protocol.version", "1.1")
}

#[tokio::test]
async fn the_response_is_the_one_that_reqwest_made() {
    let telemetry = Capture::new();
    let peer = Peer::start().await;
    let plain = Client::builder().no_proxy().build().unwrap();
    let url = peer.url("/redirect");
    let expected = plain.get(&url).send().await.unwrap();
    let found = client(&telemetry).get(&url).send().await.unwrap();
    let without_date = |response: &reqwest::Response| {
        let mut headers = response.headers().clone();
        headers.remove("date");
        headers
    };
    assert_eq!(found.url(), expected.url());
    assert_eq!(found.url().as_str(), peer.url("/echo"));
    assert_eq!(found.status(), expected.status());
    assert_eq!(found.version(), expected.version());
    assert_eq!(found.remote_addr(), Some(peer.address()));
    assert_eq!(found.content_length(), expected.content_length());
    assert_eq!(without_date(&found), without_date(&expected));
    assert_eq!(found.text().await.unwrap(), expected.text().await.unwrap());
    let expected = expect_answered("GET", &peer, "/redirect", 200);
    telemetry.span("GET").assert(expected);
}

#[tokio::test]
async fn chunks_and_errors_for_status_work_as_without() {
    let telemetry = Capture::new();
    let peer = Peer::start().await;
    let client = client(&telemetry);
    let mut response = client.get(peer.url("/stream")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first");
    assert_eq!(telemetry.open_spans(), 1);
    peer.release();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "second");
    assert_eq!(response.chunk().await.unwrap(), None);
    let expected = expect_answered("GET", &peer, "/stream", 200);
    telemetry.span("GET").assert(expected);

    telemetry.reset();
    let response = client.get(peer.url("/status/404")).send().await.unwrap();
    let error = response.error_for_status().unwrap_err();
    assert_eq!(error.url().unwrap().as_str(), peer.url("/status/404"));
    let expected = expect_answered("GET", &peer, "/status/404", 404);
    let expected = expected.attribute("error.type", "404").error();
    telemetry.span("GET").assert(expected);
    assert_eq!(telemetry.logs(), []);
}

#[tokio::test]
async fn extensions_tell_of_one_request() {
    let telemetry = Capture::new();
    let peer = Peer::start().await;
    let response = client(&telemetry)
        .get(peer.url("/status/201"))
        .with_extension(UrlTemplate::new("/status/{code}"))
        .with_extension(Outbound::Nothing)
        .send()
        .await
        .unwrap();
    drop(response.bytes().await.unwrap());
    let mut attributes = sent("GET", &peer);
    attributes.extend(attributes! {
        "http.response.status_code" => 201,
        "network.peer.address" => "127.0.0.1",
        "network.peer.port" => peer.address().port(),
        "network.protocol.version" => "1.1",
        "url.full" => peer.url("/status/201"),
        "url.template" => "/status/{code}",
    });
    let expected = expect_span("GET /status/{code}").kind(SpanKind::Client);
    telemetry
        .span("GET /status/{code}")
        .assert(expected.attributes(attributes));
    assert_eq!(peer.only_received().header("traceparent"), [""; 0]);
}

#[tokio::test]
async fn a_streamed_request_body_is_counted_as_it_flows() {
    let telemetry = Capture::new();
    let peer = Peer::start().await;
    let plain = Client::builder().no_proxy().build().unwrap();
    let client = plain.instrumented_with(middleware(&telemetry).with_body_sizes());
    let frames = ["two ", "chunks"]
        .map(|chunk| Ok::<_, io::Error>(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    let body = Body::wrap(StreamBody::new(futures_util::stream::iter(frames)));
    let response = client
        .post(peer.url("/echo"))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "two chunks");
    let expected = expect_answered("POST", &peer, "/echo", 200)
        .attribute("http.request.body.size", 10)
        .attribute("http.response.body.size", 10);
    telemetry.span("POST").assert(expected);
}

struct NoSuchHost;

impl Resolve for NoSuchHost {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err::<Addrs, _>(io::Error::other("no such host").into()) })
    }
}

/// The class and the message of the exception of a request that fails.
async fn failure(client: Client, url: &str) -> (String, String) {
    failure_beneath(client, url, None).await
}

/// The same, with a middleware beneath the instrumentation.
async fn failure_beneath(client: Client, url: &str, beneath: Option<Wrapping>) -> (String, String) {
    let telemetry = Capture::new();
    let mut client = ClientBuilder::new(client).with(middleware(&telemetry));
    if let Some(beneath) = beneath {
        client = client.with(beneath);
    }
    let client = client.build();
    let error = client.get(url).send().await.unwrap_err();
    assert!(
        error
            .url()
            .is_none_or(|url| url.as_str().contains("s3cr3t")),
        "{error:?}"
    );
    telemetry.assert_never_contains("s3cr3t");
    let span = telemetry.span("GET");
    let event = telemetry.event("http.client.request.exception");
    let class = span
        .attribute("error.type")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        event.attribute("exception.type"),
        Some(&class.as_str().into())
    );
    let message = event.attribute("exception.message").unwrap();
    (class, message.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn errors_have_short_classes_and_no_secrets() {
    let peer = Peer::start().await;
    let plain = || Client::builder().no_proxy();
    let builder = plain().dns_resolver(Arc::new(NoSuchHost));
    let url = "http://shop.example/?sig=s3cr3t";
    let found = failure(builder.build().unwrap(), url).await;
    let message = "error sending request for url (http://shop.example/?sig=REDACTED)";
    assert_eq!(
        found,
        ("name_resolution_error".to_owned(), message.to_owned())
    );

    let none = reqwest::redirect::Policy::custom(|attempt| attempt.error("no redirects"));
    let url = peer.url("/redirect?sig=s3cr3t");
    let found = failure(plain().redirect(none).build().unwrap(), &url).await;
    assert_eq!(found.0, "redirect");

    let builder = plain().timeout(Duration::from_millis(20));
    let url = peer.url("/hang?sig=s3cr3t");
    let found = failure(builder.build().unwrap(), &url).await;
    assert_eq!(found.0, "timeout");

    let found = failure(plain().build().unwrap(), "ftp://shop.example/?sig=s3cr3t").await;
    assert_eq!(found.0, "builder");
}

/// A middleware that fails with an error of its own around that of reqwest.
#[derive(Clone, Copy)]
enum Wrapping {
    /// The error of reqwest itself.
    Bare,
    /// An error whose text has the cause's.
    InText,
    /// An error around the error of the client.
    OfClient,
}

#[derive(Debug)]
struct Wrapped<E>(E);

impl<E: Display> Display for Wrapped<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrapped: {}", self.0)
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Wrapped<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[async_trait::async_trait]
impl Middleware for Wrapping {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let error = match next.run(request, extensions).await {
            Err(Error::Reqwest(error)) => error,
            other => return other,
        };
        Err(match self {
            Self::Bare => Error::middleware(error),
            Self::InText => Error::middleware(Wrapped(error)),
            Self::OfClient => Error::middleware(Wrapped(Error::Reqwest(error))),
        })
    }
}

#[tokio::test]
async fn an_error_that_a_middleware_wrapped_has_no_secrets_either() {
    let message = "error sending request for url (http://shop.example/?sig=REDACTED)";
    let wrapped = format!("wrapped: {message}");
    for (wrapping, expected) in [
        (Wrapping::Bare, message),
        (Wrapping::InText, &wrapped),
        (Wrapping::OfClient, &wrapped),
    ] {
        let builder = Client::builder().no_proxy();
        let client = builder.dns_resolver(Arc::new(NoSuchHost)).build().unwrap();
        let url = "http://shop.example/?sig=s3cr3t";
        let (_, found) = failure_beneath(client, url, Some(wrapping)).await;
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn one_line_instruments_a_client() {
    // There are no global providers here: the request goes out as without.
    let peer = Peer::start().await;
    let client = Client::builder().no_proxy().build().unwrap().instrumented();
    let response = client.get(peer.url("/status/200")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "short");
    assert_eq!(peer.only_received().header("traceparent"), [""; 0]);
}
