//! Queues that live no longer than their connection.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No more names are kept; the latest are, since nobody tells which queues have gone by themselves.
const MOST: usize = 1_024;

/// The names of queues that live no longer than their connection.
#[derive(Debug, Default)]
pub(crate) struct Temporary(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    names: HashSet<Arc<str>>,
    /// In the order they were declared in.
    order: VecDeque<Arc<str>>,
}

impl Temporary {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A queue was declared.
    pub(crate) fn add(&self, queue: &str) {
        let mut inner = self.lock();
        let name: Arc<str> = queue.into();
        if !inner.names.insert(name.clone()) {
            return;
        }
        inner.order.push_back(name);
        if inner.order.len() > MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.names.remove(&oldest);
        }
    }

    /// A queue is no more.
    pub(crate) fn remove(&self, queue: &str) {
        let mut inner = self.lock();
        if inner.names.remove(queue) {
            inner.order.retain(|name| **name != *queue);
        }
    }

    pub(crate) fn contains(&self, queue: &str) -> bool {
        self.lock().names.contains(queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept() {
        let temporary = Temporary::default();
        for number in 0..2_000 {
            temporary.add(&format!("replies-{number}"));
        }
        temporary.add("replies-1999");
        let kept = (0..2_000)
            .filter(|number| temporary.contains(&format!("replies-{number}")))
            .collect::<Vec<_>>();
        assert_eq!(kept, (2_000 - MOST..2_000).collect::<Vec<_>>());
        temporary.remove("replies-1999");
        temporary.remove("unknown");
        assert!(!temporary.contains("replies-1999"));
        temporary.add("replies-1999");
        assert!(temporary.contains("replies-1999"));
        assert_eq!(temporary.lock().order.len(), MOST);
    }
}
