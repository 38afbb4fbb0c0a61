//! Connections.

mod builder;
mod connect;
mod events;
pub(crate) mod manage;

pub use builder::{ConnectionBuilder, DefaultConnectionBuilder};
pub use connect::Connect;

use crate::channel::Channel;
use crate::core::{Core, verb};
use crate::settings::AmqpOptions;
use async_rs::Runtime;
use async_rs::traits::{Reactor, RuntimeKit};
use futures_core::Stream;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{AsyncTcpStream, ConnectionProperties, Event, Result};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A connection whose channels are observed, as [`lapin::Connection`]. What is not here is lapin's
/// own, by [`Deref`].
pub struct Connection {
    inner: lapin::Connection,
    core: Arc<Core>,
}

/// The options of all connections that are given none.
fn defaults() -> AmqpOptions {
    static DEFAULTS: OnceLock<AmqpOptions> = OnceLock::new();
    DEFAULTS.get_or_init(AmqpOptions::new).clone()
}

impl Connection {
    /// Connects to the server that the URI names, as [`lapin::Connection::connect`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect(uri: &str, options: ConnectionProperties) -> Result<Self> {
        Self::connect_with(uri, options, defaults()).await
    }

    /// The same, observed as these options have it.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_with(
        uri: &str,
        properties: ConnectionProperties,
        options: AmqpOptions,
    ) -> Result<Self> {
        let options = options.with_server_of(uri);
        Self::open(lapin::Connection::connect(uri, properties), options).await
    }

    /// Observes a connection that lapin opens by this future: one with a runtime or with TLS of
    /// its own. The options may [name the server](AmqpOptions::with_server).
    ///
    /// ```no_run
    /// # async fn example(uri: &str) -> lapin::Result<()> {
    /// use otelware_lapin::{AmqpOptions, Connection, ConnectionProperties};
    ///
    /// let connecting = lapin::Connection::connect(uri, ConnectionProperties::default());
    /// let options = AmqpOptions::new().with_server_of(uri).with_connection_spans();
    /// let connection = Connection::open(connecting, options).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the future.
    pub async fn open(
        connecting: impl Future<Output = Result<lapin::Connection>>,
        options: AmqpOptions,
    ) -> Result<Self> {
        let core = Core::new(options);
        let inner = manage::observe(&core, verb::CONNECT, connecting).await?;
        Ok(Self::of_core(inner, core))
    }

    /// As [`lapin::Connection::connect_with_runtime`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_with_runtime<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        uri: &str,
        options: ConnectionProperties,
        runtime: Runtime<RK>,
    ) -> Result<Self> {
        let connecting = lapin::Connection::connect_with_runtime(uri, options, runtime);
        Self::open(connecting, defaults().with_server_of(uri)).await
    }

    /// As [`lapin::Connection::connect_with_config`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_with_config<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        uri: &str,
        options: ConnectionProperties,
        config: OwnedTLSConfig,
        runtime: Runtime<RK>,
    ) -> Result<Self> {
        let connecting = lapin::Connection::connect_with_config(uri, options, config, runtime);
        Self::open(connecting, defaults().with_server_of(uri)).await
    }

    /// As [`lapin::Connection::connect_uri`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_uri(uri: AMQPUri, options: ConnectionProperties) -> Result<Self> {
        let observed = defaults().with_server_of_uri(&uri);
        Self::open(lapin::Connection::connect_uri(uri, options), observed).await
    }

    /// As [`lapin::Connection::connect_uri_with_runtime`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_uri_with_runtime<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        uri: AMQPUri,
        options: ConnectionProperties,
        runtime: Runtime<RK>,
    ) -> Result<Self> {
        let observed = defaults().with_server_of_uri(&uri);
        let connecting = lapin::Connection::connect_uri_with_runtime(uri, options, runtime);
        Self::open(connecting, observed).await
    }

    /// As [`lapin::Connection::connect_uri_with_config`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connect_uri_with_config<RK: RuntimeKit + Send + Sync + Clone + 'static>(
        uri: AMQPUri,
        options: ConnectionProperties,
        config: OwnedTLSConfig,
        runtime: Runtime<RK>,
    ) -> Result<Self> {
        let observed = defaults().with_server_of_uri(&uri);
        let connecting = lapin::Connection::connect_uri_with_config(uri, options, config, runtime);
        Self::open(connecting, observed).await
    }

    /// As [`lapin::Connection::connector`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn connector<RK: RuntimeKit + Clone + Send + 'static>(
        uri: AMQPUri,
        runtime: Runtime<RK>,
        connect: impl AsyncFn(
            AMQPUri,
            Runtime<RK>,
        ) -> Result<AsyncTcpStream<<RK as Reactor>::TcpStream>>
        + Send
        + Sync
        + 'static,
        options: ConnectionProperties,
    ) -> Result<Self> {
        let observed = defaults().with_server_of_uri(&uri);
        let connecting = lapin::Connection::connector(uri, runtime, connect, options);
        Self::open(connecting, observed).await
    }

    fn of_core(inner: lapin::Connection, core: Arc<Core>) -> Self {
        core.watcher.add_connection(&core, inner.status().clone());
        Self { inner, core }
    }

    /// Opens a channel, as [`lapin::Connection::create_channel`].
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub async fn create_channel(&self) -> Result<Channel> {
        let channel = self.inner.create_channel().await?;
        Ok(Channel::new(channel, self.core.clone()))
    }

    /// What happens to the connection, as [`lapin::Connection::events_listener`]. Each event is
    /// counted as it is taken from the stream. Of several streams, each event is told to one only,
    /// which is lapin's way.
    pub fn events_listener(&self) -> impl Stream<Item = Event> + Send + 'static {
        events::Counted::new(self.inner.events_listener(), self.core.clone())
    }

    /// Blocks the thread until the connection is closed.
    ///
    /// # Errors
    ///
    /// Those of lapin.
    pub fn run(self) -> Result<()> {
        self.inner.run()
    }

    /// lapin's own, whose channels are not observed.
    pub const fn inner(&self) -> &lapin::Connection {
        &self.inner
    }

    /// lapin's own.
    pub fn into_inner(self) -> lapin::Connection {
        self.inner
    }
}

impl Deref for Connection {
    type Target = lapin::Connection;

    fn deref(&self) -> &lapin::Connection {
        &self.inner
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

/// Observes what lapin made. A connection is instrumented rather than its channels one by one, and
/// a channel once: its clones know of each other's deliveries.
pub trait Instrument: Sized {
    /// What is observed.
    type Instrumented;

    /// Observes it, by the global providers.
    fn instrument(self) -> Self::Instrumented {
        self.instrument_with(defaults())
    }

    /// Observes it as these options have it. They may [name the
    /// server](AmqpOptions::with_server), which lapin does not tell.
    fn instrument_with(self, options: AmqpOptions) -> Self::Instrumented;
}

impl Instrument for lapin::Connection {
    type Instrumented = Connection;

    fn instrument_with(self, options: AmqpOptions) -> Connection {
        Connection::of_core(self, Core::new(options))
    }
}

impl Instrument for lapin::Channel {
    type Instrumented = Channel;

    fn instrument_with(self, options: AmqpOptions) -> Channel {
        Channel::new(self, Core::new(options))
    }
}
