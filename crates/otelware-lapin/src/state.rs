//! What the handles of a channel share.

use crate::core::Core;
use crate::destination::Names;
use crate::unacknowledged::Unacknowledged;
use lapin::types::ShortString;
use std::sync::{Arc, Mutex, Once, PoisonError};

/// What a channel, its consumers and its deliveries share. It keeps the channel itself not open.
#[derive(Debug)]
pub(crate) struct ChannelState {
    pub(crate) core: Arc<Core>,
    pub(crate) unacknowledged: Unacknowledged,
    /// Where messages are published to.
    pub(crate) published: Names,
    /// The queue that was declared last, which is meant where none is named.
    declared: Mutex<Option<ShortString>>,
    is_watched: Once,
    is_abandoned: Once,
}

impl ChannelState {
    pub(crate) fn new(core: Arc<Core>) -> Arc<Self> {
        Arc::new(Self {
            core,
            unacknowledged: Unacknowledged::default(),
            published: Names::default(),
            declared: Mutex::default(),
            is_watched: Once::new(),
            is_abandoned: Once::new(),
        })
    }

    /// Whether nobody wants to know of anything, which shows after the first operation. What was
    /// kept until then is let go.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        let is_idle = self.core.client.is_idle();
        if is_idle {
            self.is_abandoned.call_once(|| self.unacknowledged.clear());
        }
        is_idle
    }

    /// Deliveries are to be watched from now on.
    pub(crate) fn watch(self: &Arc<Self>) {
        self.is_watched
            .call_once(|| self.core.watcher.add_channel(self));
    }

    pub(crate) fn set_declared(&self, queue: ShortString) {
        *self.declared.lock().unwrap_or_else(PoisonError::into_inner) = Some(queue);
    }

    /// The queue of this name; of none, the one that was declared last.
    pub(crate) fn queue(&self, named: &ShortString) -> ShortString {
        if !named.as_str().is_empty() {
            return named.clone();
        }
        let declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        declared.clone().unwrap_or_default()
    }
}

/// Held by what keeps a channel open. With the last of them the channel closes, and its deliveries
/// go back to their queues.
#[derive(Debug)]
pub(crate) struct Open(pub(crate) Arc<ChannelState>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.unacknowledged.clear();
    }
}
