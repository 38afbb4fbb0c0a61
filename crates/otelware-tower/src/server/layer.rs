use super::forwarded::TrustedProxies;
use super::options::{Options, RequestView, ResponseView};
use super::scheme::Scheme;
use super::service::HttpServer;
use super::streaming::Streaming;
use super::trace_response::TraceResponse;
use crate::count::{CountBodies, PassBodies};
use otelware::http::{HeaderCapture, KnownMethods, UrlRedaction};
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Lazily, Providers, Signals};
use otelware::propagation::Trust;
use otelware::semconv::attribute;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use tower_layer::Layer;

use super::running::Server;

/// Observes the requests of an HTTP server: a span and a duration for each of them.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn example() -> axum::Router {
/// use axum::{Router, routing::get};
/// use otelware_tower::HttpServerLayer;
///
/// Router::new()
///     .route("/users/{id}", get(|| async { "hello" }))
///     .layer(HttpServerLayer::new())
/// # }
/// ```
///
/// Clones share what they have learnt, so that the layer may be cloned for each connection. The
/// type parameter tells whether bodies are counted; see [`with_body_sizes`](Self::with_body_sizes).
#[derive(Debug)]
#[must_use = "a layer does nothing until it is applied"]
pub struct HttpServerLayer<Bodies = PassBodies> {
    server: Arc<Server>,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<Bodies> Clone for HttpServerLayer<Bodies> {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            bodies: PhantomData,
        }
    }
}

impl Default for HttpServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpServerLayer {
    /// A layer with the defaults, and the global providers and propagator.
    pub fn new() -> Self {
        Self {
            server: Arc::default(),
            bodies: PhantomData,
        }
    }

    /// Measures the bytes of request and response bodies as they flow, as
    /// `http.server.request.body.size` and `http.server.response.body.size`, on the span too.
    ///
    /// The inner service then gets its request's body in a
    /// [`CountedBody`](otelware::http::CountedBody); routers of axum take any body.
    pub fn with_body_sizes(mut self) -> HttpServerLayer<CountBodies> {
        self.options_mut().body_sizes = true;
        HttpServerLayer {
            server: self.server,
            bodies: PhantomData,
        }
    }
}

impl<Bodies> HttpServerLayer<Bodies> {
    fn options_mut(&mut self) -> &mut Options {
        Lazily::options_mut(&mut self.server)
    }

    fn providers_mut(&mut self) -> &mut Providers {
        &mut self.options_mut().providers
    }

    otelware::__with_providers!();

    /// Decides which signals a request produces; a `bool` stands for all or none.
    ///
    /// Whatever it says, the request's context goes on to the handler.
    ///
    /// ```
    /// # use otelware_tower::HttpServerLayer;
    /// use otelware::operation::Signals;
    ///
    /// let layer = HttpServerLayer::new().with_filter(|request| match request.uri.path() {
    ///     "/health" => Signals::METRICS,
    ///     _ => Signals::ALL,
    /// });
    /// ```
    pub fn with_filter<S: Into<Signals>>(
        mut self,
        filter: impl Fn(RequestView<'_>) -> S + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().filter = Some(Arc::new(move |request| filter(request).into()));
        self
    }

    /// Decides what callers may say of the trace: they are trusted by default. A service that
    /// faces the public sets [`Trust::Public`].
    pub fn with_trust(self, trust: Trust) -> Self {
        self.with_trust_of(move |_| trust)
    }

    /// Decides for each request what its caller may say of the trace.
    pub fn with_trust_of(
        mut self,
        trust: impl Fn(RequestView<'_>) -> Trust + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().trust = Some(Arc::new(trust));
        self
    }

    /// Believes these proxies when they tell of the original client, scheme and host; none by
    /// default.
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.options_mut().proxies = proxies;
        self
    }

    /// The scheme of requests that do not tell theirs, which HTTP/1 requests never do: `http` by
    /// default, `https` for a server that ends TLS itself.
    pub fn with_scheme(mut self, scheme: &str) -> Self {
        self.options_mut().scheme = Scheme::configured(scheme);
        self
    }

    /// Tells these methods apart instead of the default ones, and folds all others into `_OTHER`;
    /// case-sensitive. Without it `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` decides.
    pub fn with_known_methods<I>(mut self, methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.options_mut().known_methods = Some(KnownMethods::new(methods));
        self
    }

    /// Redacts the values of these query parameters in `url.query` instead of those of the
    /// default list; case-sensitive.
    pub fn with_sensitive_query_parameters<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        self.options_mut().redaction = UrlRedaction::new(keys);
        self
    }

