//! What a pool tells of its connections.

use crate::core::Core;
use crate::driver::Driver;
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, UpDownCounter};
use otelware::operation::{InFlight, Moment, Series};
use otelware::semconv::{attribute, boundaries, metric, unit};
use std::sync::Weak;

/// The key of the only attribute set that there is.
const ONLY: Option<otelware::operation::SeriesKey> = Some([0; 4]);

/// What a pool's metrics are measured by.
pub(crate) struct PoolMetrics {
    name: KeyValue,
    pending: Series<UpDownCounter<i64>>,
    timeouts: Counter<u64>,
    wait_time: Series<Histogram<f64>>,
    use_time: Series<Histogram<f64>>,
}

impl PoolMetrics {
    /// Makes the instruments, and observes the pool for as long as it lives.
    pub(crate) fn new<DB: Driver>(core: &Core, pool: &Weak<sqlx::Pool<DB>>) -> Self {
        let name = match &core.options().pool_name {
            Some(name) => name.clone(),
            None => core.server().pool_name(),
        };
        let name = KeyValue::new(attribute::DB_CLIENT_CONNECTION_POOL_NAME, name);
        let instrumentation = &core.running().instrumentation;
        observe(core, &name, pool);
        let seconds = |name, description| {
            instrumentation.durations(name, description, &boundaries::DATABASE_SECONDS)
        };
        Self {
            pending: instrumentation.in_flight(
                metric::DB_CLIENT_CONNECTION_PENDING_REQUESTS,
                "The number of current pending requests for an open connection.",
                unit::REQUESTS,
            ),
            timeouts: instrumentation
                .meter()
                .u64_counter(metric::DB_CLIENT_CONNECTION_TIMEOUTS)
                .with_unit(unit::TIMEOUTS)
                .with_description("The number of connection timeouts that have occurred trying to obtain a connection from the pool.")
                .build(),
            wait_time: seconds(
                metric::DB_CLIENT_CONNECTION_WAIT_TIME,
                "The time it took to obtain an open connection from the pool.",
            ),
            use_time: seconds(
                metric::DB_CLIENT_CONNECTION_USE_TIME,
                "The time between borrowing a connection and returning it to the pool.",
            ),
            name,
        }
    }

    /// A request for a connection waits until the guard is dropped.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        Waiting {
            metrics: self,
            _pending: self.pending.count(ONLY, || self.attributes()),
            since: Moment::now(),
        }
    }

    /// A connection was in use since then.
    pub(crate) fn used(&self, since: Moment) {
        let seconds = since.elapsed().as_secs_f64();
        self.use_time.measure(seconds, ONLY, || self.attributes());
    }

    fn attributes(&self) -> Vec<KeyValue> {
        vec![self.name.clone()]
    }
}

impl std::fmt::Debug for PoolMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolMetrics").finish_non_exhaustive()
    }
}

/// A request that waits for a connection.
pub(crate) struct Waiting<'a> {
    metrics: &'a PoolMetrics,
    _pending: InFlight,
    since: Moment,
}

impl Waiting<'_> {
    /// A connection was obtained, or not.
    pub(crate) fn end<T>(self, result: &Result<T, sqlx::Error>) {
        match result {
            Ok(_) => {
                let seconds = self.since.elapsed().as_secs_f64();
                let metrics = self.metrics;
                let attributes = || metrics.attributes();
                metrics.wait_time.measure(seconds, ONLY, attributes);
            }
            Err(sqlx::Error::PoolTimedOut) => {
                self.metrics.timeouts.add(1, &self.metrics.attributes());
            }
            Err(_) => {}
        }
    }
}

/// Observes what the pool can be asked at any time. The callbacks do not keep it alive.
fn observe<DB: Driver>(core: &Core, name: &KeyValue, pool: &Weak<sqlx::Pool<DB>>) {
    type Ask<DB> = fn(&sqlx::Pool<DB>, &dyn AsyncInstrument<i64>, &KeyValue);
    let count: Ask<DB> = |pool, instrument, name| {
        // Two questions, between which a connection may change its state.
        let size = i64::from(pool.size());
        let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX).min(size);
        for (state, connections) in [("idle", idle), ("used", size - idle)] {
            let state = KeyValue::new(attribute::DB_CLIENT_CONNECTION_STATE, state);
            instrument.observe(connections, &[name.clone(), state]);
        }
    };
    let limit: Ask<DB> = |pool, instrument, name| {
        let most = pool.options().get_max_connections();
        instrument.observe(i64::from(most), std::slice::from_ref(name));
    };
    let idle_min: Ask<DB> = |pool, instrument, name| {
        let fewest = pool.options().get_min_connections();
        instrument.observe(i64::from(fewest), std::slice::from_ref(name));
    };
    for (metric, description, ask) in [
        (
            metric::DB_CLIENT_CONNECTION_COUNT,
            "The number of connections that are currently in state described by the state attribute.",
            count,
        ),
        (
            metric::DB_CLIENT_CONNECTION_LIMIT,
            "The maximum number of open connections allowed.",
            limit,
        ),
        (
            metric::DB_CLIENT_CONNECTION_IDLE_MIN,
            "The minimum number of idle open connections allowed.",
            idle_min,
        ),
    ] {
        let (pool, name) = (pool.clone(), name.clone());
        core.running()
            .instrumentation
            .meter()
            .i64_observable_up_down_counter(metric)
            .with_unit(unit::CONNECTIONS)
            .with_description(description)
            .with_callback(move |instrument| {
                if let Some(pool) = pool.upgrade() {
                    ask(&pool, instrument, &name);
                }
            })
            .build();
    }
}
