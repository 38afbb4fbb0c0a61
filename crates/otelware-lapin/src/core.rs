//! What all channels of a connection share.

use crate::settings::{AmqpOptions, Settings};
use crate::temporary::Temporary;
use crate::watcher::Watcher;
use otelware::messaging::{Client, Verb};
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::metrics::{Counter, UpDownCounter};
use otelware::operation::{Instrumentation, Label, Series, SeriesKey};
use otelware::semconv::{attribute, metric, unit};
use std::sync::{Arc, Once, OnceLock};

/// The scope of all telemetry.
const CRATE: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `messaging.system.name`.
pub(crate) const SYSTEM: &str = "rabbitmq";

/// What is done with messages.
pub(crate) mod verb {
    use super::Verb;

    pub(crate) const PUBLISH: Verb = Verb::send("publish");
    pub(crate) const GET: Verb = Verb::receive("get");
    /// Only counted: the broker pushes.
    pub(crate) const CONSUME: Verb = Verb::receive("consume");
    pub(crate) const PROCESS: Verb = Verb::process("process");
    pub(crate) const ACK: Verb = Verb::settle("ack");
    pub(crate) const NACK: Verb = Verb::settle("nack");
    pub(crate) const REJECT: Verb = Verb::settle("reject");
    pub(crate) const CONNECT: Verb = Verb::manage("connect");
    pub(crate) const RECOVER: Verb = Verb::manage("recover");
}

/// The key of a series of which there is only one.
const ONLY: Option<SeriesKey> = Some([0; 4]);

/// What all channels of a connection share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) client: Arc<Client>,
    pub(crate) settings: Settings,
    pub(crate) watcher: Arc<Watcher>,
    /// The system and the server.
    pub(crate) server: Vec<KeyValue>,
    instruments: OnceLock<Instruments>,
    /// Queues that live no longer than this connection.
    pub(crate) temporary: Temporary,
    is_observed: Once,
}

/// Instruments that only RabbitMQ has.
#[derive(Debug)]
struct Instruments {
    unacknowledged: Series<UpDownCounter<i64>>,
    pending_confirms: Series<UpDownCounter<i64>>,
    redelivered: Series<Counter<u64>>,
    dead_lettered: Series<Counter<u64>>,
    overdue: Series<Counter<u64>>,
    events: Series<Counter<u64>>,
}

