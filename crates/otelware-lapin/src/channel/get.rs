//! Messages that are asked for one by one.

use super::Channel;
use crate::core::verb;
use crate::delivery::BasicGetMessage;
use crate::error;
use crate::source::Source;
use lapin::Result;
use lapin::options::BasicGetOptions;
use lapin::types::ShortString;
use otelware::messaging::{Call, Envelope};
use otelware::opentelemetry::propagation::Extractor;
use otelware::operation::{Moment, Outcome};

impl Channel {
    /// Asks a queue for a message, as [`lapin::Channel::basic_get`]: span `get`, which is linked to
    /// the message's sender. Where the queue is empty there is a span only
    /// [if so told](crate::AmqpOptions::with_empty_receive_spans).
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_get(
        &self,
        queue: ShortString,
        options: BasicGetOptions,
    ) -> Result<Option<BasicGetMessage>> {
        let source = Source::new(self.state(), &queue, options.no_ack);
        if self.state().is_idle() {
            let got = self.inner.basic_get(queue, options).await?;
            return Ok(got.map(|got| BasicGetMessage {
                delivery: source.hand_over(verb::GET, got.delivery),
                message_count: got.message_count,
            }));
        }
        let started = Moment::now();
        let got = self.inner.basic_get(queue, options).await;
        let core = self.core();
        let (client, name) = (&core.client, source.name());
        let none = |has_span| client.receive_none(verb::GET, name.destination(), started, has_span);
        match got {
            Ok(Some(lapin::message::BasicGetMessage {
                delivery,
                message_count,
                ..
            })) => {
                let delivery = source.hand_over(verb::GET, delivery);
                let (name, headers) = (delivery.name(), delivery.headers());
                let envelope = Envelope {
                    destination: name.destination(),
                    headers: headers.as_ref().map(|headers| headers as &dyn Extractor),
                    body_size: delivery.data.len(),
                };
                let operation = client.receive(verb::GET, &envelope, started, |list| {
                    delivery.push(list);
                });
                operation.finish(&Outcome::Success);
                Ok(Some(BasicGetMessage {
                    delivery,
                    message_count,
                }))
            }
            Ok(None) => {
                none(core.settings.empty_receive_spans).finish(&Outcome::Success);
                Ok(None)
            }
            Err(error) => {
                let operation = none(client.options().receive_spans);
                Call::fail(operation, error::class(&error), &error);
                self.state().unacknowledged.prune();
                Err(error)
            }
        }
    }
}
