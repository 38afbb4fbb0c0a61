//! A client, a server, and what is captured of the client.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};

use super::expected::{Expected, expect_active, expect_duration};
use super::subject::{BoxError, HttpClientUnderTest, ResponseBody, Setup};
use crate::suites::Peer;
use crate::{Capture, ExpectedSpan, Span};

pub(super) struct Case<C> {
    pub(super) telemetry: Capture,
    pub(super) peer: Peer,
    pub(super) client: C,
}

impl<C: HttpClientUnderTest> Case<C> {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::capturing(Capture::new(), Peer::start().await, change)
    }

    pub(super) fn capturing(
        telemetry: Capture,
        peer: Peer,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let mut setup = Setup::new(&telemetry);
        change(&mut setup);
        Self {
            client: C::new(&setup),
            telemetry,
            peer,
        }
    }

    /// A request of this method for a path of the peer.
    pub(super) fn request(&self, method: &str, path: &str) -> Request<Bytes> {
        request(method, &self.peer.url(path))
    }

    /// Sends a request whose response must come.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Response<ResponseBody> {
        self.client.send(request).await.expect("a response")
    }

    /// Sends a request and reads its response to its end.
    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Result<(u16, Bytes), BoxError> {
        let (head, body) = self.client.send(request).await?.into_parts();
        let body = body.collect().await?;
        Ok((head.status.as_u16(), body.to_bytes()))
    }

    /// What is expected of an answered request for a path of the peer.
    pub(super) fn expected(&self, method: &str, path: &str) -> Expected {
        Expected::new(method, self.peer.address(), path)
    }

    /// The only span and all metrics are as expected of one request, and there is no log.
    pub(super) async fn finds(&self, expected: &Expected) -> Span {
        self.finds_with(expected, |span| span).await
    }

    /// Like [`Case::finds`], with more expected of the span.
    pub(super) async fn finds_with(
        &self,
        expected: &Expected,
        more: impl FnOnce(ExpectedSpan) -> ExpectedSpan,
    ) -> Span {
        self.telemetry.settle().await;
        let mut spans = self.telemetry.spans();
        assert_eq!(spans.len(), 1, "{}", self.telemetry.dump());
        let span = spans.swap_remove(0);
        span.assert(more(expected.span::<C>()));
        self.measured(expected, 1);
        let duration = self.telemetry.metric("http.client.request.duration");
        duration.assert_same_reading([&span]);
        assert_eq!(self.telemetry.logs(), []);
        span
    }

    /// Duration and active requests are as expected of `count` like requests.
    pub(super) fn measured(&self, expected: &Expected, count: u64) {
        let duration = expect_duration::<C>().point(expected.duration_attributes(), count);
        let active = expect_active::<C>().point(expected.active_attributes(), 0);
        self.telemetry
            .metric("http.client.request.duration")
            .assert(duration);
        self.telemetry
            .metric("http.client.active_requests")
            .assert(active);
    }

    /// A context with a span of this process.
    pub(super) fn local_parent(&self, name: &'static str) -> Context {
        let tracer = self.telemetry.tracer_provider().tracer("application");
        Context::new().with_span(tracer.start(name))
    }
}

pub(super) fn request(method: &str, url: &str) -> Request<Bytes> {
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).expect("a method"))
        .uri(url)
        .body(Bytes::new())
        .expect("a request")
}
