//! One request through a router in process: no socket, no runtime, nothing that waits.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::Error;
use crate::telemetry::{Configuration, Counts, Telemetry};
use crate::variants::Variant;
use crate::work::Work;

/// Requests to a router with one variant's layer.
#[derive(Debug)]
pub(crate) struct Requests {
    router: Router,
    traceparent: Option<&'static str>,
    telemetry: Telemetry,
    instrumented: bool,
}

impl Requests {
    pub(crate) fn new(configuration: &Configuration, variant: Variant) -> Result<Self, Error> {
        let telemetry = Telemetry::new(configuration);
        let router = Router::new().route("/users/{id}", get(async || "ok"));
        Ok(Self {
            // With its state in place the router does not rebuild its layers for each request.
            router: variant.apply(router, &telemetry).with_state(()),
            traceparent: configuration.traceparent.value(),
            telemetry,
            instrumented: variant.is_instrumented(),
        })
    }
}

impl Work for Requests {
    fn once(&mut self) -> bool {
        let Ok(request) = request(self.traceparent) else {
            return false;
        };
        let router = self.router.clone();
        let response = ready(async {
            let response = router.oneshot(request).await.ok()?;
            let (head, body) = response.into_parts();
            Some((head.status, body.collect().await.ok()?.to_bytes()))
        });
        matches!(response, Some(Some((StatusCode::OK, body))) if body == "ok")
    }

    fn settle(&self) -> Result<(), Error> {
        self.telemetry.flush()
    }

    fn verify(&self, operations: u64) -> Result<(), Error> {
        let recorded = if self.instrumented { operations } else { 0 };
        self.telemetry.verify(Counts {
            spans: recorded,
            durations: recorded,
        })
    }
}

fn request(traceparent: Option<&'static str>) -> http::Result<Request<Body>> {
    let mut request = Request::get("/users/42")
        .header(header::HOST, "shop.example:8080")
        .header(
            header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        )
        .header(header::ACCEPT, "application/json");
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    request.body(Body::empty())
}

/// The output of a future that never waits; `None` if it does.
fn ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
