//! What the server's layer can be told.

use super::forwarded::TrustedProxies;
use super::scheme::Scheme;
use super::streaming::Streaming;
use super::trace_response::TraceResponse;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri, Version};
use otelware::http::{HeaderCapture, KnownMethods, UrlRedaction};
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Providers, Signals};
use otelware::propagation::Trust;
use std::net::SocketAddr;
use std::sync::Arc;

/// A request as hooks and filters see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The version of the protocol.
    pub version: Version,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions.
    pub extensions: &'a Extensions,
}

/// A response as hooks see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ResponseView<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions.
    pub extensions: &'a Extensions,
}

/// The address of the connection's peer, among a request's extensions. With the feature `axum`
/// its `ConnectInfo<SocketAddr>` serves as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// A hook that a request is shown to.
pub(super) type OnRequest<T> = Arc<dyn Fn(RequestView<'_>) -> T + Send + Sync>;
/// A hook that a response is shown to.
pub(super) type OnResponse<T> = Arc<dyn Fn(ResponseView<'_>) -> T + Send + Sync>;

/// All options of the layer, with their defaults.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) providers: Providers,
    pub(super) known_methods: Option<KnownMethods>,
    pub(super) redaction: UrlRedaction,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) proxies: TrustedProxies,
    pub(super) scheme: Scheme,
    pub(super) trust: Option<OnRequest<Trust>>,
    pub(super) cancellation: Cancellation,
    pub(super) active_requests: bool,
    pub(super) body_sizes: bool,
    pub(super) access_log: bool,
    pub(super) without_grpc: bool,
    pub(super) trace_response: Option<TraceResponse>,
    pub(super) streaming: Streaming,
    pub(super) filter: Option<OnRequest<Signals>>,
    pub(super) route: Option<OnRequest<Option<String>>>,
    pub(super) span_name: Option<OnRequest<Option<String>>>,
    pub(super) span_attributes: Option<OnRequest<Vec<KeyValue>>>,
    pub(super) metric_attributes: Option<OnRequest<Vec<KeyValue>>>,
    pub(super) response_attributes: Option<OnResponse<Vec<KeyValue>>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            known_methods: None,
            redaction: UrlRedaction::default(),
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            proxies: TrustedProxies::none(),
            scheme: Scheme::Http,
            trust: None,
            cancellation: Cancellation::Mark,
            active_requests: false,
            body_sizes: false,
            access_log: false,
            without_grpc: false,
            trace_response: None,
            streaming: Streaming::whole_body(),
            filter: None,
            route: None,
            span_name: None,
            span_attributes: None,
            metric_attributes: None,
            response_attributes: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("providers", &self.providers)
            .field("known_methods", &self.known_methods)
            .field("redaction", &self.redaction)
            .field("request_headers", &self.request_headers)
            .field("response_headers", &self.response_headers)
            .field("proxies", &self.proxies)
            .field("scheme", &self.scheme)
            .field("cancellation", &self.cancellation)
            .field("active_requests", &self.active_requests)
            .field("body_sizes", &self.body_sizes)
            .field("access_log", &self.access_log)
            .field("without_grpc", &self.without_grpc)
            .field("trace_response", &self.trace_response)
            .field("streaming", &self.streaming)
            .finish_non_exhaustive()
    }
}
