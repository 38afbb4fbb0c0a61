//! Asynchronous connections, under the names that [`redis::aio`] has for them.

use crate::call::{self, Call};
#[cfg(feature = "connection-manager")]
use crate::client::Client;
use crate::command;
use crate::consumer_options::ConsumerOptions;
use crate::instrumented::Instrumented;
use otelware::operation::Operation;
use redis::aio::ConnectionLike;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisResult, Value};

pub use crate::pubsub::asynchronous::{PubSub, PubSubSink, PubSubStream};

/// A connection that clones share, observed. It takes the place of
/// [`redis::aio::MultiplexedConnection`].
pub type MultiplexedConnection = Instrumented<redis::aio::MultiplexedConnection>;

/// A connection that is opened again when it is lost, observed. It takes the place of
/// [`redis::aio::ConnectionManager`].
#[cfg(feature = "connection-manager")]
pub type ConnectionManager = Instrumented<redis::aio::ConnectionManager>;

impl Instrumented<redis::Client> {
    /// As [`redis::Client::get_multiplexed_async_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_multiplexed_async_connection`].
    pub async fn get_multiplexed_async_connection(&self) -> RedisResult<MultiplexedConnection> {
        self.connected_async(Box::pin(self.inner.get_multiplexed_async_connection()))
            .await
    }

    /// As [`redis::Client::get_multiplexed_async_connection_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_multiplexed_async_connection_with_config`].
    pub async fn get_multiplexed_async_connection_with_config(
        &self,
        config: &AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        self.connected_async(Box::pin(
            self.inner
                .get_multiplexed_async_connection_with_config(config),
        ))
        .await
    }

    /// As [`redis::Client::get_async_pubsub`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_async_pubsub`].
    pub async fn get_async_pubsub(&self) -> RedisResult<PubSub> {
        let connecting = self.connected_async(Box::pin(self.inner.get_async_pubsub()));
        let connection = connecting.await?;
        let database = self.inner.get_connection_info().redis_settings().db();
        let options = ConsumerOptions::of(&connection);
        let Instrumented { inner, session } = connection;
        let database = session.database(|| database);
        Ok(PubSub::new(inner, session, database, options))
    }

    /// As [`redis::Client::get_async_monitor`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_async_monitor`].
    pub async fn get_async_monitor(&self) -> RedisResult<redis::aio::Monitor> {
        self.core()
            .connect_async(Box::pin(self.inner.get_async_monitor()))
            .await
    }
}

#[cfg(feature = "connection-manager")]
impl Instrumented<redis::Client> {
    /// As [`redis::Client::get_connection_manager`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_connection_manager`].
    pub async fn get_connection_manager(&self) -> RedisResult<ConnectionManager> {
        self.connected_async(Box::pin(self.inner.get_connection_manager()))
            .await
    }

    /// As [`redis::Client::get_connection_manager_lazy`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_connection_manager_lazy`].
    pub fn get_connection_manager_lazy(
        &self,
        config: redis::aio::ConnectionManagerConfig,
    ) -> RedisResult<ConnectionManager> {
        let manager = self.inner.get_connection_manager_lazy(config)?;
        Ok(Instrumented::of(manager, self.core().clone()))
    }

    /// As [`redis::Client::get_connection_manager_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Client::get_connection_manager_with_config`].
    pub async fn get_connection_manager_with_config(
        &self,
        config: redis::aio::ConnectionManagerConfig,
    ) -> RedisResult<ConnectionManager> {
        self.connected_async(Box::pin(
            self.inner.get_connection_manager_with_config(config),
        ))
        .await
    }
}

#[cfg(feature = "connection-manager")]
impl Instrumented<redis::aio::ConnectionManager> {
    /// As [`redis::aio::ConnectionManager::new`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::aio::ConnectionManager::new`].
    pub async fn new(client: impl Into<Client>) -> RedisResult<Self> {
        client.into().get_connection_manager().await
    }