    /// Captures request headers as `http.request.header.<name>`: names, or patterns with `*`.
    /// Values of headers that carry credentials are redacted even so.
    pub fn with_captured_request_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.options_mut().request_headers =
            HeaderCapture::new(attribute::HTTP_REQUEST_HEADER, names);
        self
    }

    /// Captures response headers as `http.response.header.<name>`: names, or patterns with `*`.
    /// Values of headers that carry credentials are redacted even so.
    pub fn with_captured_response_headers<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.options_mut().response_headers =
            HeaderCapture::new(attribute::HTTP_RESPONSE_HEADER, names);
        self
    }

    /// Counts requests in flight as `http.server.active_requests`.
    pub fn with_active_requests(mut self) -> Self {
        self.options_mut().active_requests = true;
        self
    }

    /// Tells the client the id of the trace in a response header.
    pub fn with_trace_response(mut self, header: TraceResponse) -> Self {
        self.options_mut().trace_response = Some(header);
        self
    }

    /// Writes one `tracing` event of target `otelware::access` for each request at its end: with
    /// request id, method, route, path, status, duration, sizes, outcome and trace id.
    ///
    /// The request id is that of tower-http's request-id layers (its extension with the feature
    /// `request-id`, else the header `x-request-id` of request or response).
    pub fn with_access_log(mut self) -> Self {
        self.options_mut().access_log = true;
        self
    }

    /// Decides what becomes of requests whose client went away: by default `error.type` is
    /// `cancelled` and the span's status stays unset.
    pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.options_mut().cancellation = cancellation;
        self
    }

    /// Decides how long-lived responses such as server-sent events are observed.
    pub fn with_streaming(mut self, streaming: Streaming) -> Self {
        self.options_mut().streaming = streaming;
        self
    }

    /// Leaves gRPC requests to a gRPC layer: those by HTTP/2 and `POST` whose content type is
    /// `application/grpc`, also with a format or parameters (`application/grpc+proto`).
    ///
    /// By default they are observed as any other, until a layer of `otelware-tonic` further in has
    /// observed the first one of the same route, which both do. Say this only of a server all of
    /// whose routes a gRPC layer observes: a client that sends this content type to another goes
    /// unobserved.
    pub fn without_grpc(mut self) -> Self {
        self.options_mut().without_grpc = true;
        self
    }

    /// Names the route of a request where the router does not. It must be a template such as
    /// `/users/{id}`, never a path: it is on metrics too.
    pub fn with_route(
        mut self,
        route: impl Fn(RequestView<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().route = Some(Arc::new(route));
        self
    }

    /// Names spans otherwise than `GET /users/{id}`. Names must have low cardinality.
    pub fn with_span_name(
        mut self,
        name: impl Fn(RequestView<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().span_name = Some(Arc::new(name));
        self
    }

    /// Sets further attributes of the span, before it starts.
    pub fn with_span_attributes(
        mut self,
        attributes: impl Fn(RequestView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().span_attributes = Some(Arc::new(attributes));
        self
    }

    /// Sets further attributes of the span when the response's head is there.
    pub fn with_response_attributes(
        mut self,
        attributes: impl Fn(ResponseView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().response_attributes = Some(Arc::new(attributes));
        self
    }

    /// Adds attributes to all metrics of the request; they must have low cardinality.
    pub fn with_metric_attributes(
        mut self,
        attributes: impl Fn(RequestView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) -> Self {
        self.options_mut().metric_attributes = Some(Arc::new(attributes));
        self
    }
}

impl<S, Bodies> Layer<S> for HttpServerLayer<Bodies> {
    type Service = HttpServer<S, Bodies>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpServer::new(inner, self.server.clone())
    }
}
