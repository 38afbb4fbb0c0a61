//! One channel of a connection: what it publishes, what it consumes, and what it has not settled.

use super::broker::{Broker, MAXIMUM_BODY, Message, Published, hard, not_implemented, soft};
use super::wire::Wire;
use amq_protocol::frame::AMQPContentHeader;
use amq_protocol::protocol::{
    AMQPClass, AMQPError, AMQPHardError, AMQPSoftError, basic, confirm, queue,
};
use amq_protocol::types::{ChannelId, ShortString};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

const MAXIMUM_CONSUMERS: usize = 16;

/// The most that is delivered and not settled, also where a consumer sets no limit.
const MAXIMUM_UNSETTLED: usize = 2_000;

/// Deliveries are written before so much of them waits.
const MAXIMUM_OUTGOING: usize = 256 * 1024;

/// Why a channel, or its connection, cannot go on.
pub(super) enum Failure {
    Io(io::Error),
    /// What the client is told.
    Protocol(AMQPError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<AMQPError> for Failure {
    fn from(error: AMQPError) -> Self {
        Self::Protocol(error)
    }
}

/// Dropped, its messages are delivered again, to others.
pub(super) struct Channel {
    id: ChannelId,
    broker: Arc<Broker>,
    /// How many messages were published, once confirms are selected.
    confirms: Option<u64>,
    /// For the consumers to come.
    prefetch: u16,
    consumers: BTreeMap<ShortString, Consumer>,
    last_consumer: u64,
    last_delivery: u64,
    unsettled: BTreeMap<u64, Unsettled>,
    publishing: Option<Publishing>,
}

struct Consumer {
    queue: ShortString,
    acknowledges: bool,
    /// None where it is zero.
    prefetch: u16,
    unsettled: usize,
}

struct Unsettled {
    queue: ShortString,
    consumer: Option<ShortString>,
    message: Message,
}

/// A message on its way in.
struct Publishing {
    method: basic::Publish,
    header: Option<AMQPContentHeader>,
    body: Vec<u8>,
}

impl Channel {
    pub(super) fn new(id: ChannelId, broker: Arc<Broker>) -> Self {
        Self {
            id,
            broker,
            confirms: None,
            prefetch: 0,
            consumers: BTreeMap::new(),
            last_consumer: 0,
            last_delivery: 0,
            unsettled: BTreeMap::new(),
            publishing: None,
        }
    }

    pub(super) fn method(&mut self, method: AMQPClass, wire: &mut Wire) -> Result<(), Failure> {
        if self.publishing.is_some() {
            return Err(unexpected().into());
        }
        match method {
            AMQPClass::Basic(method) => self.basic(method, wire),
            AMQPClass::Queue(method) => self.queue(method, wire),
            AMQPClass::Confirm(confirm::AMQPMethod::Select(select)) => {
                self.confirms.get_or_insert(0);
                let selected = confirm::AMQPMethod::SelectOk(confirm::SelectOk {});
                self.answer(wire, select.nowait, AMQPClass::Confirm(selected))
            }
            _ => Err(unknown().into()),
        }
    }

    fn queue(&mut self, method: queue::AMQPMethod, wire: &mut Wire) -> Result<(), Failure> {
        use queue::AMQPMethod;
        let (nowait, answer) = match method {
            AMQPMethod::Declare(declare) => (
                declare.nowait,
                AMQPMethod::DeclareOk(self.broker.declare(declare)?),
            ),
            AMQPMethod::Purge(purge) => {
                let message_count = self.broker.purge(&purge.queue)?;
                let purged = queue::PurgeOk { message_count };
                (purge.nowait, AMQPMethod::PurgeOk(purged))
            }
            _ => return Err(unknown().into()),
        };
        self.answer(wire, nowait, AMQPClass::Queue(answer))
    }

    fn basic(&mut self, method: basic::AMQPMethod, wire: &mut Wire) -> Result<(), Failure> {
        use basic::AMQPMethod;
        match method {
            AMQPMethod::Publish(method) => {
                if !method.exchange.as_str().is_empty() {
                    let text = "there is the exchange without a name, and no other";
                    return Err(soft(AMQPSoftError::NOTFOUND, text).into());
                }
                self.publishing = Some(Publishing {
                    method,
                    header: None,
                    body: Vec::new(),
                });
                Ok(())
            }
            AMQPMethod::Qos(qos) => {
                if qos.global {
                    return Err(not_implemented("a prefetch that consumers share").into());
                }
                self.prefetch = qos.prefetch_count;
                let set = AMQPMethod::QosOk(basic::QosOk {});
                self.answer(wire, false, AMQPClass::Basic(set))
            }
            AMQPMethod::Consume(consume) => self.consume(consume, wire),
            AMQPMethod::Cancel(cancel) => {
                if let Some(consumer) = self.consumers.remove(&cancel.consumer_tag) {
                    self.broker.detach(&consumer.queue);
                }
                let consumer_tag = cancel.consumer_tag;
                let cancelled = AMQPMethod::CancelOk(basic::CancelOk { consumer_tag });
                self.answer(wire, cancel.nowait, AMQPClass::Basic(cancelled))
            }
            AMQPMethod::Get(get) => self.get(get, wire),
            AMQPMethod::Ack(ack) => self.settle(ack.delivery_tag, ack.multiple).map(drop),
            AMQPMethod::Nack(nack) => {
                let settled = self.settle(nack.delivery_tag, nack.multiple)?;
                self.refuse(settled, nack.requeue);
                Ok(())
            }
            AMQPMethod::Reject(reject) => {
                let settled = self.settle(reject.delivery_tag, false)?;
                self.refuse(settled, reject.requeue);
                Ok(())
            }
            _ => Err(unknown().into()),
        }
    }

    fn consume(&mut self, consume: basic::Consume, wire: &mut Wire) -> Result<(), Failure> {
        if consume.exclusive || consume.no_local || !consume.arguments.inner().is_empty() {
            return Err(not_implemented("only consumers without arguments, beside others").into());
        }
        if self.consumers.len() == MAXIMUM_CONSUMERS {
            return Err(hard(AMQPHardError::RESOURCEERROR, "too many consumers").into());
        }
        let consumer_tag = if consume.consumer_tag.as_str().is_empty() {
            self.last_consumer += 1;
            format!("amq.ctag-{}", self.last_consumer).into()
        } else {
            consume.consumer_tag
        };
        if self.consumers.contains_key(&consumer_tag) {
            return Err(hard(AMQPHardError::NOTALLOWED, "the consumer's tag is taken").into());
        }
        self.broker.attach(&consume.queue)?;
        let consumer = Consumer {
            queue: consume.queue,
            acknowledges: !consume.no_ack,
            prefetch: self.prefetch,
            unsettled: 0,
        };
        self.consumers.insert(consumer_tag.clone(), consumer);
        let consumes = basic::AMQPMethod::ConsumeOk(basic::ConsumeOk { consumer_tag });
        self.answer(wire, consume.nowait, AMQPClass::Basic(consumes))
    }

    fn get(&mut self, get: basic::Get, wire: &mut Wire) -> Result<(), Failure> {
        let Some(message) = self.broker.take(&get.queue) else {
            // Which is an error where there is no such queue.
            self.broker.ready(&get.queue)?;
            let empty = basic::AMQPMethod::GetEmpty(basic::GetEmpty {});
            return self.answer(wire, false, AMQPClass::Basic(empty));
        };
        self.last_delivery += 1;
        let got = basic::GetOk {
            delivery_tag: self.last_delivery,
            redelivered: message.redelivered,
            exchange: message.exchange.clone(),
            routing_key: message.routing_key.clone(),
            message_count: self.broker.ready(&get.queue)?,
        };
        wire.push_method(self.id, AMQPClass::Basic(basic::AMQPMethod::GetOk(got)))?;
        wire.push_content(self.id, &message.properties, &message.body)?;
        if !get.no_ack {
            let unsettled = Unsettled {
                queue: get.queue,
                consumer: None,
                message,
            };
            self.unsettled.insert(self.last_delivery, unsettled);
        }
        Ok(())
    }

    pub(super) fn header(
        &mut self,
        header: AMQPContentHeader,
        wire: &mut Wire,
    ) -> Result<(), Failure> {
        let Some(publishing) = &mut self.publishing else {
            return Err(unexpected().into());
        };
        if header.body_size > MAXIMUM_BODY as u64 {
            let text = "the message is too long";
            return Err(soft(AMQPSoftError::CONTENTTOOLARGE, text).into());
        }
        if publishing.header.replace(header).is_some() {
            return Err(unexpected().into());
        }
        self.publish_if_complete(wire)
    }

    pub(super) fn body(&mut self, part: &[u8], wire: &mut Wire) -> Result<(), Failure> {
        match &mut self.publishing {
            Some(Publishing {
                header: Some(header),
                body,
                ..
            }) if (body.len() + part.len()) as u64 <= header.body_size => {
                body.extend_from_slice(part);
            }
            _ => return Err(unexpected().into()),
        }
        self.publish_if_complete(wire)
    }

    fn publish_if_complete(&mut self, wire: &mut Wire) -> Result<(), Failure> {
        let (method, header, body) = match self.publishing.take() {
            Some(Publishing {
                method,
                header: Some(header),
                body,
            }) if body.len() as u64 == header.body_size => (method, header, body),
            incomplete => {
                self.publishing = incomplete;
                return Ok(());
            }
        };
        let message = Message::new(method.exchange, method.routing_key, header.properties, body);
        let published = self.broker.publish(message);
        if let (Published::Unroutable(message), true) = (&published, method.mandatory) {
            let returned = basic::Return {
                reply_code: AMQPSoftError::NOROUTE.get_id(),
                reply_text: "NO_ROUTE".into(),
                exchange: message.exchange.clone(),
                routing_key: message.routing_key.clone(),
            };
            let returned = basic::AMQPMethod::Return(returned);
            wire.push_method(self.id, AMQPClass::Basic(returned))?;
            wire.push_content(self.id, &message.properties, &message.body)?;
        }
        let Some(count) = &mut self.confirms else {
            return Ok(());
        };
        *count += 1;
        let confirm = if matches!(published, Published::Refused) {
            basic::AMQPMethod::Nack(basic::Nack {
                delivery_tag: *count,
                multiple: false,
                requeue: false,
            })
        } else {
            basic::AMQPMethod::Ack(basic::Ack {
                delivery_tag: *count,
                multiple: false,
            })
        };
        self.answer(wire, false, AMQPClass::Basic(confirm))
    }

    /// Delivers what is ready to those consumers that may have more. Whether there may be more to deliver when this
    /// is written.
    pub(super) fn deliver(&mut self, wire: &mut Wire) -> io::Result<bool> {
        for (tag, consumer) in &mut self.consumers {
            let limit = match usize::from(consumer.prefetch) {
                0 => MAXIMUM_UNSETTLED,
                prefetch => prefetch,
            };
            while consumer.unsettled < limit && self.unsettled.len() < MAXIMUM_UNSETTLED {
                if wire.outgoing() > MAXIMUM_OUTGOING {
                    return Ok(true);
                }
                let Some(message) = self.broker.take(&consumer.queue) else {
                    break;
                };
                self.last_delivery += 1;
                let delivered = basic::AMQPMethod::Deliver(basic::Deliver {
                    consumer_tag: tag.clone(),
                    delivery_tag: self.last_delivery,
                    redelivered: message.redelivered,
                    exchange: message.exchange.clone(),
                    routing_key: message.routing_key.clone(),
                });
                wire.push_method(self.id, AMQPClass::Basic(delivered))?;
                wire.push_content(self.id, &message.properties, &message.body)?;
                if consumer.acknowledges {
                    consumer.unsettled += 1;
                    let unsettled = Unsettled {
                        queue: consumer.queue.clone(),
                        consumer: Some(tag.clone()),
                        message,
                    };
                    self.unsettled.insert(self.last_delivery, unsettled);
                }
            }
        }
        Ok(false)
    }

    /// Takes those deliveries that are settled, the last first.
    fn settle(&mut self, delivery_tag: u64, multiple: bool) -> Result<Vec<Unsettled>, Failure> {
        let settled: Vec<Unsettled> = match (multiple, delivery_tag) {
            (true, 0) => std::mem::take(&mut self.unsettled).into_values().collect(),
            (true, last) => {
                let later = self.unsettled.split_off(&last.saturating_add(1));
                let settled = std::mem::replace(&mut self.unsettled, later);
                settled.into_values().collect()
            }
            (false, tag) => self.unsettled.remove(&tag).into_iter().collect(),
        };
        if settled.is_empty() && delivery_tag != 0 {
            let text = "unknown delivery tag";
            return Err(soft(AMQPSoftError::PRECONDITIONFAILED, text).into());
        }
        for unsettled in &settled {
            let consumer = unsettled.consumer.as_ref();
            if let Some(consumer) = consumer.and_then(|tag| self.consumers.get_mut(tag)) {
                consumer.unsettled = consumer.unsettled.saturating_sub(1);
            }
        }
        Ok(settled)
    }

    fn refuse(&self, settled: Vec<Unsettled>, requeue: bool) {
        for Unsettled { queue, message, .. } in settled {
            if requeue {
                self.broker.requeue(&queue, message);
            } else {
                self.broker.reject(&queue, message);
            }
        }
    }

    fn answer(&self, wire: &mut Wire, nowait: bool, answer: AMQPClass) -> Result<(), Failure> {
        if !nowait {
            wire.push_method(self.id, answer)?;
        }
        Ok(())
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        for consumer in self.consumers.values() {
            self.broker.detach(&consumer.queue);
        }
        let unsettled = std::mem::take(&mut self.unsettled);
        self.refuse(unsettled.into_values().collect(), true);
    }
}

pub(super) fn unknown() -> AMQPError {
    not_implemented("this is a stand-in for RabbitMQ")
}

pub(super) fn unexpected() -> AMQPError {
    hard(
        AMQPHardError::UNEXPECTEDFRAME,
        "another frame was to come first",
    )
}
