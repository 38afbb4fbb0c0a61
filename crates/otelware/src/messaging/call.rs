//! The life of an operation on a message broker.

use super::client::Client;
use super::route::Route;
use crate::operation::{
    Describe, End, ErrorType, Interned, Label, Operation, Outcome, SeriesKey, bounded,
    extend_replacing,
};
use crate::semconv::{attribute, value};
use opentelemetry::KeyValue;
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

/// What is known of an operation under way.
#[derive(Debug)]
pub struct Call {
    client: Arc<Client>,
    route: Arc<Route>,
    /// How many messages it is about.
    messages: u64,
    /// Whether its message keeps the context that it had.
    has_context: bool,
    partition: Option<Label>,
    /// Whether the span has the partition from its start.
    partition_is_shown: bool,
    message: Option<String>,
    metric_attributes: Vec<KeyValue>,
}

impl Call {
    pub(super) const fn new(
        client: Arc<Client>,
        route: Arc<Route>,
        messages: u64,
        has_context: bool,
        metric_attributes: Vec<KeyValue>,
    ) -> Self {
        Self {
            client,
            route,
            messages,
            has_context,
            partition: None,
            partition_is_shown: false,
            message: None,
            metric_attributes,
        }
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) const fn has_context(&self) -> bool {
        self.has_context
    }

    /// The partition that it is about, once that is known; it is on span and metrics.
    pub fn set_partition(&mut self, partition: Label) {
        // No attribute of a span is set twice.
        if !self.partition_is_shown {
            self.partition = Some(partition);
        }
    }

    /// The partition that it is about, which its span has had among its attributes since it
    /// started; it is on metrics too.
    pub fn set_shown_partition(&mut self, partition: Label) {
        self.partition = Some(partition);
        self.partition_is_shown = true;
    }

    /// Ends an operation with an error of this class.
    pub fn fail(mut operation: Operation<Self>, class: ErrorType, error: &dyn Display) {
        let call = operation.describe_mut();
        let client = call.client.clone();
        // Without a message that has been allowed: nobody knows what it holds.
        if client.options().error_messages {
            call.message = Some(bounded(&error.to_string()).to_owned());
        }
        let call = operation.describe();
        let message = call.message.as_deref().unwrap_or_default();
        client.instrumentation().exception(
            call.route.verb.exception(),
            operation.context(),
            &class,
            &message,
        );
        operation.finish(&Outcome::Error(class));
    }

    fn measure(&self, end: &End<'_>) {
        let running = self.client.running();
        let (route, error) = (&*self.route, end.error_type());
        let partition = self.partition.as_ref();
        let key = match self.metric_attributes.is_empty() {
            true => route.key(error, partition),
            false => None,
        };
        let attributes = || {
            let mut list = route.attributes(error, partition);
            extend_replacing(&mut list, self.metric_attributes.clone());
            list
        };
        let seconds = end.duration().as_secs_f64();
        if route.verb.is_process() {
            running.processing.measure(seconds, key, attributes);
            return;
        }
        running.duration.measure(seconds, key, || {
            let mut list = attributes();
            list.extend(route.verb.class_attribute());
            list
        });
        if route.verb.is_send() {
            running.sent.measure(self.messages, key, attributes);
        }
    }
}

impl Route {
    /// Stands for the attributes of a measurement.
    pub(super) fn key(
        &self,
        error: Option<&ErrorType>,
        partition: Option<&Label>,
    ) -> Option<SeriesKey> {
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        let partition = match partition {
            Some(partition) => partition.id()?,
            None => 0,
        };
        Some([self.id?, error, partition, 0])
    }

    /// The attributes of a measurement.
    pub(super) fn attributes(
        &self,
        error: Option<&ErrorType>,
        partition: Option<&Label>,
    ) -> Vec<KeyValue> {
        let mut list = self.measured.clone();
        if let Some(partition) = partition {
            list.push(KeyValue::new(
                attribute::MESSAGING_DESTINATION_PARTITION_ID,
                partition.value(),
            ));
        }
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        list
    }
}

impl Describe for Call {
    fn end(&mut self, end: &End<'_>) {
        if let Some(span) = end.span()
            && let Some(partition) = &self.partition
            && !self.partition_is_shown
        {
            span.set_attribute(KeyValue::new(
                attribute::MESSAGING_DESTINATION_PARTITION_ID,
                partition.value(),
            ));
        }
        if end.metrics() {
            self.measure(end);
        }
        if *end.outcome() == Outcome::Panicked {
            let exception = self.route.verb.exception();
            let class = value::PANIC.into();
            let instrumentation = self.client.instrumentation();
            instrumentation.exception(exception, end.context(), &class, &"panicked");
        }
    }

    fn status_description(&mut self) -> Cow<'static, str> {
        self.message.take().unwrap_or_default().into()
    }
}
