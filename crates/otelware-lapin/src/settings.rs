//! What a connection or a channel can be told.

use crate::watcher::Watcher;
use lapin::uri::AMQPUri;
use otelware::messaging::{Broker, Options};
use std::sync::Arc;
use std::time::Duration;

/// How long a delivery may stay unsettled before it is reported.
const ACK_TIMEOUT: Duration = Duration::from_secs(60);

/// How what is done with RabbitMQ is observed, for
/// [`instrument_with`](crate::Instrument::instrument_with) and
/// [`Connection::connect_with`](crate::Connection::connect_with).
///
/// A clone is for further connections with the same providers: what observes all connections
/// together is made once for all clones, and once for all that take the global meter provider.
///
/// ```
/// use otelware_lapin::AmqpOptions;
/// use std::time::Duration;
///
/// let options = AmqpOptions::new()
///     .with_ack_timeout(Duration::from_secs(300))
///     .with_destination_template(|name| {
///         name.starts_with("customers:").then(|| "customers:{id}".to_owned())
///     });
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a connection or a channel is given them"]
pub struct AmqpOptions {
    pub(crate) shared: Options,
    pub(crate) settings: Settings,
    server: Option<(String, u16)>,
    client_id: Option<String>,
    pub(crate) watcher: Arc<Watcher>,
}

/// What only RabbitMQ can be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) ack_timeout: Option<Duration>,
    pub(crate) empty_receive_spans: bool,
    pub(crate) connection_spans: bool,
}

impl Default for AmqpOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl AmqpOptions {
    /// The defaults, and the global providers.
    pub fn new() -> Self {
        Self {
            // `basic.get` asks for one message at a time, and is no loop that waits.
            shared: Options {
                receive_spans: true,
                ..Options::default()
            },
            settings: Settings {
                ack_timeout: Some(ACK_TIMEOUT),
                empty_receive_spans: false,
                connection_spans: false,
            },
            server: None,
            client_id: None,
            watcher: Arc::default(),
        }
    }

    otelware::__with_messaging_options!();

    /// `server.address` and `server.port` of a connection that lapin opened, since lapin does not
    /// tell them. [`Connection::connect`](crate::Connection::connect) takes them from its URI.
    pub fn with_server(mut self, address: impl Into<String>, port: u16) -> Self {
        self.server = Some((address.into(), port));
        self
    }

    /// The same, out of the URI that lapin connected to. Nothing else of it is kept.
    pub fn with_server_of(self, uri: &str) -> Self {
        match uri.parse() {
            Ok(parsed) if !is_misread(uri) => self.with_server_of_uri(&parsed),
            _ => self,
        }
    }

    pub(crate) fn with_server_of_uri(self, uri: &AMQPUri) -> Self {
        match uri.vhost.contains('@') {
            true => self,
            false => self.with_server(uri.authority.host.as_str(), uri.authority.port),
        }
    }

    /// The server that others name, where these name none.
    pub(crate) fn or_server_of(mut self, others: Self) -> Self {
        self.server = self.server.or(others.server);
        self
    }

    /// `messaging.client.id`: what this client is called among others, such as the name of its
    /// connection.
    pub fn with_client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// How long a delivery may stay unsettled, a minute by default. Then it counts as overdue, and
    /// an event tells of it where there is a logger provider; its settlement, if it comes, says how
    /// long it took. Looked at whenever metrics are collected.
    pub const fn with_ack_timeout(mut self, timeout: Duration) -> Self {
        self.settings.ack_timeout = Some(timeout);
        self
    }

    /// Lets deliveries take as long as they like.
    pub const fn without_ack_timeout(mut self) -> Self {
        self.settings.ack_timeout = None;
        self
    }

    /// Makes no spans for `basic_get`. Metrics are measured all the same.
    pub const fn without_receive_spans(mut self) -> Self {
        self.shared.receive_spans = false;
        self
    }

    /// Makes spans for `basic_get` from an empty queue too. A loop that polls makes thousands.
    pub const fn with_empty_receive_spans(mut self) -> Self {
        self.settings.empty_receive_spans = true;
        self
    }

    /// Observes the opening of a connection and the wait for its recovery too: spans and durations.
    pub const fn with_connection_spans(mut self) -> Self {
        self.settings.connection_spans = true;
        self
    }

    /// The broker that is called.
    pub(crate) fn broker(&self) -> Broker {
        let (address, port) = self.server.clone().unzip();
        Broker {
            system: crate::core::SYSTEM,
            address,
            port,
            client_id: self.client_id.clone(),
            consumer_group: None,
        }
    }
}

/// Whether a password that is not encoded may have been read as if part of it were the server.
fn is_misread(uri: &str) -> bool {
    let (_, rest) = uri.split_once("://").unwrap_or_default();
    rest.split_once(['/', '?', '#'])
        .is_some_and(|(_, rest)| rest.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_part_of_a_password_is_no_server() {
        for (uri, server) in [
            ("amqp://me:pw@rabbit:5673/shop", Some(("rabbit", 5_673))),
            ("amqps://rabbit", Some(("rabbit", 5_671))),
            (
                "amqp://me:p%40w@127.0.0.1/%2f?heartbeat=5",
                Some(("127.0.0.1", 5_672)),
            ),
            ("amqp://me:p@w/x@rabbit:5673/shop", None),
            ("amqp://me:12#3@rabbit:5673/shop", None),
            ("amqp://me:12?3@rabbit:5673/shop", None),
            ("no uri", None),
        ] {
            let options = AmqpOptions::new().with_server_of(uri);
            let found = options.server.as_ref();
            let found = found.map(|(address, port)| (address.as_str(), *port));
            assert_eq!(found, server, "{uri}");
        }
        let parsed: AMQPUri = "amqp://me:p@w/x@rabbit".parse().unwrap();
        assert_eq!(AmqpOptions::new().with_server_of_uri(&parsed).server, None);
    }
}
