//! The instruments of one client of a message broker, and what it begins.

use super::call::Call;
use super::destination::Destination;
use super::options::{ExistingContext, Hook, MessageView, Options};
use super::parenting::{Linked, Links};
use super::processing::Processing;
use super::route::{Route, Routes};
use super::verb::Verb;
use crate::operation::{
    Cancellation, Family, Instrumentation, Label, Lazily, Moment, Operation, Series, Signals,
    Start, bounded, extend_replacing,
};
use crate::propagation::Trust;
use crate::semconv::{attribute, boundaries, metric, unit};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{Link, SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use std::borrow::Cow;
use std::sync::Arc;

/// Attributes that an operation sets by itself, some at its end, which hooks can't set.
const RESERVED: [&str; 6] = [
    attribute::ERROR_TYPE,
    attribute::KAFKA_OFFSET,
    attribute::MESSAGING_DESTINATION_PARTITION_ID,
    attribute::MESSAGING_OPERATION_NAME,
    attribute::MESSAGING_OPERATION_TYPE,
    attribute::MESSAGING_SYSTEM_NAME,
];

/// What is known of a client before it is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// `messaging.system.name`.
    pub system: &'static str,
    /// The host, where there is only one.
    pub address: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// `messaging.client.id`.
    pub client_id: Option<String>,
    /// `messaging.consumer.group.name`.
    pub consumer_group: Option<String>,
}

/// A client of a message broker: all its operations begin here. Clones of a producer, and the
/// handles of a consumer, share one.
#[derive(Debug)]
pub struct Client {
    settled: Lazily<Options, Running>,
    crate_name: &'static str,
    crate_version: &'static str,
    broker: Broker,
}

/// What is needed at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) instrumentation: Instrumentation,
    pub(super) duration: Series<Histogram<f64>>,
    pub(super) processing: Series<Histogram<f64>>,
    pub(super) sent: Series<Counter<u64>>,
    consumed: Series<Counter<u64>>,
    routes: Routes,
}

/// What a span shows of a message before anything is done to it.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    /// Where it goes to or comes from.
    pub destination: Destination<'a>,
    /// Its headers, where it has any.
    pub headers: Option<&'a dyn Extractor>,
    /// The bytes of its body.
    pub body_size: usize,
}

impl std::fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("destination", &self.destination)
            .field("body_size", &self.body_size)
            .finish_non_exhaustive()
    }
}

/// A message of a batch.
pub struct Received<'a> {
    /// Its headers, where it has any.
    pub headers: Option<&'a dyn Extractor>,
    /// What only this message of the batch has, for its link.
    pub attributes: Vec<KeyValue>,
}

impl std::fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received")
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

/// What begins, but for its context.
#[derive(Clone, Copy)]
struct Beginning<'a> {
    verb: Verb,
    destination: Destination<'a>,
    headers: Option<&'a dyn Extractor>,
    body_size: Option<usize>,
    messages: u64,
    is_batch: bool,
    has_context: bool,
    signals: Signals,
    started: Moment,
}

impl<'a> Beginning<'a> {
    fn now(verb: Verb, destination: Destination<'a>) -> Self {
        Self {
            verb,
            destination,
            headers: None,
            body_size: None,
            messages: 1,
            is_batch: false,
            has_context: false,
            signals: Signals::ALL,
            started: Moment::now(),
        }
    }

    fn with(verb: Verb, message: &Envelope<'a>) -> Self {
        Self {
            headers: message.headers,
            body_size: Some(message.body_size),
            ..Self::now(verb, message.destination)
        }
    }
}

impl Client {
    /// A client of that broker, instrumented by the crate of this name and version.
    pub fn new(
        crate_name: &'static str,
        crate_version: &'static str,
        options: Options,
        broker: Broker,
    ) -> Arc<Self> {
        Arc::new(Self {
            settled: Lazily::new(options),
            crate_name,
            crate_version,
            broker,
        })
    }

    /// The options.
    pub const fn options(&self) -> &Options {
        self.settled.options()
    }

