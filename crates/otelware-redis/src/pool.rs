//! What pools of connections have in common, whoever made them.

use crate::core::Core;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
use crate::error;
use otelware::database::{Failure, PoolMetrics, PoolState, Shared};
use otelware::operation::Moment;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
use redis::RedisError;
use redis::{Cmd, RedisResult};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// What a pool can be asked at any time.
type Ask = Box<dyn Fn() -> Option<PoolState> + Send + Sync>;

/// What the pool says, while it is there.
fn told(ask: &Mutex<Option<Ask>>) -> Option<PoolState> {
    let ask = ask.lock().unwrap_or_else(PoisonError::into_inner);
    ask.as_ref()?()
}

/// What a client knows of the pool of its connections.
#[derive(Default)]
pub(crate) struct PoolTelemetry {
    metrics: OnceLock<PoolMetrics>,
    /// Known once there is a pool, which opens its first connections before.
    ask: Arc<Mutex<Option<Ask>>>,
}

impl std::fmt::Debug for PoolTelemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolTelemetry").finish_non_exhaustive()
    }
}

impl PoolTelemetry {
    /// Of several pools of one client, the first is told of: they have one name.
    fn tell(&self, ask: Ask) {
        let mut known = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known().is_none()) {
            *known = Some(ask);
        }
    }
}

impl Core {
    fn pool_metrics(&self) -> &PoolMetrics {
        self.pool.metrics.get_or_init(|| {
            let name = match &self.options().shared.pool_name {
                Some(name) => name.clone(),
                None => self.server().pool_name(),
            };
            let ask = self.pool.ask.clone();
            PoolMetrics::new(self.client(), name, move || told(&ask))
        })
    }
}

/// What a pool's connections are observed by.
#[derive(Clone, Debug)]
pub struct Observer(Arc<Core>);

impl Observer {
    pub(crate) const fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// The pool that is observed, of which `state` tells. It is not kept alive.
    pub(crate) fn observe<P: Send + Sync + 'static>(
        &self,
        pool: &Arc<P>,
        state: impl Fn(&P) -> PoolState + Send + Sync + 'static,
    ) {
        let pool: Weak<P> = Arc::downgrade(pool);
        let ask = move || pool.upgrade().map(|pool| state(&pool));
        self.0.pool.tell(Box::new(ask));
        // So that one that nobody has used yet is told of as well.
        self.0.pool_metrics();
    }

    /// Opens a connection, the time of which is measured.
    #[cfg(feature = "r2d2")]
    pub(crate) fn create<T>(&self, create: impl FnOnce() -> RedisResult<T>) -> RedisResult<T> {
        let since = Moment::now();
        let created = create()?;
        self.0.pool_metrics().created(since);
        Ok(created)
    }

    /// The same, asynchronously.
    #[cfg(any(feature = "bb8", feature = "deadpool"))]
    pub(crate) async fn create_async<T>(
        &self,
        create: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        let since = Moment::now();
        let created = create.await?;
        self.0.pool_metrics().created(since);
        Ok(created)
    }

    /// Waits for a connection, which is measured, as is its use.
    #[cfg(any(feature = "bb8", feature = "deadpool"))]
    pub(crate) async fn acquire<G, E>(
        &self,
        acquire: impl Future<Output = Result<G, E>>,
        failure: impl FnOnce(&E) -> (Failure, bool),
    ) -> Result<PooledConnection<G>, E> {
        let metrics = self.0.pool_metrics();
        let guard = metrics.acquire(&*self.0, acquire, failure).await?;
        Ok(self.used(guard))
    }

    /// The same, blocking the thread.
    #[cfg(feature = "r2d2")]
    pub(crate) fn acquire_blocking<G, E>(
        &self,
        acquire: impl FnOnce() -> Result<G, E>,
        failure: impl FnOnce(&E) -> (Failure, bool),
    ) -> Result<PooledConnection<G>, E> {
        let metrics = self.0.pool_metrics();
        let guard = metrics.acquire_blocking(&*self.0, acquire, failure)?;
        Ok(self.used(guard))
    }

    /// A connection is in use from now on.
    pub(crate) fn used<G>(&self, guard: G) -> PooledConnection<G> {
        PooledConnection {
            _used: Used {
                since: Moment::now(),
                core: self.0.clone(),
            },
            guard,
        }
    }
}

