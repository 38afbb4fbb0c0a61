//! The shop on redis-rs.

pub(crate) mod db {
    pub(crate) use redis::aio::{ConnectionManager, MultiplexedConnection};
    pub(crate) use redis::{Client, Connection};
}

#[path = "shop/mod.rs"]
pub(crate) mod shop;
