//! What the layers can be told.

use crate::address::Address;
use crate::method::Methods;
use crate::role::Role;
use crate::view::CallView;
use otelware::http::HeaderCapture;
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Providers, Signals};
use otelware::propagation::{Destinations, Trust};
use std::sync::Arc;

/// A hook that a call is shown to.
pub(crate) type Hook<T> = Arc<dyn Fn(CallView<'_>) -> T + Send + Sync>;

/// All options of a layer, with their defaults.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) role: Role,
    pub(crate) providers: Providers,
    /// The methods to tell apart, where they are listed.
    pub(crate) known_methods: Option<Vec<String>>,
    pub(crate) request_metadata: HeaderCapture,
    pub(crate) response_metadata: HeaderCapture,
    pub(crate) cancellation: Cancellation,
    pub(crate) active_calls: bool,
    pub(crate) message_events: bool,
    pub(crate) message_counts: bool,
    pub(crate) status_messages: bool,
    pub(crate) filter: Option<Hook<Signals>>,
    pub(crate) span_attributes: Option<Hook<Vec<KeyValue>>>,
    pub(crate) metric_attributes: Option<Hook<Vec<KeyValue>>>,
    /// What a server's callers may say of the trace.
    pub(crate) trust: Option<Hook<Trust>>,
    /// What a client tells its servers.
    pub(crate) destinations: Destinations,
    /// The server that a client calls.
    pub(crate) address: Option<Address>,
}

impl Options {
    /// The defaults.
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            providers: Providers::default(),
            known_methods: None,
            request_metadata: HeaderCapture::default(),
            response_metadata: HeaderCapture::default(),
            cancellation: Cancellation::Ignore,
            active_calls: false,
            message_events: false,
            message_counts: false,
            status_messages: false,
            filter: None,
            span_attributes: None,
            metric_attributes: None,
            trust: None,
            destinations: Destinations::default(),
            address: None,
        }
    }

    /// The methods that are told apart.
    pub(crate) fn methods(&self) -> Methods {
        match &self.known_methods {
            Some(names) => Methods::listed(names.iter().map(String::as_str)),
            None => Methods::unlisted(),
        }
    }

    /// Tells these methods apart besides those that were listed before.
    pub(crate) fn list_methods(&mut self, names: impl IntoIterator<Item = String>) {
        let names = names
            .into_iter()
            .map(|name| name.trim_start_matches('/').to_owned());
        self.known_methods.get_or_insert_default().extend(names);
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("role", &self.role)
            .field("providers", &self.providers)
            .field("known_methods", &self.known_methods)
            .field("request_metadata", &self.request_metadata)
            .field("response_metadata", &self.response_metadata)
            .field("cancellation", &self.cancellation)
            .field("active_calls", &self.active_calls)
            .field("message_events", &self.message_events)
            .field("message_counts", &self.message_counts)
            .field("status_messages", &self.status_messages)
            .field("destinations", &self.destinations)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Adds to a layer, which is `#[must_use]`, the methods that both sides share. The type has a
/// method `options_mut(&mut self) -> &mut Options` and one `providers_mut`.
macro_rules! with_options {
    () => {
        otelware::__with_providers!();

        /// Decides which signals a call produces; a `bool` stands for all or none. Context goes
        /// on all the same.
        ///
        /// ```
        /// # use otelware_tonic::GrpcServerLayer;
        /// let layer = GrpcServerLayer::new()
        ///     .with_filter(|call| !call.is_health_check() && !call.is_reflection());
        /// ```
        pub fn with_filter<S: Into<Signals>>(
            mut self,
            filter: impl Fn(CallView<'_>) -> S + Send + Sync + 'static,
        ) -> Self {
            self.options_mut().filter = Some(Arc::new(move |call| filter(call).into()));
            self
        }

        /// Captures metadata of requests as `rpc.request.metadata.<key>`: keys, or patterns with
        /// `*`. Values of keys that carry credentials are redacted even so; binary values (of
        /// keys that end with `-bin`) are shown in base64, as they are sent.
        pub fn with_captured_request_metadata<I>(mut self, keys: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<str>,
        {
            self.options_mut().request_metadata =
                HeaderCapture::of_metadata(attribute::RPC_REQUEST_METADATA, keys);
            self
        }

        /// Captures metadata of responses, leading and trailing, as
        /// `rpc.response.metadata.<key>`: keys, or patterns with `*`. Values of keys that carry
        /// credentials are redacted even so; binary values (of keys that end with `-bin`) are
        /// shown in base64, as they are sent.
        pub fn with_captured_response_metadata<I>(mut self, keys: I) -> Self
        where
            I: IntoIterator,
            I::Item: AsRef<str>,
        {
            self.options_mut().response_metadata =
                HeaderCapture::of_metadata(attribute::RPC_RESPONSE_METADATA, keys);
            self
        }

        /// Shows the message of a status that is an error as the description of the span's
        /// status. Services must not put anything secret into it.
        pub fn with_status_messages(mut self) -> Self {
            self.options_mut().status_messages = true;
            self
        }

        /// Decides what becomes of calls that were dropped before they were done. Their status
        /// code is `CANCELLED` in any case; by default that is no error, `Mark` adds
        /// `error.type`, and `Error` makes the span's status an error besides.
        pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
            self.options_mut().cancellation = cancellation;
            self
        }

        /// Sets further attributes of the span, before it starts. Those that the end of the call
        /// sets are left out.
        pub fn with_span_attributes(
            mut self,
            attributes: impl Fn(CallView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
        ) -> Self {
            self.options_mut().span_attributes = Some(Arc::new(attributes));
            self
        }

        /// Adds attributes to all metrics of the call; they must have low cardinality.
        pub fn with_metric_attributes(
            mut self,
            attributes: impl Fn(CallView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
        ) -> Self {
            self.options_mut().metric_attributes = Some(Arc::new(attributes));
            self
        }
    };
}

pub(crate) use with_options;
