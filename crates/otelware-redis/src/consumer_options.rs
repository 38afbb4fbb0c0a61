//! How the processing of what came from Redis is observed.

use crate::instrumented::Instrumented;
use crate::server::Server;
use otelware::messaging::{Broker, Client, Options};
use std::sync::Arc;

/// How the processing of a stream's entries or of a channel's messages is observed.
///
/// ```
/// # fn example(connection: &otelware_redis::Connection) {
/// use otelware_redis::ConsumerOptions;
/// use otelware_redis::otelware::messaging::Parenting;
///
/// let consumer = ConsumerOptions::of(connection)
///     .with_parenting(Parenting::Link)
///     .stream_consumer("billing", "worker-1");
/// # }
/// ```
///
/// Redis sends and receives by commands, which have options of their own, so that those for sending
/// (`with_outbound`, `with_existing_context`), for asking (`with_receive_spans`) and for settling
/// (`without_settle_spans`) do nothing here. An entry's headers are its fields.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a consumer is made with them"]
pub struct ConsumerOptions {
    shared: Options,
    server: Server,
}

impl ConsumerOptions {
    /// The defaults, and the global providers.
    pub fn new(server: impl Into<Server>) -> Self {
        Self {
            shared: Options::default(),
            server: server.into(),
        }
    }

    /// The defaults, with the providers of this connection, or of this client.
    pub fn of<C>(connection: &Instrumented<C>) -> Self {
        let core = connection.core();
        let mut options = Self::new(core.server().clone());
        options.shared.providers = core.options().shared.providers.clone();
        options
    }

    otelware::__with_messaging_options!();

    /// The telemetry of a consumer of this name, in this group: what its entries are processed by.
    #[cfg(feature = "streams")]
    pub fn stream_consumer(
        self,
        group: impl Into<String>,
        consumer: impl Into<String>,
    ) -> crate::streams::StreamConsumer {
        crate::streams::StreamConsumer::of(&self, Some(group.into()), Some(consumer.into()))
    }

    /// The telemetry of one that reads streams without a group, by `XREAD` or `XRANGE`.
    #[cfg(feature = "streams")]
    pub fn stream_reader(self) -> crate::streams::StreamConsumer {
        crate::streams::StreamConsumer::of(&self, None, None)
    }

    /// The telemetry of a subscriber: what its messages are processed by.
    pub fn subscriber(self) -> crate::pubsub::Subscriber {
        crate::pubsub::Subscriber::new(&self)
    }

    /// What spans begin by.
    pub(crate) fn client(
        &self,
        consumer_group: Option<String>,
        client_id: Option<String>,
    ) -> Arc<Client> {
        let server = self.server.to_shared();
        let broker = Broker {
            system: server.system,
            address: server.address,
            port: server.port,
            client_id,
            consumer_group,
        };
        Client::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            self.shared.clone(),
            broker,
        )
    }
}
