//! Pools of [`deadpool`], which are filled by [`Client`] and others of
//! ours. A connection that is handed out again watches no keys.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use otelware_redis::{Client, deadpool::Pool};
//! use redis::AsyncCommands;
//!
//! let client = Client::open("redis://cache/")?;
//! let pool = Pool::new(deadpool::managed::Pool::builder(client).max_size(8).build()?);
//! # if false {
//! let mut connection = pool.get().await?;
//! let _: () = connection.set("greeting", "hello").await?;
//! # }
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

use crate::aio::MultiplexedConnection;
use crate::client::Client;
use crate::pool::{self, Manages, Observer};
use ::deadpool::managed::{
    Manager, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts,
};
use otelware::database::{Failure, PoolState};
use redis::aio::ConnectionLike;
use redis::{RedisError, RedisResult};
use std::sync::Arc;

/// A connection out of a pool.
pub type PooledConnection<M> = pool::PooledConnection<Object<M>>;

/// A pool whose metrics are measured. It takes the place of
/// [`deadpool::managed::Pool`]; clones share it.
pub struct Pool<M: Manager> {
    /// In an `Arc`, so that what observes it need not keep it alive.
    inner: Arc<::deadpool::managed::Pool<M>>,
    observer: Observer,
}

impl<M: Manager<Error = RedisError> + Manages + 'static> Pool<M> {
    /// The same pool, with its metrics measured.
    pub fn new(pool: ::deadpool::managed::Pool<M>) -> Self {
        let observer = pool.manager().observer();
        let inner = Arc::new(pool);
        observer.observe(&inner, |pool| {
            let status = pool.status();
            let idle = status.available.min(status.size);
            PoolState {
                idle: number(idle),
                used: number(status.size - idle),
                limit: Some(number(status.max_size)),
                idle_max: None,
                idle_min: None,
            }
        });
        Self { inner, observer }
    }

    /// deadpool's own pool; the use of its connections is not measured.
    pub fn get_ref(&self) -> &::deadpool::managed::Pool<M> {
        &self.inner
    }

    /// As [`deadpool::managed::Pool::get`], with the wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`deadpool::managed::Pool::get`].
    pub async fn get(&self) -> Result<PooledConnection<M>, PoolError<RedisError>> {
        self.observer.acquire(self.inner.get(), failure).await
    }

    /// As [`deadpool::managed::Pool::timeout_get`], with the
    /// wait measured.
    ///
    /// # Errors
    ///
    /// Those of [`deadpool::managed::Pool::timeout_get`].
    pub async fn timeout_get(
        &self,
        timeouts: &Timeouts,
    ) -> Result<PooledConnection<M>, PoolError<RedisError>> {
        let acquire = self.inner.timeout_get(timeouts);
        self.observer.acquire(acquire, failure).await
    }

    /// As [`deadpool::managed::Pool::resize`].
    pub fn resize(&self, max_size: usize) {
        self.inner.resize(max_size);
    }

    /// As [`deadpool::managed::Pool::timeouts`].
    pub fn timeouts(&self) -> Timeouts {
        self.inner.timeouts()
    }

    /// As [`deadpool::managed::Pool::close`].
    pub fn close(&self) {
        self.inner.close();
    }

    /// As [`deadpool::managed::Pool::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// As [`deadpool::managed::Pool::status`].
    pub fn status(&self) -> ::deadpool::Status {
        self.inner.status()
    }

    /// As [`deadpool::managed::Pool::manager`].
    pub fn manager(&self) -> &M {
        self.inner.manager()
    }
}

impl<M: Manager<Error = RedisError> + Manages + 'static> From<::deadpool::managed::Pool<M>>
    for Pool<M>
{
    fn from(pool: ::deadpool::managed::Pool<M>) -> Self {
        Self::new(pool)
    }
}

impl<M: Manager> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            observer: self.observer.clone(),
        }
    }
}