    /// What is known of the broker.
    pub const fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The instrumentation, for what only one broker has.
    pub fn instrumentation(&self) -> &Instrumentation {
        &self.running().instrumentation
    }

    /// What is needed at work, made at the first use.
    #[inline]
    pub(super) fn running(&self) -> &Running {
        self.settled.get_or_make(|options| {
            let instrumentation =
                Instrumentation::new(self.crate_name, self.crate_version, &options.providers);
            let counter = |name, text| instrumentation.counter(name, text, unit::MESSAGES);
            let durations =
                |name, text| instrumentation.durations(name, text, &boundaries::REQUEST_SECONDS);
            Running {
                duration: durations(
                    metric::MESSAGING_CLIENT_OPERATION_DURATION,
                    "Duration of messaging operation initiated by a producer or consumer client.",
                ),
                processing: durations(
                    metric::MESSAGING_PROCESS_DURATION,
                    "Duration of processing operation.",
                ),
                sent: counter(
                    metric::MESSAGING_CLIENT_SENT_MESSAGES,
                    "Number of messages producer attempted to send to the broker.",
                ),
                consumed: counter(
                    metric::MESSAGING_CLIENT_CONSUMED_MESSAGES,
                    "Number of messages that were delivered to the application.",
                ),
                routes: Routes::default(),
                instrumentation,
            }
        })
    }

    fn route(&self, verb: Verb, destination: &Destination<'_>) -> Arc<Route> {
        let running = self.running();
        running
            .routes
            .get(verb, destination, &self.broker, self.options())
    }

    /// Begins to send a message. `attributes` adds what the span alone has.
    pub fn send(
        self: &Arc<Self>,
        verb: Verb,
        message: &Envelope<'_>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        self.send_all(verb, message, 1, false, attributes)
    }

    /// Begins to send messages at once, which all get the same context.
    pub fn send_batch(
        self: &Arc<Self>,
        verb: Verb,
        messages: &Envelope<'_>,
        count: usize,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        self.send_all(verb, messages, count, true, attributes)
    }

    fn send_all(
        self: &Arc<Self>,
        verb: Verb,
        message: &Envelope<'_>,
        count: usize,
        is_batch: bool,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let created = message.headers.and_then(|headers| self.created(headers));
        let has_context =
            created.is_some() && self.options().existing_context == ExistingContext::Preserve;
        let beginning = Beginning {
            messages: u64::try_from(count).unwrap_or(u64::MAX),
            is_batch,
            has_context,
            ..Beginning::with(verb, message)
        };
        let links = created.map(Link::with_context);
        self.begin(beginning, Context::current(), links, attributes)
    }

    /// Writes the context of a sending into its message, unless the one that is there stays.
    pub fn inject(&self, sending: &Operation<Call>, carrier: &mut dyn Injector) {
        if sending.describe().has_context() {
            return;
        }
        self.pass_on(sending.context(), carrier);
    }

    /// A message was asked for, then, and came. Its span is made only now, since links are known
    /// at the start; it is to be finished at once.
    pub fn receive(
        self: &Arc<Self>,
        verb: Verb,
        message: &Envelope<'_>,
        started: Moment,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let mut links = Links::default();
        if let Some(created) = message.headers.and_then(|headers| self.created(headers)) {
            links.push(created, Vec::new());
        }
        let beginning = Beginning {
            started,
            signals: Self::signals(self.options().receive_spans),
            ..Beginning::with(verb, message)
        };
        self.begin_linked(beginning, links, attributes)
    }

    /// A message was asked for, then, and none came: there was none, or it failed. Such a call has a
    /// span only where that is wanted.
    pub fn receive_none(
        self: &Arc<Self>,
        verb: Verb,
        destination: Destination<'_>,
        started: Moment,
        has_span: bool,
    ) -> Operation<Call> {
        let beginning = Beginning {
            started,
            messages: 0,
            signals: Self::signals(has_span),
            ..Beginning::now(verb, destination)
        };
        self.begin(beginning, Context::current(), None, |_| {})
    }