impl Core {
    pub(crate) fn new(options: AmqpOptions) -> Arc<Self> {
        let broker = options.broker();
        let mut server = vec![KeyValue::new(attribute::MESSAGING_SYSTEM_NAME, SYSTEM)];
        if let Some(address) = &broker.address {
            let address: Arc<str> = address.as_str().into();
            server.push(KeyValue::new(attribute::SERVER_ADDRESS, address));
        }
        if let Some(port) = broker.port {
            server.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
        let watcher = match options.shared.providers.has_global_meter() {
            true => Watcher::global(),
            false => options.watcher,
        };
        Arc::new(Self {
            client: Client::new(CRATE, VERSION, options.shared, broker),
            settings: options.settings,
            watcher,
            server,
            instruments: OnceLock::new(),
            temporary: Temporary::default(),
            is_observed: Once::new(),
        })
    }

    /// There is a first message: from now on the connection is observed, if it was not before.
    #[inline]
    pub(crate) fn observe(&self) {
        self.is_observed.call_once(|| self.watcher.observe(self));
    }

    pub(crate) fn instrumentation(&self) -> &Instrumentation {
        self.client.instrumentation()
    }

    /// One for what is observed of all connections together. It settles nothing: the providers of
    /// this connection may come before its first operation.
    pub(crate) fn watching(&self) -> Instrumentation {
        Instrumentation::new(CRATE, VERSION, &self.client.options().providers)
    }

    fn instruments(&self) -> &Instruments {
        self.instruments.get_or_init(|| {
            let instrumentation = self.instrumentation();
            Instruments {
                unacknowledged: instrumentation.in_flight(
                    metric::RABBITMQ_UNACKNOWLEDGED_DELIVERIES,
                    "Deliveries that were handed to the application and are not settled.",
                    unit::DELIVERIES,
                ),
                pending_confirms: instrumentation.in_flight(
                    metric::RABBITMQ_PENDING_CONFIRMS,
                    "Published messages whose confirms are awaited.",
                    unit::MESSAGES,
                ),
                redelivered: instrumentation.counter(
                    metric::RABBITMQ_REDELIVERED_MESSAGES,
                    "Messages that had been delivered before.",
                    unit::MESSAGES,
                ),
                dead_lettered: instrumentation.counter(
                    metric::RABBITMQ_DEAD_LETTERED_MESSAGES,
                    "Messages that had been dead-lettered before.",
                    unit::MESSAGES,
                ),
                overdue: instrumentation.counter(
                    metric::RABBITMQ_OVERDUE_DELIVERIES,
                    "Deliveries that were not settled in time.",
                    unit::DELIVERIES,
                ),
                events: instrumentation.counter(
                    metric::RABBITMQ_CONNECTION_EVENTS,
                    "What happened to connections.",
                    unit::EVENTS,
                ),
            }
        })
    }

    /// Counts a delivery of this queue until it is settled.
    pub(crate) fn unacknowledged(&self, queue: Option<&Label>) -> otelware::operation::InFlight {
        let (key, attributes) = self.by_queue(queue);
        self.instruments().unacknowledged.count(key, attributes)
    }

    /// Counts a published message until it is confirmed.
    pub(crate) fn pending_confirm(&self) -> otelware::operation::InFlight {
        let pending = &self.instruments().pending_confirms;
        pending.count(ONLY, || self.server.clone())
    }

    pub(crate) fn redelivered(&self, queue: Option<&Label>) {
        let (key, attributes) = self.by_queue(queue);
        self.instruments().redelivered.measure(1, key, attributes);
    }

    /// `reason` is one of a few.
    pub(crate) fn dead_lettered(&self, queue: Option<&Label>, reason: &'static str) {
        let (key, attributes) = self.by_queue(queue);
        let key = key
            .zip(Label::new(reason).id())
            .map(|([queue, ..], reason)| [queue, reason, 0, 0]);
        let dead_lettered = &self.instruments().dead_lettered;
        dead_lettered.measure(1, key, || {
            let mut list = attributes();
            list.push(KeyValue::new(
                attribute::RABBITMQ_DEAD_LETTER_REASON,
                reason,
            ));
            list
        });
    }

    pub(crate) fn overdue(&self, queue: Option<&Label>, count: u64) {
        let (key, attributes) = self.by_queue(queue);
        self.instruments().overdue.measure(count, key, attributes);
    }

    /// Something happened to the connection: one of a few kinds of events, and of errors.
    pub(crate) fn event(&self, event: &'static str, error: Option<&str>) {
        let mut list = self.server.clone();
        list.push(KeyValue::new(attribute::RABBITMQ_CONNECTION_EVENT, event));
        if let Some(error) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, error.to_owned()));
        }
        let events = &self.instruments().events;
        events.measure(1, None, || list.clone());
    }

    /// The attributes of measurements by queue, and what they are known by.
    fn by_queue(
        &self,
        queue: Option<&Label>,
    ) -> (Option<SeriesKey>, impl Fn() -> Vec<KeyValue> + Copy) {
        let key = match queue {
            Some(queue) => queue.id().map(|id| [id, 0, 0, 0]),
            None => ONLY,
        };
        (key, move || self.queue_attributes(queue))
    }

    pub(crate) fn queue_attributes(&self, queue: Option<&Label>) -> Vec<KeyValue> {
        let mut list = self.server.clone();
        if let Some(queue) = queue {
            list.push(KeyValue::new(attribute::RABBITMQ_QUEUE, queue.value()));
        }
        list
    }
}
