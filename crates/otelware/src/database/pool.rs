//! What a pool tells of its connections.

use super::{Client, Failure, Internal, Shared};
use crate::operation::{InFlight, Moment, Operation, Series, SeriesKey};
use crate::semconv::{attribute, boundaries, metric, unit};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Histogram, UpDownCounter};
use std::sync::Arc;

/// The key of the only attribute set that there is.
const ONLY: Option<SeriesKey> = Some([0; 4]);

/// What a pool can be asked at any time; what it does not know is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that nobody uses.
    pub idle: u64,
    /// Connections in use.
    pub used: u64,
    /// The most connections that it opens.
    pub limit: Option<u64>,
    /// The most idle connections that it keeps.
    pub idle_max: Option<u64>,
    /// The fewest idle connections that it keeps.
    pub idle_min: Option<u64>,
}

/// What a pool's metrics are measured by.
pub struct PoolMetrics {
    name: KeyValue,
    pending: Series<UpDownCounter<i64>>,
    timeouts: Counter<u64>,
    create_time: Series<Histogram<f64>>,
    wait_time: Series<Histogram<f64>>,
    use_time: Series<Histogram<f64>>,
}

impl PoolMetrics {
    /// Makes the instruments of the pool of that name. `ask` is called whenever metrics are
    /// collected; it must not keep the pool alive, and answers `None` once that is gone.
    pub fn new(
        client: &Client,
        name: String,
        ask: impl Fn() -> Option<PoolState> + Send + Sync + 'static,
    ) -> Self {
        let name = KeyValue::new(attribute::DB_CLIENT_CONNECTION_POOL_NAME, name);
        let ask: Ask = Arc::new(ask);
        observe(client, &name, &ask);
        let instrumentation = client.instrumentation();
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
            create_time: seconds(
                metric::DB_CLIENT_CONNECTION_CREATE_TIME,
                "The time it took to create a new connection.",
            ),
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

    /// Obtains a connection by `acquire`, with the wait measured, and with a span where that is
    /// wanted. `failure` tells of an error how the wait failed, and whether the pool gave up.
    pub async fn acquire<S: Shared, T, E>(
        &self,
        shared: &S,
        acquire: impl Future<Output = Result<T, E>>,
        failure: impl FnOnce(&E) -> (Failure, bool),
    ) -> Result<T, E> {
        let mut waiting = self.wait(shared);
        let acquired = match waiting.span() {
            Some(span) => span.within(acquire).await,
            None => acquire.await,
        };
        waiting.end(acquired.as_ref().err().map(failure));
        acquired
    }

    /// The same, by an `acquire` that blocks the thread.
    pub fn acquire_blocking<S: Shared, T, E>(
        &self,
        shared: &S,
        acquire: impl FnOnce() -> Result<T, E>,
        failure: impl FnOnce(&E) -> (Failure, bool),
    ) -> Result<T, E> {
        let mut waiting = self.wait(shared);
        let acquired = match waiting.span() {
            Some(span) => {
                let _entered = span.enter();
                acquire()
            }
            None => acquire(),
        };
        waiting.end(acquired.as_ref().err().map(failure));
        acquired
    }

    /// A request begins to wait for a connection. For those whose future is too large to be moved
    /// about, as [`acquire`](Self::acquire) does.
    #[inline]
    pub fn wait(&self, shared: &impl Shared) -> Waiting<'_> {
        let begin = || Internal::begin(shared, "acquire", |list| list.push(self.name.clone()));
        Waiting {
            metrics: self,
            pending: self.pending.count(ONLY, || self.attributes()),
            span: shared.options().acquire_spans.then(begin),
            since: Moment::now(),
        }
    }

    /// A connection was in use since then.
    #[inline]
    pub fn used(&self, since: Moment) {
        self.measure(&self.use_time, since, Moment::now());
    }

    /// A connection was opened, which began then.
    pub fn created(&self, since: Moment) {
        self.measure(&self.create_time, since, Moment::now());
    }

    #[inline]
    fn measure(&self, series: &Series<Histogram<f64>>, since: Moment, until: Moment) {
        let seconds = until.since(since).as_secs_f64();
        series.measure(seconds, ONLY, || self.attributes());
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

/// A request that waits for a connection. One that is dropped has come to nothing.
#[derive(Debug)]
pub struct Waiting<'a> {
    metrics: &'a PoolMetrics,
    pending: InFlight,
    span: Option<Operation<Internal>>,
    since: Moment,
}

impl Waiting<'_> {
    /// The span to wait in, where one is wanted.
    pub const fn span(&mut self) -> Option<&mut Operation<Internal>> {
        self.span.as_mut()
    }

    /// A connection was obtained, from now on; or the wait failed, and if the pool gave up is the
    /// second of a pair.
    #[inline]
    pub fn end(self, failure: Option<(Failure, bool)>) -> Moment {
        let Self {
            metrics,
            pending,
            span,
            since,
        } = self;
        let now = Moment::now();
        match &failure {
            None => metrics.measure(&metrics.wait_time, since, now),
            Some((_, true)) => metrics.timeouts.add(1, std::slice::from_ref(&metrics.name)),
            Some((_, false)) => {}
        }
        drop(pending);
        if let Some(span) = span {
            Internal::finish(span, failure.map(|(failure, _)| failure));
        }
        now
    }
}

type Ask = Arc<dyn Fn() -> Option<PoolState> + Send + Sync>;

/// Observes what the pool can be asked at any time.
fn observe(client: &Client, name: &KeyValue, ask: &Ask) {
    type Tell = fn(PoolState, &dyn AsyncInstrument<i64>, &KeyValue);
    fn number(connections: u64) -> i64 {
        i64::try_from(connections).unwrap_or(i64::MAX)
    }
    fn tell(instrument: &dyn AsyncInstrument<i64>, connections: Option<u64>, name: &KeyValue) {
        if let Some(connections) = connections {
            instrument.observe(number(connections), std::slice::from_ref(name));
        }
    }
    let count: Tell = |pool, instrument, name| {
        for (state, connections) in [("idle", pool.idle), ("used", pool.used)] {
            let state = KeyValue::new(attribute::DB_CLIENT_CONNECTION_STATE, state);
            instrument.observe(number(connections), &[name.clone(), state]);
        }
    };
    let limit: Tell = |pool, instrument, name| tell(instrument, pool.limit, name);
    let idle_max: Tell = |pool, instrument, name| tell(instrument, pool.idle_max, name);
    let idle_min: Tell = |pool, instrument, name| tell(instrument, pool.idle_min, name);
    for (metric, description, told) in [
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
            metric::DB_CLIENT_CONNECTION_IDLE_MAX,
            "The maximum number of idle open connections allowed.",
            idle_max,
        ),
        (
            metric::DB_CLIENT_CONNECTION_IDLE_MIN,
            "The minimum number of idle open connections allowed.",
            idle_min,
        ),
    ] {
        let (ask, name) = (ask.clone(), name.clone());
        client
            .instrumentation()
            .meter()
            .i64_observable_up_down_counter(metric)
            .with_unit(unit::CONNECTIONS)
            .with_description(description)
            .with_callback(move |instrument| {
                if let Some(pool) = ask() {
                    told(pool, instrument, &name);
                }
            })
            .build();
    }
}
