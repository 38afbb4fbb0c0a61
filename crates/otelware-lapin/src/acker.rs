//! What settles a delivery.

use crate::destination::Name;
use crate::error;
use crate::settle::Settlement;
use crate::source::Source;
use lapin::Result;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::DeliveryTag;
use otelware::operation::ErrorType;
use std::sync::{Arc, OnceLock};

/// Settles a delivery, as [`lapin::Acker`] does, with a span for each settlement.
#[derive(Clone)]
pub struct Acker {
    inner: lapin::Acker,
    tag: DeliveryTag,
    origin: Origin,
}

/// What is known of a delivery besides what it says itself.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) source: Arc<Source>,
    /// None where nobody wanted to know of it.
    pub(crate) name: Option<Name>,
    /// Why the delegate failed to process it.
    pub(crate) failure: Option<Arc<OnceLock<ErrorType>>>,
}

impl Origin {
    /// Where it came from.
    pub(crate) fn name(&self) -> Name {
        let of_queue = || self.source.name();
        self.name.clone().unwrap_or_else(of_queue)
    }
}

impl Acker {
    pub(crate) const fn new(inner: lapin::Acker, tag: DeliveryTag, origin: Origin) -> Self {
        Self { inner, tag, origin }
    }

    /// lapin's own, to look at.
    pub(crate) const fn inner(&self) -> &lapin::Acker {
        &self.inner
    }

    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) const fn origin_mut(&mut self) -> &mut Origin {
        &mut self.origin
    }

    /// Acknowledges the delivery: span `ack`. `Ok(false)` where it was settled before, or its
    /// channel is closed.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn ack(&self, options: BasicAckOptions) -> Result<bool> {
        self.settle(options, self.inner.ack(options)).await
    }

    /// Refuses the delivery, or all up to this one: span `nack`.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn nack(&self, options: BasicNackOptions) -> Result<bool> {
        self.settle(options, self.inner.nack(options)).await
    }

    /// Refuses the delivery: span `reject`.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn reject(&self, options: BasicRejectOptions) -> Result<bool> {
        self.settle(options, self.inner.reject(options)).await
    }

    async fn settle(
        &self,
        how: impl Into<Settlement>,
        sending: impl Future<Output = Result<bool>>,
    ) -> Result<bool> {
        let state = &self.origin.source.state;
        // What was settled before is not settled again: nothing is sent.
        let is_settled = !self.inner.usable() && !self.inner.poisoned();
        if is_settled || state.is_idle() {
            return sending.await;
        }
        let failure = |sent: &bool| (!sent).then_some(error::CHANNEL_CLOSED);
        let settling = state.settle(how, self.tag, Some(self), sending, failure);
        settling.await
    }

    /// Whether the channel was closed, so that nothing can be settled any more.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.inner.poisoned()
    }

    /// Whether it can still settle the delivery.
    #[must_use]
    pub fn usable(&self) -> bool {
        self.inner.usable()
    }

    /// lapin's own, which makes no spans. The delivery is not watched any more.
    pub fn into_inner(self) -> lapin::Acker {
        let state = &self.origin.source.state;
        state.unacknowledged.forget(self.tag, &self.inner);
        self.inner
    }
}

impl PartialEq for Acker {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl std::fmt::Debug for Acker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
