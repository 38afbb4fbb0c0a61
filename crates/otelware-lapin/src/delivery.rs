//! Messages that were received.

use crate::acker::{Acker, Origin};
use crate::carrier::HeaderExtractor;
use crate::core::verb;
use crate::death;
use crate::destination::Name;
use crate::source::Source;
use lapin::BasicProperties;
use lapin::types::{DeliveryTag, FieldTable, MessageCount, ShortString};
use otelware::messaging::{Envelope, Processing};
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::propagation::Extractor;
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::operation::ErrorType;
use otelware::semconv::attribute;
use std::cell::OnceCell;
use std::ops::{Deref, DerefMut};

/// A message that was received, with the fields of [`lapin::message::Delivery`].
#[derive(Debug, PartialEq)]
pub struct Delivery {
    /// Its number on the channel.
    pub delivery_tag: DeliveryTag,
    /// The exchange that it was published to; empty for the default one.
    pub exchange: ShortString,
    /// The routing key that it was published with.
    pub routing_key: ShortString,
    /// Whether it was delivered before.
    pub redelivered: bool,
    /// Its properties and headers.
    pub properties: BasicProperties,
    /// Its body.
    pub data: Vec<u8>,
    /// What settles it.
    pub acker: Acker,
}

impl Delivery {
    pub(crate) fn new(delivery: lapin::message::Delivery, origin: Origin) -> Self {
        Self {
            delivery_tag: delivery.delivery_tag,
            exchange: delivery.exchange,
            routing_key: delivery.routing_key,
            redelivered: delivery.redelivered,
            properties: delivery.properties,
            data: delivery.data,
            acker: Acker::new(delivery.acker, delivery.delivery_tag, origin),
        }
    }

    /// A delivery that no broker sent, for tests of what handles deliveries.
    #[must_use]
    pub fn mock(
        delivery_tag: DeliveryTag,
        exchange: ShortString,
        routing_key: ShortString,
        redelivered: bool,
        data: Vec<u8>,
    ) -> Self {
        let mock = lapin::message::Delivery::mock;
        let delivery = mock(delivery_tag, exchange, routing_key, redelivered, data);
        let origin = Source::detached().origin(None);
        Self::new(delivery, origin)
    }

    /// lapin's own. It is not watched any more, and settled without a span.
    pub fn into_inner(self) -> lapin::message::Delivery {
        lapin::message::Delivery {
            delivery_tag: self.delivery_tag,
            exchange: self.exchange,
            routing_key: self.routing_key,
            redelivered: self.redelivered,
            properties: self.properties,
            data: self.data,
            acker: self.acker.into_inner(),
        }
    }

    /// Runs the future that processes the message: span `process`, which begins with its first poll
    /// and ends with its result. `Err` is an error of the class named by the error's type.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process<F, T, E>(&self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.start_process().run(future).await
    }

    /// Runs the closure that processes the message, in the same way.
    ///
    /// # Errors
    ///
    /// Those of the closure.
    pub fn process_sync<T, E>(&self, process: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.start_process().run_sync(process)
    }

    /// Begins to process the message: span `process`. It ends with what it is told, or as cancelled
    /// when it is dropped.
    pub fn start_process(&self) -> Processing {
        let state = &self.acker.origin().source.state;
        if state.is_idle() {
            return self.start_process_idle();
        }
        let (name, headers) = (self.name(), self.headers());
        let envelope = Envelope {
            destination: name.destination(),
            headers: headers.as_ref().map(|headers| headers as &dyn Extractor),
            body_size: self.data.len(),
        };
        let client = &state.core.client;
        let processing = client.process(verb::PROCESS, &envelope, |list| self.push(list));
        self.processed_by(&processing);
        processing
    }

    /// The same where nobody wants to know of it: in the message's context.
    fn start_process_idle(&self) -> Processing {
        let (name, none) = (OnceCell::new(), FieldTable::default());
        let destination = || name.get_or_init(|| self.name()).destination();
        let headers = self.headers().unwrap_or(HeaderExtractor(&none));
        let client = &self.acker.origin().source.state.core.client;
        client.process_idle(destination, &headers)
    }

    /// The span of this processing is told with the delivery, if that is never settled.
    pub(crate) fn processed_by(&self, processing: &Processing) {
        let span = processing.context().span().span_context().clone();
        if span.is_valid() {
            let unacknowledged = &self.acker.origin().source.state.unacknowledged;
            unacknowledged.processed_by(self.delivery_tag, self.acker.inner(), span);
        }
    }

    /// Where it came from.
    pub(crate) fn name(&self) -> Name {
        let Origin { source, name, .. } = self.acker.origin();
        let made = || source.name_of(&self.exchange, &self.routing_key);
        name.clone().unwrap_or_else(made)
    }

    /// Says why a delegate failed to process the message, such as `out_of_stock`: a delegate has no
    /// result that could tell. Without a delegate, [`process`](Self::process) has one, and this does
    /// nothing.
    pub fn fail(&self, class: impl Into<ErrorType>) {
        if let Some(failure) = &self.acker.origin().failure {
            // The first reason stands.
            let _ = failure.set(class.into());
        }
    }

    pub(crate) fn headers(&self) -> Option<HeaderExtractor<'_>> {
        self.properties.headers().as_ref().map(HeaderExtractor)
    }

    /// Adds what spans show of the message.
    pub(crate) fn push(&self, list: &mut Vec<KeyValue>) {
        push_message(&self.routing_key, &self.properties, list);
        self.push_tag(list);
        death::push(self.redelivered, &self.properties, list);
    }

    fn push_tag(&self, list: &mut Vec<KeyValue>) {
        let tag = i64::try_from(self.delivery_tag).unwrap_or(i64::MAX);
        list.push(KeyValue::new(attribute::RABBITMQ_MESSAGE_DELIVERY_TAG, tag));
    }
}

/// Adds what spans show of a message, sent or received.
pub(crate) fn push_message(
    routing_key: &ShortString,
    properties: &BasicProperties,
    list: &mut Vec<KeyValue>,
) {
    let mut push = |key: &'static str, text: &str| {
        if !text.is_empty() {
            list.push(KeyValue::new(key, text.to_owned()));
        }
    };
    push(
        attribute::RABBITMQ_DESTINATION_ROUTING_KEY,
        routing_key.as_str(),
    );
    if let Some(id) = properties.message_id() {
        push(attribute::MESSAGING_MESSAGE_ID, id.as_str());
    }
    if let Some(id) = properties.correlation_id() {
        push(attribute::MESSAGING_MESSAGE_CONVERSATION_ID, id.as_str());
    }
}

impl Deref for Delivery {
    type Target = Acker;

    fn deref(&self) -> &Acker {
        &self.acker
    }
}

/// A message that was asked for, with the fields of [`lapin::message::BasicGetMessage`].
#[derive(Debug, PartialEq)]
pub struct BasicGetMessage {
    /// The message.
    pub delivery: Delivery,
    /// How many more there were in the queue.
    pub message_count: MessageCount,
}

impl Deref for BasicGetMessage {
    type Target = Delivery;

    fn deref(&self) -> &Delivery {
        &self.delivery
    }
}

impl DerefMut for BasicGetMessage {
    fn deref_mut(&mut self) -> &mut Delivery {
        &mut self.delivery
    }
}
