//! A minimal layer by hand over the raw SDK, for either side: what a careful engineer writes in an afternoon.
//!
//! One span with the attributes of the RPC conventions and one duration histogram, both ended at the status: in the head
//! of an answer without messages, else in the trailers. No list of methods, no cancellation, no deadlines, no panics, no
//! options, and the context is not current while the body runs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Instant;

use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use pin_project_lite::pin_project;
use tonic::transport::server::TcpConnectInfo;
use tower_layer::Layer;
use tower_service::Service;

const SCOPE: &str = "floor";
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// By number.
const STATUS_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const UNKNOWN: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct FloorLayer(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    tracer: BoxedTracer,
    duration: Histogram<f64>,
    /// The endpoint of a client; `None` at a server.
    endpoint: Option<(&'static str, u16)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Floor<S> {
    inner: S,
    instruments: Arc<Instruments>,
}

impl FloorLayer {
    /// Reads the global providers: set them first.
    pub(crate) fn server() -> Self {
        Self::new("rpc.server.call.duration", None)
    }

    /// Reads the global providers: set them first.
    pub(crate) fn client(address: &'static str, port: u16) -> Self {
        Self::new("rpc.client.call.duration", Some((address, port)))
    }

    fn new(duration: &'static str, endpoint: Option<(&'static str, u16)>) -> Self {
        Self(Arc::new(Instruments {
            tracer: global::tracer(SCOPE),
            duration: global::meter(SCOPE)
                .f64_histogram(duration)
                .with_unit("s")
                .with_boundaries(BOUNDARIES.to_vec())
                .build(),
            endpoint,
        }))
    }
}

impl<S> Layer<S> for FloorLayer {
    type Service = Floor<S>;

    fn layer(&self, inner: S) -> Floor<S> {
        Floor {
            inner,
            instruments: self.0.clone(),
        }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Floor<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    S::Future: Send + 'static,
{
    type Response = Response<FloorBody<ResponseBody>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let call = Call::start(self.instruments.clone(), &mut request);
        let future = {
            let _current = call.context.clone().attach();
            self.inner.call(request)
        };
        Box::pin(async move {
            match future.with_context(call.context.clone()).await {
                Ok(response) => {
                    let mut call = Some(call);
                    if let Some(code) = code(response.headers())
                        && let Some(call) = call.take()
                    {
                        call.end(code);
                    }
                    Ok(response.map(|inner| FloorBody { inner, call }))
                }
                Err(error) => {
                    call.end(UNKNOWN);
                    Err(error)
                }
            }
        })
    }
}

/// A call that has not ended.
#[derive(Debug)]
struct Call {
    instruments: Arc<Instruments>,
    context: Context,
    method: Arc<str>,
    start: Instant,
}

impl Call {
    fn start<B>(instruments: Arc<Instruments>, request: &mut Request<B>) -> Self {
        let start = Instant::now();
        let method: Arc<str> = request.uri().path().trim_start_matches('/').into();
        let mut attributes = Vec::with_capacity(8);
        attributes.push(KeyValue::new("rpc.system.name", "grpc"));
        attributes.push(KeyValue::new("rpc.method", method.clone()));

        let (kind, parent) = match instruments.endpoint {
            Some((address, port)) => {
                attributes.push(KeyValue::new("server.address", address));
                attributes.push(KeyValue::new("server.port", i64::from(port)));
                (SpanKind::Client, Context::current())
            }
            None => {
                if let Some(authority) = request.uri().authority() {
                    let address = authority.host().to_owned();
                    attributes.push(KeyValue::new("server.address", address));
                    if let Some(port) = authority.port_u16() {
                        attributes.push(KeyValue::new("server.port", i64::from(port)));
                    }
                }
                if let Some(peer) = request
                    .extensions()
                    .get::<TcpConnectInfo>()
                    .and_then(TcpConnectInfo::remote_addr)
                {
                    let address = peer.ip().to_string();
                    attributes.push(KeyValue::new("network.peer.address", address));
                    attributes.push(KeyValue::new("network.peer.port", i64::from(peer.port())));
                }
                let parent = global::get_text_map_propagator(|propagator| {
                    propagator.extract(&HeaderExtractor(request.headers()))
                });
                (SpanKind::Server, parent)
            }
        };

        let is_client = kind == SpanKind::Client;
        let span = instruments
            .tracer
            .span_builder(method.to_string())
            .with_kind(kind)
            .with_attributes(attributes)
            .start_with_context(&instruments.tracer, &parent);
        let context = parent.with_span(span);
        if is_client {
            global::get_text_map_propagator(|propagator| {
                propagator.inject_context(&context, &mut HeaderInjector(request.headers_mut()));
            });
        }
        Self {
            instruments,
            context,
            method,
            start,
        }
    }

    fn end(self, code: usize) {
        let status = STATUS_CODES.get(code).copied().unwrap_or("UNKNOWN");
        let span = self.context.span();
        let mut attributes = Vec::with_capacity(6);
        attributes.push(KeyValue::new("rpc.system.name", "grpc"));
        attributes.push(KeyValue::new("rpc.method", self.method));
        attributes.push(KeyValue::new("rpc.status_code", status));
        span.set_attribute(KeyValue::new("rpc.status_code", status));
        let is_error = match self.instruments.endpoint {
            Some((address, port)) => {
                attributes.push(KeyValue::new("server.address", address));
                attributes.push(KeyValue::new("server.port", i64::from(port)));
                code != 0
            }
            None => matches!(code, 2 | 4 | 12..=15) || code >= STATUS_CODES.len(),
        };
        if is_error {
            attributes.push(KeyValue::new("error.type", status));
            span.set_attribute(KeyValue::new("error.type", status));
            span.set_status(Status::error(""));
        }
        span.end();
        self.instruments
            .duration
            .record(self.start.elapsed().as_secs_f64(), &attributes);
    }
}

fn code(headers: &HeaderMap) -> Option<usize> {
    let value = headers.get("grpc-status")?.to_str().ok()?;
    Some(value.parse().unwrap_or(UNKNOWN))
}

pin_project! {
    /// A response's body that ends the call at its trailers.
    #[derive(Debug)]
    pub(crate) struct FloorBody<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
    }
}

impl<B: Body> Body for FloorBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        let code = match &frame {
            Some(Ok(frame)) => frame
                .trailers_ref()
                .map(|trailers| code(trailers).unwrap_or(UNKNOWN)),
            Some(Err(_)) | None => Some(UNKNOWN),
        };
        if let Some(code) = code
            && let Some(call) = this.call.take()
        {
            call.end(code);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
