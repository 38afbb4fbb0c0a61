//! What all instrumentations of message brokers can be told.

use super::destination::Destination;
use super::headers::HeaderCapture;
use super::parenting::Parenting;
use crate::operation::{Cancellation, Providers, Signals};
use crate::propagation::{Outbound, Trust};
use opentelemetry::KeyValue;
use opentelemetry::propagation::Extractor;
use std::sync::Arc;

/// A message, or a batch of them, as hooks and filters see it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct MessageView<'a> {
    /// What is done, in the words of the broker: `send`, `process`.
    pub operation: &'static str,
    /// Where the message goes to or comes from.
    pub destination: &'a str,
    /// The message's headers, of a single one.
    pub headers: Option<&'a dyn Extractor>,
}

impl std::fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageView")
            .field("operation", &self.operation)
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

/// What becomes of the context that a message has in its headers already when it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingContext {
    /// The context of the sending takes its place, and is linked to it. So a message that was
    /// received and is sent on leads through this service.
    #[default]
    Replace,
    /// It stays, as the conventions want for one that the program made itself. The sending is
    /// linked to it.
    Preserve,
}

pub(super) type Hook<T> = Arc<dyn Fn(MessageView<'_>) -> T + Send + Sync>;
type ByName<T> = Arc<dyn Fn(&str) -> T + Send + Sync>;

/// What all instrumentations of message brokers can be told; each crate offers it by methods of the
/// same names.
#[derive(Clone)]
pub struct Options {
    /// The providers and the propagator.
    pub providers: Providers,
    /// What becomes of processing that is dropped before it is done.
    pub cancellation: Cancellation,
    /// How far senders are trusted.
    pub trust: Trust,
    /// What brokers may learn.
    pub outbound: Outbound,
    /// What becomes of the context that a message has already.
    pub existing_context: ExistingContext,
    /// Whether bodies are measured.
    pub body_sizes: bool,
    /// Whether asking for messages has spans.
    pub receive_spans: bool,
    /// Whether settlements have spans.
    pub settle_spans: bool,
    /// Shows the messages of errors.
    pub error_messages: bool,
    /// The headers that become attributes.
    pub headers: HeaderCapture,
    /// Whose child processing is, by the name of the destination.
    pub parenting: Option<ByName<Parenting>>,
    /// The template of a destination, by its name.
    pub template: Option<ByName<Option<String>>>,
    /// Which signals an operation produces.
    pub filter: Option<Hook<Signals>>,
    /// Further attributes of the span.
    pub span_attributes: Option<Hook<Vec<KeyValue>>>,
    /// Further attributes of the metrics.
    pub metric_attributes: Option<Hook<Vec<KeyValue>>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            cancellation: Cancellation::Mark,
            trust: Trust::Trusted,
            outbound: Outbound::Everything,
            existing_context: ExistingContext::Replace,
            body_sizes: false,
            receive_spans: false,
            settle_spans: true,
            error_messages: false,
            headers: HeaderCapture::default(),
            parenting: None,
            template: None,
            filter: None,
            span_attributes: None,
            metric_attributes: None,
        }
    }
}

impl Options {
    /// What the name of this destination has in common with others.
    pub(super) fn template(&self, name: &str) -> Option<String> {
        self.template.as_ref().and_then(|template| template(name))
    }

