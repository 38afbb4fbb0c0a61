//! What a client's instrumentation can be told.

use crate::http::{HeaderCapture, KnownMethods, UrlRedaction};
use crate::operation::{Cancellation, Providers, Signals};
use crate::propagation::Destinations;
use crate::semconv::attribute;
use http::{Extensions, HeaderMap, Method};
use opentelemetry::KeyValue;
use std::borrow::Cow;
use std::sync::Arc;

use super::resend::UrlTemplate;

/// What hooks and filters see of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a Method,
    /// The whole URL, redacted.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions.
    pub extensions: &'a Extensions,
}

pub(super) type Hook<T> = Arc<dyn Fn(RequestView<'_>) -> T + Send + Sync>;

/// What a client's instrumentation can be told; each client crate offers it by methods of the
/// same names.
#[derive(Clone)]
pub struct HttpClientOptions {
    pub(super) providers: Providers,
    pub(super) known_methods: Option<KnownMethods>,
    pub(super) redaction: UrlRedaction,
    pub(super) request_headers: HeaderCapture,
    pub(super) response_headers: HeaderCapture,
    pub(super) destinations: Destinations,
    pub(super) cancellation: Cancellation,
    pub(super) active_requests: bool,
    pub(super) body_sizes: bool,
    pub(super) filter: Option<Hook<Signals>>,
    pub(super) url_template: Option<Hook<Option<UrlTemplate>>>,
    pub(super) span_attributes: Option<Hook<Vec<KeyValue>>>,
    pub(super) metric_attributes: Option<Hook<Vec<KeyValue>>>,
}

impl Default for HttpClientOptions {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            known_methods: None,
            redaction: UrlRedaction::default(),
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            destinations: Destinations::default(),
            cancellation: Cancellation::Ignore,
            active_requests: false,
            body_sizes: false,
            filter: None,
            url_template: None,
            span_attributes: None,
            metric_attributes: None,
        }
    }
}

impl std::fmt::Debug for HttpClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClientOptions")
            .field("providers", &self.providers)
            .field("known_methods", &self.known_methods)
            .field("redaction", &self.redaction)
            .field("request_headers", &self.request_headers)
            .field("response_headers", &self.response_headers)
            .field("destinations", &self.destinations)
            .field("cancellation", &self.cancellation)
            .field("active_requests", &self.active_requests)
            .field("body_sizes", &self.body_sizes)
            .finish_non_exhaustive()
    }
}

impl HttpClientOptions {
    /// The providers and the propagator.
    pub const fn providers_mut(&mut self) -> &mut Providers {
        &mut self.providers
    }

    /// The methods that are told apart.
    pub fn set_known_methods(&mut self, methods: KnownMethods) {
        self.known_methods = Some(methods);
    }

    /// The query parameters whose values are redacted.
    pub fn set_sensitive_query_parameters(&mut self, redaction: UrlRedaction) {
        self.redaction = redaction;
    }