    /// As [`redis::aio::ConnectionManager::new_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::aio::ConnectionManager::new_with_config`].
    pub async fn new_with_config(
        client: impl Into<Client>,
        config: redis::aio::ConnectionManagerConfig,
    ) -> RedisResult<Self> {
        (client.into())
            .get_connection_manager_with_config(config)
            .await
    }

    /// As [`redis::aio::ConnectionManager::new_lazy_with_config`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::aio::ConnectionManager::new_lazy_with_config`].
    pub fn new_lazy_with_config(
        client: impl Into<Client>,
        config: redis::aio::ConnectionManagerConfig,
    ) -> RedisResult<Self> {
        client.into().get_connection_manager_lazy(config)
    }
}

impl Instrumented<redis::aio::MultiplexedConnection> {
    /// As [`redis::aio::MultiplexedConnection::set_response_timeout`].
    pub fn set_response_timeout(&mut self, timeout: std::time::Duration) {
        self.inner.set_response_timeout(timeout);
    }
}

/// The methods by which a connection subscribes to channels.
macro_rules! subscriptions {
    ($connection:ty: $($method:ident $command:literal),*) => {
        impl $crate::Instrumented<$connection> {$(
            #[doc = concat!("As the connection's own `", stringify!($method), "`, observed as `", $command, "`.")]
            ///
            /// # Errors
            ///
            /// Those of the connection's own.
            pub async fn $method(&mut self, channel: impl redis::ToRedisArgs) -> redis::RedisResult<()> {
                let mut operation = {
                    let mut shown = redis::cmd($command);
                    shown.arg(&channel);
                    self.begin(&shown)
                };
                let done = operation.within(self.inner.$method(channel)).await;
                $crate::call::end(operation, &self.session, &done);
                done
            }
        )*}
    };
}
#[cfg(feature = "cluster-async")]
pub(crate) use subscriptions;

impl<C: ConnectionLike> Instrumented<C> {
    /// Begins a command that the connection has a method of its own for.
    pub(crate) fn begin(&self, shown: &Cmd) -> Operation<Call> {
        let database = self.session.database(|| self.inner.get_db());
        call::begin(&self.session, database, || command::arguments(shown))
    }
}

/// The methods that send what was put together beforehand.
macro_rules! sending {
    ($connection:ty) => {
        impl Instrumented<$connection> {
            /// As the connection's own `send_packed_command`, observed as the command.
            ///
            /// # Errors
            ///
            /// Those of the connection's own.
            pub async fn send_packed_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
                self.req_packed_command(cmd).await
            }

            /// As the connection's own `send_packed_commands`, observed as the pipeline.
            ///
            /// # Errors
            ///
            /// Those of the connection's own.
            pub async fn send_packed_commands(
                &mut self,
                pipeline: &Pipeline,
                offset: usize,
                count: usize,
            ) -> RedisResult<Vec<Value>> {
                self.req_packed_commands(pipeline, offset, count).await
            }

            /// As the connection's own `get_cache_statistics`.
            #[cfg(feature = "cache-aio")]
            pub fn get_cache_statistics(&self) -> Option<redis::caching::CacheStatistics> {
                self.inner.get_cache_statistics()
            }
        }
    };
}

sending!(redis::aio::MultiplexedConnection);
subscriptions!(redis::aio::MultiplexedConnection:
    subscribe "SUBSCRIBE",
    unsubscribe "UNSUBSCRIBE",
    psubscribe "PSUBSCRIBE",
    punsubscribe "PUNSUBSCRIBE"
);
#[cfg(feature = "connection-manager")]
sending!(redis::aio::ConnectionManager);
#[cfg(feature = "connection-manager")]
subscriptions!(redis::aio::ConnectionManager:
    subscribe "SUBSCRIBE",
    unsubscribe "UNSUBSCRIBE",
    psubscribe "PSUBSCRIBE",
    punsubscribe "PUNSUBSCRIBE"
);
