//! A shop that keeps pens in Redis.

mod orders;
mod pens;
mod visits;
mod web;

use super::db::{Client, Connection, ConnectionManager, MultiplexedConnection};
use redis::RedisResult;

pub(crate) use web::router;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shop {
    client: Client,
    connection: ConnectionManager,
}

impl Shop {
    pub(crate) fn new(client: Client, connection: ConnectionManager) -> Self {
        Self { client, connection }
    }

    /// A connection of one's own.
    async fn multiplexed(&self) -> RedisResult<MultiplexedConnection> {
        self.client.get_multiplexed_async_connection().await
    }

    /// One that blocks.
    fn blocking(&self) -> RedisResult<Connection> {
        self.client.get_connection()
    }
}
