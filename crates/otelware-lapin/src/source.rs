//! Where deliveries come from.

use crate::acker::Origin;
use crate::carrier::HeaderExtractor;
use crate::core::verb;
use crate::death::Death;
use crate::delivery::Delivery;
use crate::destination::{Name, Names, is_generated};
use crate::state::ChannelState;
use crate::unacknowledged::Entry;
use lapin::types::ShortString;
use otelware::messaging::Verb;
use otelware::opentelemetry::propagation::Extractor;
use otelware::operation::{Label, Moment};
use std::sync::Arc;

/// The queue that deliveries of a consumer come from, or messages that were asked for.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) state: Arc<ChannelState>,
    pub(crate) queue: ShortString,
    is_anonymous: bool,
    is_temporary: bool,
    /// The queue's name for metrics, where it lasts.
    label: Option<Label>,
    /// Whether deliveries count as settled when they are sent.
    no_ack: bool,
    names: Names,
}

impl Source {
    pub(crate) fn new(state: &Arc<ChannelState>, queue: &ShortString, no_ack: bool) -> Arc<Self> {
        let queue = state.queue(queue);
        let is_anonymous = is_generated(queue.as_str());
        let is_temporary = is_anonymous || state.core.temporary.contains(queue.as_str());
        let lasts = !is_temporary && !queue.as_str().is_empty();
        Arc::new(Self {
            state: state.clone(),
            is_anonymous,
            is_temporary,
            label: lasts
                .then(|| Label::foreign(queue.as_str()))
                .filter(is_bounded),
            queue,
            no_ack,
            names: Names::default(),
        })
    }

    /// Of messages that come from nowhere, as in tests of handlers.
    pub(crate) fn detached() -> Arc<Self> {
        let core = crate::core::Core::new(crate::AmqpOptions::new());
        Self::new(&ChannelState::new(core), &ShortString::default(), true)
    }

    /// What its messages are called together.
    pub(crate) fn name(&self) -> Name {
        Name {
            text: self.queue.as_str().into(),
            is_anonymous: self.is_anonymous,
            is_temporary: self.is_temporary,
        }
    }

    /// Hands a delivery over: it is counted now, and watched until it is settled.
    pub(crate) fn hand_over(
        self: &Arc<Self>,
        verb: Verb,
        delivery: lapin::message::Delivery,
    ) -> Delivery {
        if self.state.is_idle() {
            return Delivery::new(delivery, self.origin(None));
        }
        let name = self.name_of(&delivery.exchange, &delivery.routing_key);
        let (core, queue) = (&self.state.core, self.label.as_ref());
        core.observe();
        let headers = delivery.properties.headers().as_ref().map(HeaderExtractor);
        let headers = headers.as_ref().map(|headers| headers as &dyn Extractor);
        let destination = name.destination();
        core.client
            .consumed_with(verb, &destination, headers, None, 1);
        if delivery.redelivered {
            core.redelivered(queue);
        }
        if let Some(death) = Death::of(&delivery.properties) {
            core.dead_lettered(queue, death.reason);
        }
        if !self.no_ack {
            self.state.watch();
            let unacknowledged = &self.state.unacknowledged;
            let entry = Entry {
                name: name.clone(),
                queue: self.label.clone(),
                since: Moment::now(),
                span: None,
                is_reported: false,
                _counted: core.unacknowledged(queue),
            };
            unacknowledged.add(delivery.delivery_tag, &delivery.acker, entry);
        }
        Delivery::new(delivery, self.origin(Some(name)))
    }

    /// Where a message comes from that was published so.
    pub(crate) fn name_of(&self, exchange: &ShortString, routing_key: &ShortString) -> Name {
        let queue = self.queue.as_str();
        Name {
            text: self.names.consumed(exchange, routing_key, queue),
            is_anonymous: self.is_anonymous,
            is_temporary: self.is_temporary,
        }
    }

    /// What is known of a delivery besides what it says itself.
    pub(crate) fn origin(self: &Arc<Self>, name: Option<Name>) -> Origin {
        Origin {
            source: self.clone(),
            name,
            failure: None,
        }
    }

    /// Hands a delivery of a consumer over.
    pub(crate) fn consume(self: &Arc<Self>, delivery: lapin::message::Delivery) -> Delivery {
        self.hand_over(verb::CONSUME, delivery)
    }
}

/// Whether a name is one of the many that there is room for.
fn is_bounded(label: &Label) -> bool {
    label.id().is_some()
}
