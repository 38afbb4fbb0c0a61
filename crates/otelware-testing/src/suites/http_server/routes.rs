//! The routes that every server under test serves.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use tokio::sync::Semaphore;

use crate::Capture;

/// The templates of the routes, as `http.route` names them. Every method leads to
/// [`Handler::respond`].
pub const ROUTES: [&str; 16] = [
    "/success",
    "/users/{id}",
    "/client-error",
    "/server-error",
    "/panic",
    "/hang",
    "/stream",
    "/body-error",
    "/empty",
    "/no-content",
    "/not-modified",
    "/chunked",
    "/announced",
    "/trailers",
    "/echo",
    "/context",
];

/// The name of the span that the route `/context` makes.
pub const INNER_SPAN: &str = "inner";

/// The body of the routes' responses.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// What the routes do.
#[derive(Clone)]
pub struct Handler {
    telemetry: Capture,
    propagator: Arc<dyn TextMapPropagator + Send + Sync>,
    hanging: Arc<Semaphore>,
}

impl std::fmt::Debug for Handler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

impl Handler {
    /// Handlers whose own spans go to `telemetry` and which inject with `propagator`.
    pub fn new(
        telemetry: &Capture,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        Self {
            telemetry: telemetry.clone(),
            propagator: Arc::new(propagator),
            hanging: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a request hangs in `/hang`.
    pub async fn wait_for_hanging(&self) {
        self.hanging.acquire().await.unwrap().forget();
    }

    /// The response of the route with this template; of an unknown one, 404.
    ///
    /// # Panics
    ///
    /// On the route `/panic`.
    pub async fn respond<B>(&self, route: &str, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body,
        B::Error: std::fmt::Debug,
    {
        match route {
            "/success" | "/users/{id}" => text(StatusCode::OK, "success"),
            "/client-error" => text(StatusCode::BAD_REQUEST, "client error"),
            "/server-error" => text(StatusCode::INTERNAL_SERVER_ERROR, "server error"),
            "/panic" => panic!("the route /panic panics"),
            "/hang" => {
                self.hanging.add_permits(1);
                pending().await
            }
            "/stream" => frames([data("chunk")], true),
            "/body-error" => frames(
                [
                    data("chunk"),
                    Err(io::Error::other(io::Error::from(
                        io::ErrorKind::ConnectionReset,
                    ))),
                ],
                false,
            ),
            "/empty" => empty(StatusCode::OK),
            "/no-content" => unsent(StatusCode::NO_CONTENT),
            "/not-modified" => unsent(StatusCode::NOT_MODIFIED),
            "/chunked" => frames([data("one"), data("two"), data("three")], false),
            "/announced" => {
                // Transports stop here: the end of the body is never asked for.
                let mut response = frames([data("12345"), data("67890")], true);
                let length = HeaderValue::from_static("10");
                response
                    .headers_mut()
                    .insert(header::CONTENT_LENGTH, length);
                response
            }
            "/trailers" => {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-checksum", HeaderValue::from_static("42"));
                let mut response = frames([data("chunk"), Ok(Frame::trailers(trailers))], false);
                let names = HeaderValue::from_static("x-checksum");
                response.headers_mut().insert(header::TRAILER, names);
                response
            }
            "/echo" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                Response::new(full(body))
            }
            "/context" => {
                self.context(request.uri().query().unwrap_or_default())
                    .await
            }
            _ => text(StatusCode::NOT_FOUND, "not found"),
        }
    }

    /// Answers with what the current context carries to another service, having yielded to other
    /// requests, and makes a span.
    async fn context(&self, query: &str) -> Response<ResponseBody> {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        let mut span = self
            .telemetry
            .tracer_provider()
            .tracer("handler")
            .start(INNER_SPAN);
        span.set_attribute(KeyValue::new("query", query.to_owned()));
        drop(span);
        let mut carried = std::collections::HashMap::new();
        self.propagator
            .inject_context(&Context::current(), &mut carried);
        let mut lines: BTreeMap<String, String> = carried.into_iter().collect();
        let baggage = Context::current().baggage().len();
        lines.insert("baggage entries".to_owned(), baggage.to_string());
        let lines: Vec<String> = lines
            .into_iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        Response::new(full(lines.join("\n").into()))
    }
}

fn data(text: &'static str) -> Result<Frame<Bytes>, io::Error> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn full(body: Bytes) -> ResponseBody {
    Full::new(body).map_err(never).boxed_unsync()
}

fn text(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(full(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

fn empty(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(Empty::new().map_err(never).boxed_unsync());
    *response.status_mut() = status;
    response
}

/// A response with a body that its status does not allow: nobody asks for it.
fn unsent(status: StatusCode) -> Response<ResponseBody> {
    let mut response = frames([data("unsent")], true);
    *response.status_mut() = status;
    response
}

/// A response whose length is not known; one that is `endless` never ends.
fn frames(
    frames: impl IntoIterator<Item = Result<Frame<Bytes>, io::Error>, IntoIter: Send + 'static>,
    endless: bool,
) -> Response<ResponseBody> {
    let frames = stream::iter(frames);
    Response::new(if endless {
        StreamBody::new(frames.chain(stream::pending())).boxed_unsync()
    } else {
        StreamBody::new(frames).boxed_unsync()
    })
}

fn never(error: Infallible) -> io::Error {
    match error {}
}
