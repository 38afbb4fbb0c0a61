//! The queues, which all connections share.

use super::death;
use amq_protocol::protocol::{
    AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError, BasicProperties, queue,
};
use amq_protocol::types::{AMQPValue, FieldTable, ShortString};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

const MAXIMUM_QUEUES: usize = 64;
const MAXIMUM_MESSAGES: usize = 100_000;

/// The longest body of a message.
pub(super) const MAXIMUM_BODY: usize = 64 * 1024;

/// The most that the bodies of one queue take.
const MAXIMUM_BYTES: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its place in its queue.
    place: u64,
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Vec<u8>,
    pub(super) redelivered: bool,
}

impl Message {
    pub(super) fn new(
        exchange: ShortString,
        routing_key: ShortString,
        properties: BasicProperties,
        body: Vec<u8>,
    ) -> Self {
        Self {
            place: 0,
            exchange,
            routing_key,
            properties,
            body,
            redelivered: false,
        }
    }
}

/// What became of a message.
#[derive(Debug)]
pub(super) enum Published {
    Stored,
    /// Its queue is full.
    Refused,
    /// There is no such queue.
    Unroutable(Box<Message>),
}

#[derive(Default)]
pub(super) struct Broker {
    queues: Mutex<BTreeMap<ShortString, Queue>>,
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct Queue {
    arguments: FieldTable,
    /// By their places.
    ready: VecDeque<Message>,
    bytes: usize,
    last_place: u64,
    consumers: u32,
}

impl Queue {
    fn push(&mut self, mut message: Message) -> bool {
        let bytes = self.bytes + message.body.len();
        if self.ready.len() == MAXIMUM_MESSAGES || bytes > MAXIMUM_BYTES {
            return false;
        }
        self.last_place += 1;
        message.place = self.last_place;
        self.bytes = bytes;
        self.ready.push_back(message);
        true
    }

    fn status(&self, name: ShortString) -> queue::DeclareOk {
        queue::DeclareOk {
            queue: name,
            message_count: u32::try_from(self.ready.len()).unwrap_or(u32::MAX),
            consumer_count: self.consumers,
        }
    }
}

impl Broker {
    /// Is told whenever messages may have come into a queue.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(super) fn declare(&self, declare: queue::Declare) -> Result<queue::DeclareOk, AMQPError> {
        let mut queues = self.queues();
        if let Some(queue) = queues.get(&declare.queue) {
            if !declare.passive && queue.arguments != declare.arguments {
                return Err(soft(
                    AMQPSoftError::PRECONDITIONFAILED,
                    "the queue is there with other arguments",
                ));
            }
            return Ok(queue.status(declare.queue));
        }
        if declare.passive {
            return Err(no_queue());
        }
        if declare.exclusive || declare.auto_delete || declare.queue.as_str().is_empty() {
            return Err(not_implemented("only queues with a name, for everybody"));
        }
        let names: Vec<&str> = declare
            .arguments
            .inner()
            .keys()
            .map(ShortString::as_str)
            .collect();
        if !matches!(*names, [] | [DEAD_LETTER_EXCHANGE, DEAD_LETTER_ROUTING_KEY])
            || (!names.is_empty() && dead_letters(&declare.arguments).is_none())
        {
            return Err(not_implemented(
                "of arguments only dead letters to a queue by the default exchange",
            ));
        }
        if queues.len() == MAXIMUM_QUEUES {
            return Err(hard(AMQPHardError::RESOURCEERROR, "too many queues"));
        }
        let queue = queues.entry(declare.queue.clone()).or_default();
        queue.arguments = declare.arguments;
        Ok(queue.status(declare.queue))
    }

    pub(super) fn purge(&self, name: &ShortString) -> Result<u32, AMQPError> {
        let mut queues = self.queues();
        let queue = queues.get_mut(name).ok_or_else(no_queue)?;
        queue.bytes = 0;
        let purged = std::mem::take(&mut queue.ready).len();
        Ok(u32::try_from(purged).unwrap_or(u32::MAX))
    }

    /// Publishes a message to the queue of its routing key, as the exchange without a name does.
    pub(super) fn publish(&self, message: Message) -> Published {
        let stored = match self.queues().get_mut(&message.routing_key) {
            Some(queue) => queue.push(message),
            None => return Published::Unroutable(message.into()),
        };
        if !stored {
            return Published::Refused;
        }
        self.changes.send_replace(());
        Published::Stored
    }

    pub(super) fn take(&self, name: &ShortString) -> Option<Message> {
        let mut queues = self.queues();
        let queue = queues.get_mut(name)?;
        let message = queue.ready.pop_front()?;
        queue.bytes -= message.body.len();
        Some(message)
    }

    /// How many messages are left.
    pub(super) fn ready(&self, name: &ShortString) -> Result<u32, AMQPError> {
        let queues = self.queues();
        let queue = queues.get(name).ok_or_else(no_queue)?;
        Ok(queue.status(name.clone()).message_count)
    }

    /// Puts a message back where it was, to be delivered again.
    pub(super) fn requeue(&self, name: &ShortString, mut message: Message) {
        if let Some(queue) = self.queues().get_mut(name) {
            message.redelivered = true;
            queue.bytes += message.body.len();
            let index = queue
                .ready
                .partition_point(|other| other.place < message.place);
            queue.ready.insert(index, message);
        }
        self.changes.send_replace(());
    }

    /// Sends a message that was rejected to where its queue says, if it does.
    pub(super) fn reject(&self, name: &ShortString, mut message: Message) {
        let target = match self.queues().get(name) {
            Some(queue) => dead_letters(&queue.arguments),
            None => None,
        };
        if let Some(target) = target {
            message.properties = death::record(&message, name);
            message.exchange = ShortString::default();
            message.routing_key = target;
            message.redelivered = false;
            // As in RabbitMQ, what finds no room there is gone.
            drop(self.publish(message));
        }
    }

    /// Counts a consumer of the queue.
    pub(super) fn attach(&self, name: &ShortString) -> Result<(), AMQPError> {
        let mut queues = self.queues();
        queues.get_mut(name).ok_or_else(no_queue)?.consumers += 1;
        Ok(())
    }

    pub(super) fn detach(&self, name: &ShortString) {
        if let Some(queue) = self.queues().get_mut(name) {
            queue.consumers = queue.consumers.saturating_sub(1);
        }
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<ShortString, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";
const DEAD_LETTER_ROUTING_KEY: &str = "x-dead-letter-routing-key";

/// The queue to which the default exchange takes dead letters.
fn dead_letters(arguments: &FieldTable) -> Option<ShortString> {
    let text = |name| match arguments.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    };
    let exchange = text(DEAD_LETTER_EXCHANGE)?;
    let routing_key = ShortString::try_new(text(DEAD_LETTER_ROUTING_KEY)?).ok()?;
    exchange.is_empty().then_some(routing_key)
}

/// An error that ends a channel.
pub(super) fn soft(error: AMQPSoftError, text: &'static str) -> AMQPError {
    AMQPError::new(AMQPErrorKind::Soft(error), text.into())
}

/// An error that ends a connection.
pub(super) fn hard(error: AMQPHardError, text: &'static str) -> AMQPError {
    AMQPError::new(AMQPErrorKind::Hard(error), text.into())
}

pub(super) fn not_implemented(text: &'static str) -> AMQPError {
    hard(AMQPHardError::NOTIMPLEMENTED, text)
}

fn no_queue() -> AMQPError {
    soft(AMQPSoftError::NOTFOUND, "no such queue")
}
