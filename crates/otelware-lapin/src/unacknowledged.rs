//! The deliveries of a channel that are not settled.

use crate::destination::Name;
use otelware::opentelemetry::trace::SpanContext;
use otelware::operation::{InFlight, Label, Moment};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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

    /// A delivery is handed over.
    pub(crate) fn add(&self, tag: u64, acker: &lapin::Acker, entry: impl FnOnce() -> Entry) {
        let mut inner = self.lock();
        if !acker.usable() {
            return;
        }
        if inner.since_opened.is_none() {
            inner.since_opened = Some(acker.clone());
        }
        if tag > inner.settled_to {
            inner.deliveries.insert(tag, entry());
        }
    }

    /// A delivery is settled, or all up to this one; all there are where that is 0.
    pub(crate) fn settle(&self, tag: u64, multiple: bool, timeout: Option<Duration>) -> Settled {
        let mut inner = self.lock();
        let mut settled = Settled::default();
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
    pub(crate) fn forget(&self, tag: u64) {
        self.lock().deliveries.remove(&tag);
    }

    /// This span processes a delivery.
    pub(crate) fn processed_by(&self, tag: u64, span: SpanContext) {
        if let Some(entry) = self.lock().deliveries.get_mut(&tag) {
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
