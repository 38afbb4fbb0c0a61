//! The services.

pub(crate) mod fulfilment;
pub(crate) mod gateway;
pub(crate) mod inventory;
mod kafka;
mod notifications;
pub(crate) mod notifier;
pub(crate) mod orders;
pub(crate) mod payments;