    /// Counts messages that are handed to the application before anything is known of them but where
    /// they come from.
    pub fn consumed(
        &self,
        verb: Verb,
        destination: &Destination<'_>,
        partition: Option<&Label>,
        count: u64,
    ) {
        self.consumed_with(verb, destination, None, partition, count);
    }

    /// Counts messages that are handed to the application, with the headers of a single one.
    pub fn consumed_with(
        &self,
        verb: Verb,
        destination: &Destination<'_>,
        headers: Option<&dyn Extractor>,
        partition: Option<&Label>,
        count: u64,
    ) {
        let view = MessageView {
            operation: verb.name(),
            destination: destination.name,
            headers,
        };
        if let Some(filter) = &self.options().filter
            && !filter(view).metrics()
        {
            return;
        }
        let route = self.route(verb, destination);
        let consumed = &self.running().consumed;
        let Some(hook) = &self.options().metric_attributes else {
            let key = route.key(None, partition);
            return consumed.measure(count, key, || route.attributes(None, partition));
        };
        consumed.measure(count, None, || {
            let mut list = route.attributes(None, partition);
            extend_replacing(&mut list, allowed(hook(view)));
            list
        });
    }

    /// Begins to process a message.
    pub fn process(
        self: &Arc<Self>,
        verb: Verb,
        message: &Envelope<'_>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Processing {
        let (parent, links) = match (message.headers, self.options().trust) {
            (None, _) => (Context::current(), [None, None]),
            (Some(headers), Trust::Public) => (Context::current(), [self.created(headers), None]),
            (Some(headers), Trust::Trusted) => self.parent(|| message.destination, headers),
        };
        let links = links.into_iter().flatten().map(Link::with_context);
        let beginning = Beginning::with(verb, message);
        Processing::new(self.begin(beginning, parent, links, attributes))
    }

