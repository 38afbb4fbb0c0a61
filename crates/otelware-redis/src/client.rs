//! Clients of one server.

use crate::core::Core;
use crate::instrumented::Instrumented;
use crate::options::RedisOptions;
use crate::server::Server;
use redis::{ConnectionInfo, IntoConnectionInfo, RedisResult};
#[cfg(feature = "aio")]
use std::pin::Pin;
use std::time::Duration;

/// A client whose connections are observed. It takes the place of [`redis::Client`].
///
/// ```no_run
/// use otelware_redis::Client;
/// use redis::Commands;
///
/// # fn example() -> redis::RedisResult<()> {
/// let client = Client::open("redis://cache/")?;
/// let mut connection = client.get_connection()?;
/// let _: () = connection.set("greeting", "hello")?;
/// # Ok(())
/// # }
/// ```
///
/// With certificates of one's own, it is `redis::Client::build_with_tls(…)?.instrument()`.
pub type Client = Instrumented<redis::Client>;

/// A connection that blocks the thread, observed. It takes the place of [`redis::Connection`].
pub type Connection = Instrumented<redis::Connection>;

/// Turns what opens connections into what opens connections that are observed.
pub trait Instrument: Sized {
    /// What it becomes.
    type Instrumented;

    /// With the defaults, and the global providers.
    fn instrument(self) -> Self::Instrumented {
        self.instrument_with(RedisOptions::new())
    }

    /// With these options.
    fn instrument_with(self, options: RedisOptions) -> Self::Instrumented;
}

impl Instrument for redis::Client {
    type Instrumented = Client;

    fn instrument_with(self, options: RedisOptions) -> Client {
        let server = Server::from(self.get_connection_info());
        Instrumented::of_client(self, Core::new(options, server))
    }
}

impl From<redis::Client> for Client {
    fn from(client: redis::Client) -> Self {
        client.instrument()
    }
}

impl Instrumented<redis::Client> {
    /// As [`redis::Client::open`], with the defaults of [`RedisOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::open`].
    pub fn open(params: impl IntoConnectionInfo) -> RedisResult<Self> {
        Ok(redis::Client::open(params)?.instrument())
    }

    /// As [`redis::Client::get_connection_info`].
    pub fn get_connection_info(&self) -> &ConnectionInfo {
        self.inner.get_connection_info()
    }

    /// As [`redis::Client::get_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_connection`].
    pub fn get_connection(&self) -> RedisResult<Connection> {
        self.connected(|| self.inner.get_connection())
    }

    /// As [`redis::Client::get_connection_with_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_connection_with_timeout`].
    pub fn get_connection_with_timeout(&self, timeout: Duration) -> RedisResult<Connection> {
        self.connected(|| self.inner.get_connection_with_timeout(timeout))
    }
}

impl<C> Instrumented<C> {
    /// Opens a connection that is observed as its client is.
    pub(crate) fn connected<T>(
        &self,
        connect: impl FnOnce() -> RedisResult<T>,
    ) -> RedisResult<Instrumented<T>> {
        let connection = self.core().connect(connect)?;
        Ok(Instrumented::of(connection, self.core().clone()))
    }

    /// The same, asynchronously.
    #[cfg(feature = "aio")]
    pub(crate) async fn connected_async<T>(
        &self,
        connect: Pin<Box<impl Future<Output = RedisResult<T>>>>,
    ) -> RedisResult<Instrumented<T>> {
        let connection = self.core().connect_async(connect).await?;
        Ok(Instrumented::of(connection, self.core().clone()))
    }
}
