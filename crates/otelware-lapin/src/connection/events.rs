//! What happens to a connection.

use crate::core::Core;
use crate::error;
use futures_core::Stream;
use lapin::Event;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Events, counted as they are taken.
pub(super) struct Counted<S> {
    events: Pin<Box<S>>,
    core: Arc<Core>,
}

impl<S> Counted<S> {
    pub(super) fn new(events: S, core: Arc<Core>) -> Self {
        Self {
            events: Box::pin(events),
            core,
        }
    }
}

impl<S: Stream<Item = Event>> Stream for Counted<S> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let polled = self.events.as_mut().poll_next(cx);
        if let Poll::Ready(Some(event)) = &polled {
            count(&self.core, event);
        }
        polled
    }
}

fn count(core: &Core, event: &Event) {
    let (name, error) = match event {
        Event::Connected => ("connected", None),
        Event::ConnectionBlocked(_) => ("blocked", None),
        Event::ConnectionUnblocked => ("unblocked", None),
        Event::SendFlow(true) => ("flow_resumed", None),
        Event::SendFlow(false) => ("flow_paused", None),
        Event::Error(error) => ("error", Some(error::class(error))),
        _ => (otelware::semconv::value::OTHER, None),
    };
    core.event(name, error.as_ref().map(|class| class.as_str()));
}
