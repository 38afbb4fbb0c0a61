//! The deliveries of a channel that are not settled.

use crate::destination::Name;
use otelware::opentelemetry::trace::SpanContext;
use otelware::operation::{InFlight, Label, Moment};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// No more deliveries of a channel are watched at once. A consumer can't fetch more of them ahead,
/// unless it has no limit and settles none.
const MOST: usize = 65_536;

/// The deliveries of a channel that were handed to the application and are not settled.
#[derive(Debug, Default)]
pub(crate) struct Unacknowledged(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    deliveries: BTreeMap<u64, Entry>,
    /// One of the deliveries since the channel was opened: those of a channel that is closed, or
    /// opened anew, can't be settled any more, and their numbers begin anew.
    since_opened: Option<lapin::Acker>,
    /// Everything up to here was settled at once, what was not yet handed over included.
    settled_to: u64,
}

/// A delivery that is not settled.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) queue: Option<Label>,
    pub(crate) since: Moment,
    /// The span that processes it.
    pub(crate) span: Option<SpanContext>,
    /// Whether it has been reported.
    pub(crate) is_reported: bool,
    pub(crate) _counted: InFlight,
}

/// What a settlement was about.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Where the delivery came from that it names.
    pub(crate) name: Option<Name>,
    /// How many deliveries it settles.
    pub(crate) count: usize,
    /// How long the oldest of them took.
    pub(crate) waited: Option<Duration>,
    /// The queues of those that had been overdue without a report.
    pub(crate) overdue: Vec<Option<Label>>,
}

impl Unacknowledged {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner
            .since_opened
            .as_ref()
            .is_some_and(lapin::Acker::poisoned)
        {
            *inner = Inner::default();
        }
        inner
    }

    /// The same for what is done to the delivery that this settles; not where it is of a channel
    /// that has been closed, or opened anew: then its number is another's.
    fn lock_for(&self, acker: &lapin::Acker) -> Option<MutexGuard<'_, Inner>> {
        let inner = self.lock();
        (!acker.poisoned()).then_some(inner)
    }

    /// A delivery is handed over. (Its entry is made without the lock: who collects metrics takes
    /// that while nobody else can make an instrument.)
    pub(crate) fn add(&self, tag: u64, acker: &lapin::Acker, entry: Entry) {
        let mut inner = self.lock();
        if !acker.usable() || tag <= inner.settled_to || inner.deliveries.len() >= MOST {
            return;
        }
        if inner.since_opened.is_none() {
            inner.since_opened = Some(acker.clone());
        }
        inner.deliveries.insert(tag, entry);
    }

    /// A delivery is settled, or all up to this one; all there are where that is 0. `acker` is the
    /// delivery's own, where that settles it.
    pub(crate) fn settle(
        &self,
        tag: u64,
        multiple: bool,
        acker: Option<&lapin::Acker>,
        timeout: Option<Duration>,
    ) -> Settled {
        let mut settled = Settled::default();
        let inner = match acker {
            Some(acker) => self.lock_for(acker),
            None => Some(self.lock()),
        };
        let Some(mut inner) = inner else {
            return settled;
        };
        let mut settle = |entry: Entry| {
            let waited = entry.since.elapsed();
            settled.count += 1;
            settled.waited = settled.waited.max(Some(waited));
            if timeout.is_some_and(|timeout| waited > timeout) && !entry.is_reported {
                settled.overdue.push(entry.queue);
            }
            settled.name = Some(entry.name);
        };
        match (multiple, tag) {
            (false, tag) => {
                if let Some(entry) = inner.deliveries.remove(&tag) {
                    settle(entry);
                }
            }
            (true, 0) => {
                for (tag, entry) in std::mem::take(&mut inner.deliveries) {
                    inner.settled_to = tag;
                    settle(entry);
                }
            }
            (true, tag) => {
                let rest = match tag.checked_add(1) {
                    Some(next) => inner.deliveries.split_off(&next),
                    None => BTreeMap::new(),
                };
                for (_, entry) in std::mem::replace(&mut inner.deliveries, rest) {
                    settle(entry);
                }
                inner.settled_to = inner.settled_to.max(tag);
            }
        }
        settled
    }

    /// A delivery is settled elsewhere.
    pub(crate) fn forget(&self, tag: u64, acker: &lapin::Acker) {
        if let Some(mut inner) = self.lock_for(acker) {
            inner.deliveries.remove(&tag);
        }
    }

    /// This span processes a delivery.
    pub(crate) fn processed_by(&self, tag: u64, acker: &lapin::Acker, span: SpanContext) {
        if let Some(mut inner) = self.lock_for(acker)
            && let Some(entry) = inner.deliveries.get_mut(&tag)
        {
            entry.span = Some(span);
        }
    }

    /// None of them can be settled any more: they go back to their queues.
    pub(crate) fn clear(&self) {
        *self.lock() = Inner::default();
    }

    /// Leaves out those of a channel that was closed.
    pub(crate) fn prune(&self) {
        drop(self.lock());
    }

    /// Looks at each of them.
    pub(crate) fn for_each(&self, mut look: impl FnMut(u64, &mut Entry)) {
        for (tag, entry) in &mut self.lock().deliveries {
            look(*tag, entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AmqpOptions;
    use crate::core::Core;
    use lapin::message::Delivery;

    fn entry(core: &Core) -> Entry {
        Entry {
            name: Name::unknown(),
            queue: None,
            since: Moment::now(),
            span: None,
            is_reported: false,
            _counted: core.unacknowledged(None),
        }
    }

    fn tags(unacknowledged: &Unacknowledged) -> Vec<u64> {
        let mut tags = Vec::new();
        unacknowledged.for_each(|tag, _| tags.push(tag));
        tags
    }

    #[test]
    fn a_consumer_that_settles_nothing_does_not_fill_the_memory() {
        let (core, unacknowledged) = (Core::new(AmqpOptions::new()), Unacknowledged::default());
        let delivery = Delivery::mock(0, "".into(), "".into(), false, Vec::new());
        for tag in 1..=70_000 {
            unacknowledged.add(tag, &delivery.acker, entry(&core));
        }
        assert_eq!(tags(&unacknowledged).len(), MOST);
        unacknowledged.settle(65_535, true, None, None);
        unacknowledged.add(70_001, &delivery.acker, entry(&core));
        assert_eq!(tags(&unacknowledged), [65_536, 70_001]);
    }

    #[test]
    fn what_was_settled_beforehand_is_not_watched() {
        let (core, unacknowledged) = (Core::new(AmqpOptions::new()), Unacknowledged::default());
        let delivery = Delivery::mock(0, "".into(), "".into(), false, Vec::new());
        let add = |tag| unacknowledged.add(tag, &delivery.acker, entry(&core));
        add(1);
        let settled = unacknowledged.settle(3, true, Some(&delivery.acker), None);
        assert_eq!(settled.count, 1);
        add(2);
        add(3);
        add(4);
        assert_eq!(tags(&unacknowledged), [4]);
        unacknowledged.forget(4, &delivery.acker);
        assert_eq!(tags(&unacknowledged), [0; 0]);
    }
}
