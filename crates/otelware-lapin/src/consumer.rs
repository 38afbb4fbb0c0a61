//! Consumers.

use crate::batch;
use crate::delegate::{ConsumerDelegate, Observed};
use crate::delivery::Delivery;
use crate::source::Source;
use crate::state::Open;
use futures_core::Stream;
use lapin::Result;
use otelware::messaging::Processing;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A stream of messages, as [`lapin::Consumer`]. Each is counted when it is handed over; its span is
/// that of [`Delivery::process`], of the delegate, or of a batch.
#[derive(Clone)]
pub struct Consumer {
    inner: lapin::Consumer,
    source: Arc<Source>,
    _open: Arc<Open>,
}

impl Consumer {
    pub(crate) const fn new(inner: lapin::Consumer, source: Arc<Source>, open: Arc<Open>) -> Self {
        Self {
            inner,
            source,
            _open: open,
        }
    }

    /// Has this delegate process messages, each within a span `process` of its own. The span ends
    /// with the delegate's future; [`Delivery::fail`] says that it was in vain.
    pub fn set_delegate<D: ConsumerDelegate + 'static>(&self, delegate: D) {
        let observed = Observed::new(delegate, self.source.clone());
        self.inner.set_delegate(observed);
    }

    /// Runs the future that processes messages of this consumer at once: one span `process`, which is
    /// linked to the senders of all of them.
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

    /// Begins to process messages of this consumer at once. It ends with what it is told, or as
    /// cancelled when it is dropped.
    pub fn start_process_batch<'a>(
        &self,
        deliveries: impl IntoIterator<Item = &'a Delivery>,
    ) -> Processing {
        let deliveries: Vec<_> = deliveries.into_iter().collect();
        batch::process(&self.source.state.core, self.source.name(), &deliveries)
    }

    /// lapin's own, which makes no spans.
    pub const fn inner(&self) -> &lapin::Consumer {
        &self.inner
    }

    /// lapin's own.
    pub fn into_inner(self) -> lapin::Consumer {
        self.inner
    }
}

impl Stream for Consumer {
    type Item = Result<Delivery>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.inner).poll_next(cx);
        polled.map(|next| match next {
            Some(Ok(delivery)) => Some(Ok(self.source.consume(delivery))),
            Some(Err(error)) => {
                self.source.state.unacknowledged.prune();
                Some(Err(error))
            }
            None => {
                self.source.state.unacknowledged.prune();
                None
            }
        })
    }
}

impl Deref for Consumer {
    type Target = lapin::Consumer;

    fn deref(&self) -> &lapin::Consumer {
        &self.inner
    }
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