impl<M: Manager> std::fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("status", &self.inner.status())
            .finish_non_exhaustive()
    }
}

fn number(connections: usize) -> u64 {
    u64::try_from(connections).unwrap_or(u64::MAX)
}

fn failure(error: &PoolError<RedisError>) -> (Failure, bool) {
    match error {
        PoolError::Timeout(_) => pool::gave_up(),
        PoolError::Backend(error) => pool::not_opened(error),
        PoolError::Closed => (Failure::of_class("pool_closed"), false),
        PoolError::NoRuntimeSpecified => (Failure::of_class("configuration"), false),
        PoolError::PostCreateHook(_) => (Failure::of_class("pool_hook"), false),
    }
}

/// Has the connection forget what it watches, which would have the next transaction fail, and asks
/// whether it lives, by a number. Neither is observed.
async fn recycle(connection: &mut impl ConnectionLike, number: &str) -> RecycleResult<RedisError> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("UNWATCH").ignore().cmd("PING").arg(number);
    let (answer,): (String,) = pipeline.query_async(connection).await?;
    answered(&answer, number)
}

/// The same of a cluster, whose nodes are all asked, as a pipeline would not be.
#[cfg(feature = "cluster-async")]
async fn recycle_all(
    connection: &mut impl ConnectionLike,
    number: &str,
) -> RecycleResult<RedisError> {
    redis::cmd("UNWATCH").exec_async(connection).await?;
    let mut ping = redis::cmd("PING");
    let answer: String = ping.arg(number).query_async(connection).await?;
    answered(&answer, number)
}

/// A connection that lost its place answers what was asked before.
fn answered(answer: &str, number: &str) -> RecycleResult<RedisError> {
    match answer == number {
        true => Ok(()),
        false => Err(RecycleError::message("the answer to another PING")),
    }
}

macro_rules! manages {
    ($client:ty, $connection:ty, $connect:ident, $recycle:ident) => {
        impl Manager for $client {
            type Type = $connection;
            type Error = RedisError;

            async fn create(&self) -> RedisResult<$connection> {
                self.observer().create_async(self.$connect()).await
            }

            async fn recycle(
                &self,
                connection: &mut $connection,
                metrics: &Metrics,
            ) -> RecycleResult<RedisError> {
                let number = metrics.recycle_count.to_string();
                $recycle(connection.get_mut(), &number).await
            }
        }
    };
}

manages!(
    Client,
    MultiplexedConnection,
    get_multiplexed_async_connection,
    recycle
);
#[cfg(feature = "cluster-async")]
manages!(
    crate::cluster::ClusterClient,
    crate::cluster_async::ClusterConnection,
    get_async_connection,
    recycle_all
);
#[cfg(feature = "sentinel")]
manages!(
    crate::sentinel::AsyncLockedSentinelClient,
    MultiplexedConnection,
    get_async_connection,
    recycle
);

#[cfg(test)]
mod tests {
    use super::*;
    use redis::{Cmd, Pipeline, RedisFuture, Value};

    /// Answers every `PING` with this.
    struct Answers(&'static str);

    impl Answers {
        fn answer(&self) -> Value {
            Value::BulkString(self.0.into())
        }
    }

    impl ConnectionLike for Answers {
        fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
            let answer = self.answer();
            Box::pin(async { Ok(answer) })
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            _: &'a Pipeline,
            _: usize,
            _: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            let answers = vec![Value::Okay, self.answer()];
            Box::pin(async { Ok(answers) })
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    #[tokio::test]
    async fn a_connection_that_answers_another_ping_is_given_up() {
        for (answer, is_kept) in [("7", true), ("6", false), ("PONG", false)] {
            let kept = recycle(&mut Answers(answer), "7").await.is_ok();
            assert_eq!(kept, is_kept, "{answer}");
            #[cfg(feature = "cluster-async")]
            assert_eq!(
                recycle_all(&mut Answers(answer), "7").await.is_ok(),
                is_kept
            );
        }
    }
}
