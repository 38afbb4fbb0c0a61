//! What all instrumentations of databases can be told.

use crate::operation::{Cancellation, Providers, Signals};
use opentelemetry::{Context, KeyValue, trace::TraceContextExt};
use std::sync::Arc;
use std::time::Duration;

/// How a crate shows an operation to hooks and filters.
pub trait View: 'static {
    /// What they see.
    type Of<'a>: Copy;
}

/// A hook that an operation is shown to.
pub type Hook<V, T> = Arc<dyn Fn(<V as View>::Of<'_>) -> T + Send + Sync>;

/// What all instrumentations of databases can be told; each crate offers it by methods of the same
/// names.
pub struct Options<V: View> {
    /// The providers and the propagator.
    pub providers: Providers,
    /// The pool's name on its metrics.
    pub pool_name: Option<String>,
    /// Whether `db.query.text` is wanted.
    pub query_text: bool,
    /// Whether the wait for a pool's connection has a span.
    pub acquire_spans: bool,
    /// Makes spans only within other spans.
    pub only_with_parent: bool,
    /// Makes no spans for shorter operations, unless they failed.
    pub minimum_duration: Option<Duration>,
    /// Shows the messages of errors.
    pub error_messages: bool,
    /// What becomes of operations that were dropped before they were done.
    pub cancellation: Cancellation,
    /// Which signals an operation produces.
    pub filter: Option<Hook<V, Signals>>,
    /// Further attributes of the span.
    pub span_attributes: Option<Hook<V, Vec<KeyValue>>>,
    /// Further attributes of the metrics.
    pub metric_attributes: Option<Hook<V, Vec<KeyValue>>>,
}

impl<V: View> Options<V> {
    /// The signals that an operation produces in that context.
    pub(super) fn signals(&self, wanted: Signals, parent: &Context) -> Signals {
        match wanted {
            wanted if !self.only_with_parent || !wanted.traces() || parent.has_active_span() => {
                wanted
            }
            wanted if wanted.metrics() => Signals::METRICS,
            _ => Signals::NONE,
        }
    }
}

impl<V: View> Default for Options<V> {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            pool_name: None,
            query_text: true,
            acquire_spans: false,
            only_with_parent: false,
            minimum_duration: None,
            error_messages: false,
            cancellation: Cancellation::Ignore,
            filter: None,
            span_attributes: None,
            metric_attributes: None,
        }
    }
}

impl<V: View> Clone for Options<V> {
    fn clone(&self) -> Self {
        Self {
            providers: self.providers.clone(),
            pool_name: self.pool_name.clone(),
            query_text: self.query_text,
            acquire_spans: self.acquire_spans,
            only_with_parent: self.only_with_parent,
            minimum_duration: self.minimum_duration,
            error_messages: self.error_messages,
            cancellation: self.cancellation,
            filter: self.filter.clone(),
            span_attributes: self.span_attributes.clone(),
            metric_attributes: self.metric_attributes.clone(),
        }
    }
}

impl<V: View> std::fmt::Debug for Options<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("providers", &self.providers)
            .field("pool_name", &self.pool_name)
            .field("query_text", &self.query_text)
            .field("acquire_spans", &self.acquire_spans)
            .field("only_with_parent", &self.only_with_parent)
            .field("minimum_duration", &self.minimum_duration)
            .field("error_messages", &self.error_messages)
            .field("cancellation", &self.cancellation)
            .finish_non_exhaustive()
    }
}

/// Adds to the options of a crate the methods by which every database of the family is told what
/// to do. The type is `#[must_use]`, has a field `shared: Options<V>`, and `$view` is `V::Of<'_>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_database_options {
    ($view:ty) => {
        fn providers_mut(&mut self) -> &mut $crate::operation::Providers {
            &mut self.shared.providers
        }

        $crate::__with_providers!();

        /// The pool's name on its metrics, instead of `address:port/namespace`.
        pub fn with_pool_name(mut self, name: impl Into<String>) -> Self {
            self.shared.pool_name = Some(name.into());
            self
        }

        /// Gives the wait for a connection of the pool a span of its own: `acquire`, of kind
        /// `INTERNAL`, within the operation that waits, if there is one.
        pub fn with_acquire_spans(mut self) -> Self {
            self.shared.acquire_spans = true;
            self
        }

        /// Makes spans only within other spans: none for what a poller does on its own. Metrics
        /// are measured all the same.
        pub fn with_parent_only(mut self) -> Self {
            self.shared.only_with_parent = true;
            self
        }

        /// Makes no spans for operations that took less time than this, unless they failed.
        /// Metrics are measured all the same. Spans are then made at the end of operations: what
        /// the driver logs meanwhile belongs to the span around them.
        pub fn with_minimum_duration(mut self, minimum: std::time::Duration) -> Self {
            self.shared.minimum_duration = Some(minimum);
            self
        }

        /// Shows the message of an error, as the description of the span's status and in the event
        /// of the exception. Such messages may have values in them.
        pub fn with_error_messages(mut self) -> Self {
            self.shared.error_messages = true;
            self
        }

        /// Decides what becomes of operations that were dropped before they were done; by default
        /// nothing is marked.
        pub fn with_cancellation(mut self, cancellation: $crate::operation::Cancellation) -> Self {
            self.shared.cancellation = cancellation;
            self
        }

        /// Decides which signals an operation produces; a `bool` stands for all or none.
        pub fn with_filter<S: Into<$crate::operation::Signals>>(
            mut self,
            filter: impl Fn($view) -> S + Send + Sync + 'static,
        ) -> Self {
            self.shared.filter = Some(std::sync::Arc::new(move |view: $view| filter(view).into()));
            self
        }

        /// Sets further attributes of the span, before it starts.
        pub fn with_span_attributes(
            mut self,
            attributes: impl Fn($view) -> Vec<$crate::opentelemetry::KeyValue> + Send + Sync + 'static,
        ) -> Self {
            self.shared.span_attributes = Some(std::sync::Arc::new(attributes));
            self
        }

        /// Adds attributes to the operation's metrics; they must have low cardinality.
        pub fn with_metric_attributes(
            mut self,
            attributes: impl Fn($view) -> Vec<$crate::opentelemetry::KeyValue> + Send + Sync + 'static,
        ) -> Self {
            self.shared.metric_attributes = Some(std::sync::Arc::new(attributes));
            self
        }
    };
}
