//! Pools of [`bb8`], which are filled by [`Client`] and others of ours.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use otelware_redis::{Client, bb8::Pool};
//! use redis::AsyncCommands;
//!
//! let pool: Pool<Client> = Pool::builder().max_size(8).build_unchecked(Client::open("redis://cache/")?);
//! # if false {
//! let mut connection = pool.get().await?;
//! let _: () = connection.set("greeting", "hello").await?;
//! # }
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! A pool of bb8's own that is filled by them works as well, but that nobody measures the wait for
//! its connections and their use.

use crate::aio::MultiplexedConnection;
use crate::client::Client;
use crate::pool::{self, Manages, Observer};
use ::bb8::{CustomizeConnection, ErrorSink, ManageConnection, QueueStrategy, RunError};
use otelware::database::{Failure, PoolState};
use redis::{RedisError, RedisResult};
use std::sync::Arc;
use std::time::Duration;

/// A connection out of a pool.
pub type PooledConnection<'a, M> = pool::PooledConnection<::bb8::PooledConnection<'a, M>>;

/// A pool whose metrics are measured. It takes the place of [`bb8::Pool`]; clones share
/// it.
pub struct Pool<M: ManageConnection> {
    /// In an `Arc`, so that what observes it need not keep it alive.
    inner: Arc<::bb8::Pool<M>>,
    observer: Observer,
}

impl<M: ManageConnection> Pool<M> {
    /// As [`bb8::Pool::builder`].
    pub fn builder() -> Builder<M> {
        Builder(::bb8::Pool::builder())
    }

    /// bb8's own pool; the use of its connections is not measured. It alone has
    /// [`config`](::bb8::Pool::config), since bb8 gives the type of that no public name.
    pub fn get_ref(&self) -> &::bb8::Pool<M> {
        &self.inner
    }

    /// As [`bb8::Pool::add`].
    ///
    /// # Errors
    ///
    /// Those of [`bb8::Pool::add`].
    pub fn add(&self, connection: M::Connection) -> Result<(), ::bb8::AddError<M::Connection>> {
        self.inner.add(connection)
    }

    /// As [`bb8::Pool::dedicated_connection`].
    ///
    /// # Errors
    ///
    /// Those of [`bb8::Pool::dedicated_connection`].
    pub async fn dedicated_connection(&self) -> Result<M::Connection, M::Error> {
        self.inner.dedicated_connection().await
    }

    /// As [`bb8::Pool::state`].
    pub fn state(&self) -> ::bb8::State {
        self.inner.state()
    }
}

impl<M: ManageConnection<Error = RedisError> + Manages> Pool<M> {
    fn new(inner: ::bb8::Pool<M>, observer: Observer) -> Self {
        let inner = Arc::new(inner);
        observer.observe(&inner, |pool| {
            let (state, config) = (pool.state(), pool.config());
            PoolState {
                idle: state.idle_connections.into(),
                used: state
                    .connections
                    .saturating_sub(state.idle_connections)
                    .into(),
                limit: Some(config.max_size.into()),
                idle_max: None,
                idle_min: config.min_idle.map(u64::from),
            }
        });
        Self { inner, observer }
    }

    /// As [`bb8::Pool::get`], with the wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`bb8::Pool::get`].
    pub async fn get(&self) -> Result<PooledConnection<'_, M>, RunError<RedisError>> {
        self.observer.acquire(self.inner.get(), failure).await
    }

    /// As [`bb8::Pool::get_owned`], with the wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`bb8::Pool::get_owned`].
    pub async fn get_owned(&self) -> Result<PooledConnection<'static, M>, RunError<RedisError>> {
        self.observer.acquire(self.inner.get_owned(), failure).await
    }
}

impl<M: ManageConnection> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            observer: self.observer.clone(),
        }
    }
}

impl<M: ManageConnection> std::fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// What a pool is made with. It takes the place of [`bb8::Builder`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder<M: ManageConnection>(::bb8::Builder<M>);

macro_rules! settings {
    ($($method:ident($argument:ident: $type:ty);)*) => {$(
        #[doc = concat!("As the method `", stringify!($method), "` of bb8's builder.")]
        pub fn $method(self, $argument: $type) -> Self {
            Self(self.0.$method($argument))
        }
    )*};
}

impl<M: ManageConnection<Error = RedisError> + Manages> Builder<M> {
    settings! {
        max_size(connections: u32);
        min_idle(connections: impl Into<Option<u32>>);
        test_on_check_out(test: bool);
        max_lifetime(lifetime: impl Into<Option<Duration>>);
        idle_timeout(timeout: impl Into<Option<Duration>>);
        connection_timeout(timeout: Duration);
        retry_connection(retry: bool);
        error_sink(sink: Box<dyn ErrorSink<RedisError>>);
        reaper_rate(rate: Duration);
        queue_strategy(strategy: QueueStrategy);
        connection_customizer(customizer: Box<dyn CustomizeConnection<M::Connection, RedisError>>);
    }

    /// As [`bb8::Builder::build`].
    ///
    /// # Errors
    ///
    /// Those of [`bb8::Builder::build`].
    pub async fn build(self, manager: M) -> RedisResult<Pool<M>> {
        let observer = manager.observer();
        Ok(Pool::new(self.0.build(manager).await?, observer))
    }

    /// As [`bb8::Builder::build_unchecked`].
    pub fn build_unchecked(self, manager: M) -> Pool<M> {
        let observer = manager.observer();
        Pool::new(self.0.build_unchecked(manager), observer)
    }
}

impl<M: ManageConnection> std::fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

fn failure(error: &RunError<RedisError>) -> (Failure, bool) {
    match error {
        RunError::User(error) => pool::not_opened(error),
        RunError::TimedOut => pool::gave_up(),
    }
}

macro_rules! manages {
    ($client:ty, $connection:ty, $connect:ident) => {
        impl ManageConnection for $client {
            type Connection = $connection;
            type Error = RedisError;

            async fn connect(&self) -> RedisResult<$connection> {
                self.observer().create_async(self.$connect()).await
            }

            async fn is_valid(&self, connection: &mut $connection) -> RedisResult<()> {
                pool::ping_async(connection.get_mut()).await
            }

            fn has_broken(&self, _: &mut $connection) -> bool {
                false
            }
        }
    };
}

manages!(
    Client,
    MultiplexedConnection,
    get_multiplexed_async_connection
);
#[cfg(feature = "cluster-async")]
manages!(
    crate::cluster::ClusterClient,
    crate::cluster_async::ClusterConnection,
    get_async_connection
);
#[cfg(feature = "sentinel")]
manages!(
    crate::sentinel::AsyncLockedSentinelClient,
    MultiplexedConnection,
    get_async_connection
);
