//! How calls end where bodies, services and callers do what tonic's own seldom do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(all(feature = "channel", feature = "server"))]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use otelware_testing::Capture;
use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};
use support::*;
use tower::load_shed::error::Overloaded;
use tower::{Layer, ServiceExt, service_fn};

/// A body that says it is at its end as soon as its data has gone by, and may have trailers yet: so
/// does that of gRPC-Web's layer.
#[derive(Debug)]
struct Hasty {
    data: Option<Bytes>,
    trailers: Option<Frame<Bytes>>,
}

impl Body for Hasty {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.data.take().map(Frame::data);
        Poll::Ready(data.or_else(|| self.trailers.take()).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }
}

fn hasty(trailers: Option<Frame<Bytes>>) -> Hasty {
    let data = Some(framed(b"data", false));
    Hasty { data, trailers }
}

#[tokio::test]
async fn trailers_count_although_the_body_said_that_it_was_at_its_end() {
    let telemetry = Capture::new();
    let service = listed_layer(&telemetry).layer(service_fn(|_: Request<_>| {
        let trailers = header_map(&[("grpc-status", "5")]);
        ready(Ok::<_, Infallible>(response(hasty(Some(Frame::trailers(
            trailers,
        ))))))
    }));
    exchange(&service, request(&format!("/{UNARY}"))).await;
    assert_call(&telemetry, &ExpectedCall::server(UNARY).code("NOT_FOUND"));
}

#[tokio::test]
async fn a_body_that_is_at_its_end_without_trailers_has_no_status() {
    for reads_on in [true, false] {
        let telemetry = Capture::new();
        let service = listed_layer(&telemetry).layer(service_fn(|_: Request<_>| {
            ready(Ok::<_, Infallible>(response(hasty(None))))
        }));
        let response = service.oneshot(request(&format!("/{UNARY}"))).await;
        let mut body = response.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        if reads_on {
            assert!(body.frame().await.is_none());
        }
        drop(body);
        assert_call(&telemetry, &ExpectedCall::server(UNARY).code("UNKNOWN"));
    }
}

fn overloaded() -> Result<Response<Hasty>, Box<dyn Error + Send + Sync>> {
    Err(Overloaded::new().into())
}

#[tokio::test]
async fn a_call_that_is_turned_away_for_load_has_the_code_that_tonic_gives_it() {
    let telemetry = Capture::new();
    let service = listed_layer(&telemetry).layer(service_fn(|_: Request<_>| ready(overloaded())));
    let turned_away = service.oneshot(request(&format!("/{UNARY}"))).await;
    assert!(turned_away.unwrap_err().is::<Overloaded>());
    let call = ExpectedCall::server(UNARY).code("RESOURCE_EXHAUSTED");
    assert_call(&telemetry, &call);

    let telemetry = Capture::new();
    let service = client_layer(&telemetry).layer(service_fn(|_: Request<_>| ready(overloaded())));
    let status = client_of(service).unary(plain()).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    let call = ExpectedCall::client(UNARY).code("RESOURCE_EXHAUSTED");
    assert_call(&telemetry, &call);
}