    /// The request headers that become span attributes.
    pub fn set_captured_request_headers<I>(&mut self, names: I)
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.request_headers = HeaderCapture::new(attribute::HTTP_REQUEST_HEADER, names);
    }

    /// The response headers that become span attributes.
    pub fn set_captured_response_headers<I>(&mut self, names: I)
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.response_headers = HeaderCapture::new(attribute::HTTP_RESPONSE_HEADER, names);
    }

    /// Which destinations get which context.
    pub fn set_destinations(&mut self, destinations: Destinations) {
        self.destinations = destinations;
    }

    /// What becomes of a request that its caller dropped.
    pub const fn set_cancellation(&mut self, cancellation: Cancellation) {
        self.cancellation = cancellation;
    }

    /// Counts requests in flight.
    pub const fn set_active_requests(&mut self) {
        self.active_requests = true;
    }

    /// Measures the bytes of bodies.
    pub const fn set_body_sizes(&mut self) {
        self.body_sizes = true;
    }

    /// Whether bodies are measured.
    pub const fn body_sizes(&self) -> bool {
        self.body_sizes
    }

    /// How URLs are redacted.
    pub const fn redaction(&self) -> &UrlRedaction {
        &self.redaction
    }

    /// Which signals a request produces.
    pub fn set_filter<S: Into<Signals>>(
        &mut self,
        filter: impl Fn(RequestView<'_>) -> S + Send + Sync + 'static,
    ) {
        self.filter = Some(Arc::new(move |request| filter(request).into()));
    }

    /// Names the template of a request's path.
    pub fn set_url_template<T: Into<Cow<'static, str>>>(
        &mut self,
        template: impl Fn(RequestView<'_>) -> Option<T> + Send + Sync + 'static,
    ) {
        self.url_template = Some(Arc::new(move |request| {
            template(request).map(UrlTemplate::new)
        }));
    }

    /// Further attributes of the span.
    pub fn set_span_attributes(
        &mut self,
        attributes: impl Fn(RequestView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) {
        self.span_attributes = Some(Arc::new(attributes));
    }

    /// Further attributes of the metrics.
    pub fn set_metric_attributes(
        &mut self,
        attributes: impl Fn(RequestView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) {
        self.metric_attributes = Some(Arc::new(attributes));
    }
}

/// Adds to a client's layer or middleware, which is `#[must_use]`, the methods by which it is told
/// its options. The type has a method `options_mut(&mut self) -> &mut HttpClientOptions`.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_http_client_options {
    () => {
        $crate::__with_providers!();

        /// Tells these methods apart instead of the default ones, and folds all others into
        /// `_OTHER`; case-sensitive. Without it `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` decides.
        pub fn with_known_methods<I>(mut self, methods: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<str>,
        {
            self.options_mut()
                .set_known_methods($crate::http::KnownMethods::new(methods));
            self
        }

        /// Redacts the values of these query parameters in `url.full` instead of those of the
        /// default list; case-sensitive.
        pub fn with_sensitive_query_parameters<I>(mut self, keys: I) -> Self
        where
            I: IntoIterator,
            I::Item: Into<::std::borrow::Cow<'static, str>>,
        {
            self.options_mut()
                .set_sensitive_query_parameters($crate::http::UrlRedaction::new(keys));
            self
        }

        /// Captures request headers as `http.request.header.<name>`: names, or patterns with `*`.
        /// Values of headers that carry credentials are redacted even so.
        pub fn with_captured_request_headers<I>(mut self, names: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<str>,
        {
            self.options_mut().set_captured_request_headers(names);
            self
        }

        /// Captures response headers as `http.response.header.<name>`: names, or patterns with
        /// `*`. Values of headers that carry credentials are redacted even so.
        pub fn with_captured_response_headers<I>(mut self, names: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<str>,
        {
            self.options_mut().set_captured_response_headers(names);
            self
        }

        /// Decides which destinations get which context; by default all get everything.
        pub fn with_destinations(
            mut self,
            destinations: $crate::propagation::Destinations,
        ) -> Self {
            self.options_mut().set_destinations(destinations);
            self
        }

        /// Decides what becomes of a request that its caller dropped; by default nothing is
        /// marked, as the semantic conventions have it.
        pub fn with_cancellation(mut self, cancellation: $crate::operation::Cancellation) -> Self {
            self.options_mut().set_cancellation(cancellation);
            self
        }

        /// Counts requests in flight as `http.client.active_requests`.
        pub fn with_active_requests(mut self) -> Self {
            self.options_mut().set_active_requests();
            self
        }

        /// Decides which signals a request produces; a `bool` stands for all or none. Context is
        /// propagated all the same.
        pub fn with_filter<S: Into<$crate::operation::Signals>>(
            mut self,
            filter: impl Fn($crate::http::client::RequestView<'_>) -> S + Send + Sync + 'static,
        ) -> Self {
            self.options_mut().set_filter(filter);
            self
        }

        /// Names the template of a request's path, for `url.template` and the span's name. A
        /// [`UrlTemplate`]($crate::http::client::UrlTemplate) among the request's extensions
        /// comes first.
        pub fn with_url_template<T: Into<::std::borrow::Cow<'static, str>>>(
            mut self,
            template: impl Fn($crate::http::client::RequestView<'_>) -> Option<T>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.options_mut().set_url_template(template);
            self
        }

        /// Sets further attributes of the span, before it starts. Those that the response tells
        /// (status, protocol version, peer, body sizes, `error.type`) are left out.
        pub fn with_span_attributes(
            mut self,
            attributes: impl Fn(
                $crate::http::client::RequestView<'_>,
            ) -> Vec<$crate::opentelemetry::KeyValue>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.options_mut().set_span_attributes(attributes);
            self
        }

        /// Adds attributes to the metrics; they must have low cardinality.
        pub fn with_metric_attributes(
            mut self,
            attributes: impl Fn(
                $crate::http::client::RequestView<'_>,
            ) -> Vec<$crate::opentelemetry::KeyValue>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.options_mut().set_metric_attributes(attributes);
            self
        }
    };
}
