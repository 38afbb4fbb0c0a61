//! Settlements by the number of the delivery.

use super::Channel;
use crate::settle::Settlement;
use lapin::Result;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use lapin::types::LongLongUInt;

impl Channel {
    /// Acknowledges a delivery, or all up to this one: span `ack`.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_ack(
        &self,
        delivery_tag: LongLongUInt,
        options: BasicAckOptions,
    ) -> Result<()> {
        let sending = self.inner.basic_ack(delivery_tag, options);
        self.settle(delivery_tag, options, sending).await
    }

    /// Refuses a delivery, or all up to this one: span `nack`.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_nack(
        &self,
        delivery_tag: LongLongUInt,
        options: BasicNackOptions,
    ) -> Result<()> {
        let sending = self.inner.basic_nack(delivery_tag, options);
        self.settle(delivery_tag, options, sending).await
    }

    /// Refuses a delivery: span `reject`.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn basic_reject(
        &self,
        delivery_tag: LongLongUInt,
        options: BasicRejectOptions,
    ) -> Result<()> {
        let sending = self.inner.basic_reject(delivery_tag, options);
        self.settle(delivery_tag, options, sending).await
    }

    async fn settle(
        &self,
        tag: LongLongUInt,
        how: impl Into<Settlement>,
        sending: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let state = self.state();
        if state.is_idle() {
            return sending.await;
        }
        state.settle(how, tag, None, sending, |()| None).await
    }
}
