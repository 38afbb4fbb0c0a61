//! The same shop on otelware's types.

pub(crate) use otelware_lapin as amqp;

#[path = "shop/mod.rs"]
pub(crate) mod shop;