    pub(super) fn parenting<'d>(&self, destination: impl FnOnce() -> Destination<'d>) -> Parenting {
        match &self.parenting {
            Some(parenting) => parenting(destination().name),
            None => Parenting::Auto,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("providers", &self.providers)
            .field("cancellation", &self.cancellation)
            .field("trust", &self.trust)
            .field("outbound", &self.outbound)
            .field("existing_context", &self.existing_context)
            .field("body_sizes", &self.body_sizes)
            .field("receive_spans", &self.receive_spans)
            .field("settle_spans", &self.settle_spans)
            .field("error_messages", &self.error_messages)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// Adds to the options of a crate the methods by which every message broker of the family is told
/// what to do. The type is `#[must_use]` and has a field `shared: Options`.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_messaging_options {
    () => {
        fn providers_mut(&mut self) -> &mut $crate::operation::Providers {
            &mut self.shared.providers
        }

        $crate::__with_providers!();

        /// Decides whose child the processing of a message is; see
        /// [`Parenting`]($crate::messaging::Parenting).
        pub fn with_parenting(self, parenting: $crate::messaging::Parenting) -> Self {
            self.with_parenting_by(move |_| parenting)
        }

        /// Decides it by the name of the destination.
        pub fn with_parenting_by(
            mut self,
            parenting: impl Fn(&str) -> $crate::messaging::Parenting + Send + Sync + 'static,
        ) -> Self {
            self.shared.parenting = Some(std::sync::Arc::new(parenting));
            self
        }

        /// Gives what destinations with ids in their names have in common, such as
        /// `customers.{id}`. It takes the place of the name in names of spans and on metrics. It
        /// is asked for each message, and must always say the same of the same name.
        pub fn with_destination_template(
            mut self,
            template: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        ) -> Self {
            self.shared.template = Some(std::sync::Arc::new(template));
            self
        }

        /// Decides how far the senders of messages are trusted. Those of
        /// [`Public`]($crate::propagation::Trust::Public) messages are linked only, and their
        /// baggage is dropped.
        pub fn with_trust(mut self, trust: $crate::propagation::Trust) -> Self {
            self.shared.trust = trust;
            self
        }

        /// Decides what of the context leaves with messages.
        pub fn with_outbound(mut self, outbound: $crate::propagation::Outbound) -> Self {
            self.shared.outbound = outbound;
            self
        }

        /// Decides what becomes of the context that a message has already when it is sent.
        pub fn with_existing_context(
            mut self,
            existing: $crate::messaging::ExistingContext,
        ) -> Self {
            self.shared.existing_context = existing;
            self
        }

        /// Shows the sizes of bodies on spans.
        pub fn with_body_sizes(mut self) -> Self {
            self.shared.body_sizes = true;
            self
        }

        /// Makes spans for asking the broker for messages too. Each is linked to what it got.
        pub fn with_receive_spans(mut self) -> Self {
            self.shared.receive_spans = true;
            self
        }

        /// Makes no spans for settlements. Metrics are measured all the same.
        pub fn without_settle_spans(mut self) -> Self {
            self.shared.settle_spans = false;
            self
        }

        /// Shows the message of an error, as the description of the span's status and in the event
        /// of the exception.
        pub fn with_error_messages(mut self) -> Self {
            self.shared.error_messages = true;
            self
        }

        /// Shows these headers of messages on spans, as `messaging.header.<name>`. Those that carry
        /// credentials are redacted.
        pub fn with_captured_headers<I>(mut self, names: I) -> Self
        where
            I: IntoIterator,
            I::Item: Into<String>,
        {
            self.shared.headers = $crate::messaging::HeaderCapture::new(names);
            self
        }

        /// Decides what becomes of processing that was dropped before it was done; by default it is
        /// marked.
        pub fn with_cancellation(mut self, cancellation: $crate::operation::Cancellation) -> Self {
            self.shared.cancellation = cancellation;
            self
        }

        /// Decides which signals an operation produces; a `bool` stands for all or none. Context is
        /// propagated in any case.
        pub fn with_filter<S: Into<$crate::operation::Signals>>(
            mut self,
            filter: impl Fn($crate::messaging::MessageView<'_>) -> S + Send + Sync + 'static,
        ) -> Self {
            self.shared.filter = Some(std::sync::Arc::new(
                move |view: $crate::messaging::MessageView<'_>| filter(view).into(),
            ));
            self
        }

        /// Sets further attributes of the span, before it starts.
        pub fn with_span_attributes(
            mut self,
            attributes: impl Fn(
                $crate::messaging::MessageView<'_>,
            ) -> Vec<$crate::opentelemetry::KeyValue>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.shared.span_attributes = Some(std::sync::Arc::new(attributes));
            self
        }

        /// Adds attributes to the operation's metrics; they must have low cardinality.
        pub fn with_metric_attributes(
            mut self,
            attributes: impl Fn(
                $crate::messaging::MessageView<'_>,
            ) -> Vec<$crate::opentelemetry::KeyValue>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.shared.metric_attributes = Some(std::sync::Arc::new(attributes));
            self
        }
    };
}
