//! Pools of [`r2d2`], which are filled by [`Client`] and others of ours.
//!
//! ```
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use otelware_redis::{Client, r2d2::Pool};
//! use redis::Commands;
//!
//! let pool: Pool<Client> = Pool::builder().max_size(8).build_unchecked(Client::open("redis://cache/")?);
//! # if false {
//! let mut connection = pool.get()?;
//! let _: () = connection.set("greeting", "hello")?;
//! # }
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```
//!
//! A pool of r2d2's own that is filled by them works as well, but that nobody measures the wait for
//! its connections and their use.

use crate::client::{Client, Connection};
use crate::pool::{self, Manages, Observer};
use ::r2d2::{CustomizeConnection, Error, HandleError, HandleEvent, ManageConnection};
use otelware::database::{Failure, PoolState};
use redis::{ConnectionLike, RedisError, RedisResult};
use std::sync::Arc;
use std::time::Duration;

/// A connection out of a pool.
pub type PooledConnection<M> = pool::PooledConnection<::r2d2::PooledConnection<M>>;

/// A pool whose metrics are measured. It takes the place of [`r2d2::Pool`]; clones
/// share it.
pub struct Pool<M: ManageConnection> {
    /// In an `Arc`, so that what observes it need not keep it alive.
    inner: Arc<::r2d2::Pool<M>>,
    observer: Observer,
}

impl<M: ManageConnection<Error = RedisError> + Manages> Pool<M> {
    /// As [`r2d2::Pool::new`].
    ///
    /// # Errors
    ///
    /// Those of [`r2d2::Pool::new`].
    pub fn new(manager: M) -> Result<Self, Error> {
        Self::builder().build(manager)
    }

    /// As [`r2d2::Pool::builder`].
    pub fn builder() -> Builder<M> {
        Builder(::r2d2::Pool::builder())
    }

    fn of(inner: ::r2d2::Pool<M>, observer: Observer) -> Self {
        let inner = Arc::new(inner);
        observer.observe(&inner, |pool| {
            let state = pool.state();
            PoolState {
                idle: state.idle_connections.into(),
                used: state
                    .connections
                    .saturating_sub(state.idle_connections)
                    .into(),
                limit: Some(pool.max_size().into()),
                idle_max: None,
                idle_min: pool.min_idle().map(u64::from),
            }
        });
        Self { inner, observer }
    }

    /// r2d2's own pool; the use of its connections is not measured.
    pub fn get_ref(&self) -> &::r2d2::Pool<M> {
        &self.inner
    }

    /// As [`r2d2::Pool::get`], with the wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`r2d2::Pool::get`].
    pub fn get(&self) -> Result<PooledConnection<M>, Error> {
        self.observer.acquire_blocking(|| self.inner.get(), failure)
    }

    /// As [`r2d2::Pool::get_timeout`], with the wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`r2d2::Pool::get_timeout`].
    pub fn get_timeout(&self, timeout: Duration) -> Result<PooledConnection<M>, Error> {
        let acquire = || self.inner.get_timeout(timeout);
        self.observer.acquire_blocking(acquire, failure)
    }

    /// As [`r2d2::Pool::try_get`].
    pub fn try_get(&self) -> Option<PooledConnection<M>> {
        let connection = self.inner.try_get()?;
        Some(self.observer.used(connection))
    }

    /// As [`r2d2::Pool::state`].
    pub fn state(&self) -> ::r2d2::State {
        self.inner.state()
    }

    /// As [`r2d2::Pool::max_size`].
    pub fn max_size(&self) -> u32 {
        self.inner.max_size()
    }

    /// As [`r2d2::Pool::min_idle`].
    pub fn min_idle(&self) -> Option<u32> {
        self.inner.min_idle()
    }

    /// As [`r2d2::Pool::connection_timeout`].
    pub fn connection_timeout(&self) -> Duration {
        self.inner.connection_timeout()
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
            .field("state", &self.inner.state())
            .finish_non_exhaustive()
    }
}

/// What a pool is made with. It takes the place of [`r2d2::Builder`].
#[must_use = "a builder does nothing until it builds"]
pub struct Builder<M: ManageConnection>(::r2d2::Builder<M>);

macro_rules! settings {
    ($($method:ident($argument:ident: $type:ty);)*) => {$(
        #[doc = concat!("As the method `", stringify!($method), "` of r2d2's builder.")]
        pub fn $method(self, $argument: $type) -> Self {
            Self(self.0.$method($argument))
        }
    )*};
}

impl<M: ManageConnection<Error = RedisError> + Manages> Builder<M> {
    settings! {
        max_size(connections: u32);
        min_idle(connections: Option<u32>);
        test_on_check_out(test: bool);
        max_lifetime(lifetime: Option<Duration>);
        idle_timeout(timeout: Option<Duration>);
        connection_timeout(timeout: Duration);
        error_handler(handler: Box<dyn HandleError<RedisError>>);
        event_handler(handler: Box<dyn HandleEvent>);
        connection_customizer(customizer: Box<dyn CustomizeConnection<M::Connection, RedisError>>);
    }

    /// Sets what r2d2's own builder can be told besides.
    pub fn configure(
        self,
        configure: impl FnOnce(::r2d2::Builder<M>) -> ::r2d2::Builder<M>,
    ) -> Self {
        Self(configure(self.0))
    }

    /// As [`r2d2::Builder::build`].
    ///
    /// # Errors
    ///
    /// Those of [`r2d2::Builder::build`].
    pub fn build(self, manager: M) -> Result<Pool<M>, Error> {
        let observer = manager.observer();
        Ok(Pool::of(self.0.build(manager)?, observer))
    }

    /// As [`r2d2::Builder::build_unchecked`].
    pub fn build_unchecked(self, manager: M) -> Pool<M> {
        let observer = manager.observer();
        Pool::of(self.0.build_unchecked(manager), observer)
    }
}

impl<M: ManageConnection> std::fmt::Debug for Builder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// r2d2 has but one error: it gave up.
fn failure(_: &Error) -> (Failure, bool) {
    pool::gave_up()
}

macro_rules! manages {
    ($client:ty, $connection:ty) => {
        impl ManageConnection for $client {
            type Connection = $connection;
            type Error = RedisError;

            fn connect(&self) -> RedisResult<$connection> {
                self.observer().create(|| self.get_connection())
            }

            fn is_valid(&self, connection: &mut $connection) -> RedisResult<()> {
                pool::ping(connection.get_mut())
            }

            fn has_broken(&self, connection: &mut $connection) -> bool {
                !connection.is_open()
            }
        }
    };
}

manages!(Client, Connection);
#[cfg(feature = "cluster")]
manages!(
    crate::cluster::ClusterClient,
    crate::cluster::ClusterConnection
);
#[cfg(feature = "sentinel")]
manages!(crate::sentinel::LockedSentinelClient, Connection);
