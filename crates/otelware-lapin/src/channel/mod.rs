//! Channels.

mod consume;
mod declare;
mod get;
mod publish;
mod settle;

use crate::batch;
use crate::connection::manage;
use crate::core::{Core, verb};
use crate::delivery::Delivery;
use crate::destination::Name;
use crate::state::{ChannelState, Open};
use lapin::options::{BasicRecoverAsyncOptions, BasicRecoverOptions};
use lapin::types::{ReplyCode, ShortString};
use lapin::{Error, Result};
use otelware::messaging::Processing;
use std::ops::Deref;
use std::sync::Arc;

/// A channel that observes what is published, received and settled on it, as [`lapin::Channel`].
/// What is not here is lapin's own, by [`Deref`].
#[derive(Clone)]
pub struct Channel {
    inner: lapin::Channel,
    open: Arc<Open>,
}

impl Channel {
    pub(crate) fn new(inner: lapin::Channel, core: Arc<Core>) -> Self {
        Self {
            inner,
            open: Arc::new(Open(ChannelState::new(core))),
        }
    }

    fn state(&self) -> &Arc<ChannelState> {
        &self.open.0
    }

    fn core(&self) -> &Arc<Core> {
        &self.state().core
    }

    /// lapin's own, which makes no spans.
    pub const fn inner(&self) -> &lapin::Channel {
        &self.inner
    }

    /// lapin's own.
    pub fn into_inner(self) -> lapin::Channel {
        self.inner
    }

    /// Runs the future that processes messages at once that were received on this channel: one span
    /// `process`, which is linked to the senders of all of them.
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn process_batch<'a, F, T, E>(
        &self,
        deliveries: impl IntoIterator<Item = &'a Delivery>,
        future: F,
    ) -> std::result::Result<T, E>
    where
        F: Future<Output = std::result::Result<T, E>>,
    {
        self.start_process_batch(deliveries).run(future).await
    }

    /// Begins to process messages at once that were received on this channel. It ends with what it
    /// is told, or as cancelled when it is dropped.
    pub fn start_process_batch<'a>(
        &self,
        deliveries: impl IntoIterator<Item = &'a Delivery>,
    ) -> Processing {
        let deliveries: Vec<_> = deliveries.into_iter().collect();
        let queue = match deliveries.first() {
            Some(first) => first.origin().source.name(),
            None => Name::unknown(),
        };
        batch::process(self.core(), queue, &deliveries)
    }

    /// Closes the channel. Deliveries that are not settled go back to their queues.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn close(&self, reply_code: ReplyCode, reply_text: ShortString) -> Result<()> {
        let closed = self.inner.close(reply_code, reply_text).await;
        self.state().unacknowledged.prune();
        closed
    }

    /// Has the broker deliver anew what is not settled.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_recover(&self, options: BasicRecoverOptions) -> Result<()> {
        // Beforehand, since what is delivered anew may come before the answer is seen.
        self.state().unacknowledged.clear();
        self.inner.basic_recover(options).await
    }

    /// The same, without waiting for it.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_recover_async(&self, options: BasicRecoverAsyncOptions) -> Result<()> {
        self.state().unacknowledged.clear();
        self.inner.basic_recover_async(options).await
    }

    /// Waits until the channel works again: span `recover`, where there are
    /// [spans of connections](crate::AmqpOptions::with_connection_spans).
    ///
    /// # Errors
    ///
    /// The error that was handed in, where it can't be recovered from.
    pub async fn wait_for_recovery(&self, error: Error) -> Result<()> {
        let recovering = self.inner.wait_for_recovery(error);
        manage::observe(self.core(), verb::RECOVER, recovering).await
    }
}

impl Deref for Channel {
    type Target = lapin::Channel;

    fn deref(&self) -> &lapin::Channel {
        &self.inner
    }
}

impl PartialEq for Channel {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