    /// Begins to process a batch of messages, to whose senders its span is linked.
    pub fn process_batch<'m>(
        self: &Arc<Self>,
        verb: Verb,
        destination: Destination<'_>,
        messages: impl IntoIterator<Item = Received<'m>>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Processing {
        if self.is_idle() {
            return Processing::idle(Context::current());
        }
        let (links, count) = self.links(messages);
        let beginning = Beginning {
            messages: count,
            is_batch: true,
            ..Beginning::now(verb, destination)
        };
        Processing::new(self.begin_linked(beginning, links, attributes))
    }

    /// Begins to settle a message, or several at once.
    pub fn settle(
        self: &Arc<Self>,
        verb: Verb,
        destination: Destination<'_>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let beginning = Beginning {
            signals: Self::signals(self.options().settle_spans),
            ..Beginning::now(verb, destination)
        };
        self.begin(beginning, Context::current(), None, attributes)
    }

    /// Begins what is neither sent nor received: a step of a transaction, for one.
    pub fn manage(
        self: &Arc<Self>,
        verb: Verb,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let beginning = Beginning::now(verb, Destination::named(""));
        self.begin(beginning, Context::current(), None, attributes)
    }

    /// The signals of operations whose spans are an option.
    const fn signals(has_spans: bool) -> Signals {
        if has_spans {
            Signals::ALL
        } else {
            Signals::METRICS
        }
    }

    /// The links to the senders of messages, and how many messages there are.
    fn links<'m>(&self, messages: impl IntoIterator<Item = Received<'m>>) -> (Links, u64) {
        let (mut links, mut count) = (Links::default(), 0);
        for message in messages {
            count += 1;
            if let Some(created) = message.headers.and_then(|headers| self.created(headers)) {
                links.push(created, message.attributes);
            }
        }
        (links, count)
    }

    /// Where the processing of a message begins whose sender is trusted, and what it is linked to.
    pub(super) fn parent<'d>(
        &self,
        destination: impl FnOnce() -> Destination<'d>,
        headers: &dyn Extractor,
    ) -> (Context, Linked) {
        let (options, current) = (self.options(), Context::current());
        let remote = options
            .providers
            .with_propagator(|propagator| propagator.extract_with_context(&current, headers));
        options.parenting(destination).apply(current, remote)
    }

    /// The span that a message's headers name.
    pub(super) fn created(&self, headers: &dyn Extractor) -> Option<SpanContext> {
        let remote = self.options().providers.with_propagator(|propagator| {
            propagator.extract_with_context(&Context::new(), headers)
        });
        let created = remote.span().span_context().clone();
        created.is_valid().then_some(created)
    }

    fn begin_linked(
        self: &Arc<Self>,
        beginning: Beginning<'_>,
        links: Links,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let (links, left_out) = links.into_parts();
        self.begin(beginning, Context::current(), links, |list| {
            if left_out > 0 {
                let left_out = i64::try_from(left_out).unwrap_or(i64::MAX);
                list.push(KeyValue::new(
                    attribute::MESSAGING_UNLINKED_MESSAGES,
                    left_out,
                ));
            }
            attributes(list);
        })
    }

    fn begin(
        self: &Arc<Self>,
        beginning: Beginning<'_>,
        parent: Context,
        links: impl IntoIterator<Item = Link>,
        attributes: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Operation<Call> {
        let Beginning {
            verb,
            destination,
            headers,
            body_size,
            messages,
            is_batch,
            has_context,
            signals,
            started,
        } = beginning;
        let options = self.options();
        let view = MessageView {
            operation: verb.name(),
            destination: destination.name,
            headers,
        };
        let signals = match &options.filter {
            Some(filter) => signals & filter(view),
            None => signals,
        };
        let ask = |hook: &Option<Hook<Vec<KeyValue>>>, wanted: bool| match hook {
            Some(hook) if wanted => allowed(hook(view)),
            _ => Vec::new(),
        };
        let span_attributes = ask(&options.span_attributes, signals.traces());
        let metric_attributes = ask(&options.metric_attributes, signals.metrics());
        let route = self.route(verb, &destination);
        let running = self.running();
        let instrumentation = &running.instrumentation;
        let (links, late) = match instrumentation.attributes_wait(&parent) {
            true => (Vec::new(), Some(links)),
            false => (links.into_iter().collect(), None),
        };
        let start = Start {
            name: match &route.name {
                Label::Interned(name) => Cow::Borrowed(name.as_str()),
                name => Cow::Owned(name.as_str().to_owned()),
            },
            kind: verb.kind(has_context),
            family: Family::Messaging,
            parent,
            links,
            signals,
            cancellation: match verb.is_process() {
                true => options.cancellation,
                false => Cancellation::Ignore,
            },
            in_flight: None,
            minimum_duration: None,
        };
        let call = Call::new(
            self.clone(),
            route,
            messages,
            has_context,
            metric_attributes,
        );
        let operation = instrumentation.start_at(started, start, call, |call, list| {
            list.extend_from_slice(&call.route().span);
            if !call.route().has_name && !destination.name.is_empty() {
                list.push(KeyValue::new(
                    attribute::MESSAGING_DESTINATION_NAME,
                    bounded(destination.name).to_owned(),
                ));
            }
            if is_batch {
                let count = i64::try_from(messages).unwrap_or(i64::MAX);
                list.push(KeyValue::new(
                    attribute::MESSAGING_BATCH_MESSAGE_COUNT,
                    count,
                ));
            }
            if let Some(size) = body_size.filter(|_| options.body_sizes) {
                let size = i64::try_from(size).unwrap_or(i64::MAX);
                list.push(KeyValue::new(attribute::MESSAGING_MESSAGE_BODY_SIZE, size));
            }
            if let Some(headers) = headers {
                options.headers.push(headers, list);
            }
            attributes(list);
            extend_replacing(list, span_attributes);
        });
        if operation.is_recording() {
            for link in late.into_iter().flatten() {
                let span = operation.context().span();
                span.add_link(link.span_context, link.attributes);
            }
        }
        operation
    }
}

/// The attributes of a hook without those that must stay as they are.
fn allowed(mut attributes: Vec<KeyValue>) -> Vec<KeyValue> {
    attributes.retain(|attribute| !RESERVED.contains(&attribute.key.as_str()));
    attributes
}
