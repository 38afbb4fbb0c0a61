//! The shop on lapin.

pub(crate) use lapin as amqp;

#[path = "shop/mod.rs"]
pub(crate) mod shop;
