//! As much of RabbitMQ as a work queue needs: queues that are published to by the exchange without a name, with
//! confirms; consumers with a prefetch; settlements, redelivery and dead letters.

mod broker;
mod channel;
mod connection;
mod death;
mod wire;

use super::Server;
use broker::Broker;
use connection::Connection;
use std::io;
use std::sync::Arc;

/// A server that does as RabbitMQ does, until it is dropped.
pub(in crate::launcher) struct AmqpStandIn {
    server: Server,
}

impl AmqpStandIn {
    pub(in crate::launcher) async fn start() -> io::Result<Self> {
        let broker = Arc::new(Broker::default());
        let server = Server::start(move |stream| {
            let connection = Connection::new(stream, Arc::clone(&broker));
            // It ends as the client wishes, or with what the client did wrong and was told.
            async { drop(connection.serve().await) }
        });
        Ok(Self {
            server: server.await?,
        })
    }

    /// As for `AMQP_URL`.
    pub(in crate::launcher) fn url(&self) -> String {
        format!("amqp://guest:guest@{}/%2f", self.server.address)
    }
}

#[cfg(test)]
mod tests;
