//! What is published.

use super::Channel;
use crate::carrier::{HeaderExtractor, Headers};
use crate::confirm::PublisherConfirm;
use crate::core::verb;
use crate::delivery::push_message;
use crate::error;
use lapin::options::BasicPublishOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Result};
use otelware::messaging::{Call, Envelope};
use otelware::opentelemetry::Context;
use otelware::opentelemetry::propagation::Extractor;
use otelware::operation::{Operation, Outcome};

impl Channel {
    /// Publishes a message, as [`lapin::Channel::basic_publish`]: span `publish`, whose context goes
    /// with the message. It ends with the broker's confirm, or, where the channel is not in confirm
    /// mode, when the message is written.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_publish(
        &self,
        exchange: ShortString,
        routing_key: ShortString,
        options: BasicPublishOptions,
        payload: &[u8],
        properties: BasicProperties,
    ) -> Result<PublisherConfirm> {
        if self.state().is_idle() {
            let properties = self.pass_context_on(properties);
            let publishing =
                self.inner
                    .basic_publish(exchange, routing_key, options, payload, properties);
            return publishing.await.map(PublisherConfirm::unobserved);
        }
        let (mut operation, properties) =
            self.begin_publishing(&exchange, &routing_key, payload.len(), properties);
        let publishing =
            self.inner
                .basic_publish(exchange, routing_key, options, payload, properties);
        match operation.within(publishing).await {
            Ok(confirm) if self.inner.status().confirm() => Ok(PublisherConfirm::awaited(
                confirm,
                operation,
                self.core().pending_confirm(),
            )),
            Ok(confirm) => {
                operation.finish(&Outcome::Success);
                Ok(PublisherConfirm::unobserved(confirm))
            }
            Err(error) => {
                Call::fail(operation, error::class(&error), &error);
                self.state().unacknowledged.prune();
                Err(error)
            }
        }
    }

    /// Begins to publish a message, and puts the context into its properties.
    fn begin_publishing(
        &self,
        exchange: &ShortString,
        routing_key: &ShortString,
        body_size: usize,
        properties: BasicProperties,
    ) -> (Operation<Call>, BasicProperties) {
        let core = self.core();
        core.observe();
        let name = self
            .state()
            .published
            .published(exchange, routing_key, |queue| {
                core.temporary.contains(queue)
            });
        let headers = properties.headers().as_ref();
        let extractor = headers.map(HeaderExtractor);
        let envelope = Envelope {
            destination: name.destination(),
            headers: extractor.as_ref().map(|headers| headers as &dyn Extractor),
            body_size,
        };
        let operation = core.client.send(verb::PUBLISH, &envelope, |list| {
            push_message(routing_key, &properties, list);
        });
        let mut headers = Headers::of(headers);
        core.client.inject(&operation, &mut headers);
        let changed = headers.changed();
        (operation, with_changed(properties, changed))
    }

    /// Puts the current context into the properties of a message, where nobody wants to know of its
    /// publishing.
    fn pass_context_on(&self, properties: BasicProperties) -> BasicProperties {
        let client = &self.core().client;
        let headers = properties.headers().as_ref();
        if headers.is_some_and(|headers| client.keeps_context(&HeaderExtractor(headers))) {
            return properties;
        }
        let mut headers = Headers::of(headers);
        client.pass_on(&Context::current(), &mut headers);
        let changed = headers.changed();
        with_changed(properties, changed)
    }
}

/// The properties with these headers in the place of their own, if there are any.
fn with_changed(properties: BasicProperties, headers: Option<FieldTable>) -> BasicProperties {
    match headers {
        Some(headers) => properties.with_headers(headers),
        None => properties,
    }
}