/// How the wait for a connection failed, where the pool gave up.
pub(crate) fn gave_up() -> (Failure, bool) {
    (Failure::of_class("pool_timed_out"), true)
}

/// How the wait for a connection failed, where that could not be opened.
#[cfg(any(feature = "bb8", feature = "deadpool"))]
pub(crate) fn not_opened(error: &RedisError) -> (Failure, bool) {
    (error::failure(error), false)
}

/// The health of a connection, by a `PING` that is not observed.
#[cfg(feature = "bb8")]
pub(crate) async fn ping_async(
    connection: &mut impl redis::aio::ConnectionLike,
) -> RedisResult<()> {
    answered(Cmd::ping().query_async(connection).await?)
}

/// The same, blocking the thread.
#[cfg(feature = "r2d2")]
pub(crate) fn ping(connection: &mut impl redis::ConnectionLike) -> RedisResult<()> {
    answered(Cmd::ping().query(connection)?)
}

#[cfg(any(feature = "bb8", feature = "r2d2"))]
fn answered(answer: String) -> RedisResult<()> {
    match answer.as_str() {
        "PONG" => Ok(()),
        _ => Err((
            redis::ErrorKind::UnexpectedReturnType,
            "ping request",
            answer,
        )
            .into()),
    }
}

/// What hands out connections that are observed: a client of ours.
pub trait Manages {
    /// What they are observed by.
    #[doc(hidden)]
    fn observer(&self) -> Observer;
}

impl<C> Manages for crate::Instrumented<C> {
    fn observer(&self) -> Observer {
        Observer::new(self.core().clone())
    }
}

/// A connection that goes back to its pool when it is dropped, as the pool's own `G` does. How long
/// it was in use is measured.
#[derive(Debug)]
pub struct PooledConnection<G> {
    // First, so that it ends before the connection is back.
    _used: Used,
    guard: G,
}

#[derive(Debug)]
struct Used {
    since: Moment,
    core: Arc<Core>,
}

impl Drop for Used {
    fn drop(&mut self) {
        self.core.pool_metrics().used(self.since);
    }
}

impl<G> PooledConnection<G> {
    /// The pool's own, whose use is measured no longer.
    pub fn into_inner(self) -> G {
        self.guard
    }
}

impl<G: Deref> Deref for PooledConnection<G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut> DerefMut for PooledConnection<G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

// That of connections that block comes with `DerefMut`.
#[cfg(feature = "aio")]
impl<G> redis::aio::ConnectionLike for PooledConnection<G>
where
    G: DerefMut<Target: redis::aio::ConnectionLike + Sized>,
{
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> redis::RedisFuture<'a, redis::Value> {
        (**self).req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> redis::RedisFuture<'a, Vec<redis::Value>> {
        (**self).req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        (**self).get_db()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::{hint, thread};

    fn of_limit(limit: u64) -> Option<PoolState> {
        Some(PoolState {
            limit: Some(limit),
            ..PoolState::default()
        })
    }

    #[test]
    fn the_first_of_two_pools_is_told_of_until_it_is_gone() {
        let telemetry = PoolTelemetry::default();
        let first = Arc::new(());
        let weak = Arc::downgrade(&first);
        telemetry.tell(Box::new(move || {
            weak.upgrade()?;
            of_limit(1)
        }));
        telemetry.tell(Box::new(|| of_limit(2)));
        assert_eq!(told(&telemetry.ask), of_limit(1));
        drop(first);
        assert_eq!(told(&telemetry.ask), None);
        telemetry.tell(Box::new(|| of_limit(3)));
        assert_eq!(told(&telemetry.ask), of_limit(3));
    }

    /// Which one that is stays as it is once either knows.
    #[test]
    fn two_pools_that_are_made_at_once_agree() {
        for _ in 0..2_000 {
            let (telemetry, ready) = (PoolTelemetry::default(), AtomicUsize::new(0));
            let make = |limit| {
                let ask = Box::new(move || of_limit(limit));
                ready.fetch_add(1, Ordering::SeqCst);
                // At once: a barrier would let one go before the other.
                while ready.load(Ordering::SeqCst) < 2 {
                    hint::spin_loop();
                }
                telemetry.tell(ask);
                told(&telemetry.ask)
            };
            let (one, other) = thread::scope(|scope| {
                let other = scope.spawn(|| make(2));
                (make(1), other.join().unwrap())
            });
            assert_eq!(one, other);
        }
    }
}
