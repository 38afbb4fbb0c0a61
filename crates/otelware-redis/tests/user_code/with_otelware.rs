//! The same shop on otelware's types.

pub(crate) mod db {
    pub(crate) use otelware_redis::aio::{ConnectionManager, MultiplexedConnection};
    pub(crate) use otelware_redis::{Client, Connection};
}

#[path = "shop/mod.rs"]
pub(crate) mod shop;
