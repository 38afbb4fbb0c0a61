//! A minimal layer by hand over the raw SDK: what a careful engineer writes in an afternoon.
//!
//! One server span with the attributes of the HTTP conventions and one duration histogram, both ended at the response's
//! head; no body, no cancellation, no redaction, no options.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use axum::extract::MatchedPath;
use http::uri::Scheme;
use http::{HeaderMap, Method, Request, Response, Version, header};
use opentelemetry::KeyValue;
use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_semantic_conventions::attribute;
use tower_layer::Layer;
use tower_service::Service;

const SCOPE: &str = "floor";
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Clone, Debug)]
pub(crate) struct FloorLayer(Arc<Instruments>);

#[derive(Debug)]
struct Instruments {
    tracer: BoxedTracer,
    duration: Histogram<f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Floor<S> {
    inner: S,
    instruments: Arc<Instruments>,
}

impl FloorLayer {
    /// Reads the global providers: set them first.
    pub(crate) fn new() -> Self {
        let duration = global::meter(SCOPE)
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_boundaries(BOUNDARIES.to_vec())
            .build();
        Self(Arc::new(Instruments {
            tracer: global::tracer(SCOPE),
            duration,
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
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let start = Instant::now();
        let instruments = self.instruments.clone();
        let parent = global::get_text_map_propagator(|propagator| {
            propagator.extract(&HeaderExtractor(request.headers()))
        });

        let method = method(request.method());
        let version = version(request.version());
        let scheme = if request.uri().scheme() == Some(&Scheme::HTTPS) {
            "https"
        } else {
            "http"
        };
        let route: Option<Arc<str>> = request
            .extensions()
            .get::<MatchedPath>()
            .map(|path| path.as_str().into());

        let name = match &route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        let mut attributes = Vec::with_capacity(10);
        attributes.push(KeyValue::new(attribute::HTTP_REQUEST_METHOD, method));
        attributes.push(KeyValue::new(attribute::URL_SCHEME, scheme));
        attributes.push(KeyValue::new(
            attribute::URL_PATH,
            request.uri().path().to_owned(),
        ));
        attributes.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
        if let Some(query) = request.uri().query() {
            attributes.push(KeyValue::new(attribute::URL_QUERY, query.to_owned()));
        }
        if let Some(route) = &route {
            attributes.push(KeyValue::new(attribute::HTTP_ROUTE, route.clone()));
        }
        if let Some(host) = text(request.headers(), header::HOST) {
            match host
                .rsplit_once(':')
                .and_then(|(name, port)| Some((name, port.parse::<u16>().ok()?)))
            {
                Some((name, port)) => {
                    attributes.push(KeyValue::new(attribute::SERVER_ADDRESS, name.to_owned()));
                    attributes.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
                }
                None => attributes.push(KeyValue::new(attribute::SERVER_ADDRESS, host.to_owned())),
            }
        }
        if let Some(user_agent) = text(request.headers(), header::USER_AGENT) {
            attributes.push(KeyValue::new(
                attribute::USER_AGENT_ORIGINAL,
                user_agent.to_owned(),
            ));
        }

        let span = instruments
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes)
            .start_with_context(&instruments.tracer, &parent);
        let context = parent.with_span(span);

        let future = {
            let _current = context.clone().attach();
            self.inner.call(request)
        };
        Box::pin(async move {
            let result = future.with_context(context.clone()).await;

            let mut attributes = Vec::with_capacity(6);
            attributes.push(KeyValue::new(attribute::HTTP_REQUEST_METHOD, method));
            attributes.push(KeyValue::new(attribute::URL_SCHEME, scheme));
            attributes.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
            if let Some(route) = route {
                attributes.push(KeyValue::new(attribute::HTTP_ROUTE, route));
            }
            let error = match &result {
                Ok(response) => {
                    let status = i64::from(response.status().as_u16());
                    let status = KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status);
                    context.span().set_attribute(status.clone());
                    attributes.push(status);
                    response
                        .status()
                        .is_server_error()
                        .then(|| response.status().as_str().to_owned())
                }
                Err(_) => Some("_OTHER".to_owned()),
            };
            if let Some(error) = error {
                let error = KeyValue::new(attribute::ERROR_TYPE, error);
                context.span().set_attribute(error.clone());
                context.span().set_status(Status::error(""));
                attributes.push(error);
            }
            context.span().end();
            instruments
                .duration
                .record(start.elapsed().as_secs_f64(), &attributes);
            result
        })
    }
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
