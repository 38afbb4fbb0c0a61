//! The store's pool, which is observed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use otelware_testing::DATABASE_SECONDS;
use otelware_testing::suites::database::{PoolState, Setup};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::faults::{
    NO_TIMEOUTS, OBSERVED_FOR_EVER, PENDING_FOR_EVER, POOL_NAME_IGNORED, USED_FOR_EVER,
};
use crate::store::Error;

/// Connections are opened as they are asked for, and stay open.
pub struct Pool {
    shared: Arc<Shared>,
    timeout: Duration,
    name: [KeyValue; 1],
    pending: UpDownCounter<i64>,
    timeouts: Counter<u64>,
    wait_time: Histogram<f64>,
    use_time: Histogram<f64>,
    fault: usize,
}

struct Shared {
    permits: Arc<Semaphore>,
    limit: u32,
    open: AtomicU32,
    used: AtomicU32,
}

/// One that is in use.
pub struct Connection {
    shared: Arc<Shared>,
    name: [KeyValue; 1],
    use_time: Histogram<f64>,
    since: Instant,
    fault: usize,
    _permit: OwnedSemaphorePermit,
}

/// A request that waits.
struct Pending<'a>(&'a Pool);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if self.0.fault != PENDING_FOR_EVER {
            self.0.pending.add(-1, &self.0.name);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.fault != USED_FOR_EVER {
            self.use_time
                .record(self.since.elapsed().as_secs_f64(), &self.name);
        }
        self.shared.used.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    fn state(&self) -> PoolState {
        let open = self.open.load(Ordering::Relaxed);
        PoolState {
            open,
            idle: open - self.used.load(Ordering::Relaxed),
            limit: self.limit,
            idle_min: None,
            idle_max: Some(self.limit),
        }
    }
}

impl Pool {
    pub fn new(setup: &Setup, meter: &Meter, name: &str, fault: usize) -> Self {
        let name = match fault {
            POOL_NAME_IGNORED => "store",
            _ => name,
        };
        let shared = Arc::new(Shared {
            permits: Arc::new(Semaphore::new(setup.connections as usize)),
            limit: setup.connections,
            open: AtomicU32::new(0),
            used: AtomicU32::new(0),
        });
        let name = KeyValue::new("db.client.connection.pool.name", name.to_owned());
        observe(meter, &name, &shared, fault);
        let seconds = |name: &'static str, description: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .with_boundaries(DATABASE_SECONDS.to_vec())
                .build()
        };
        Self {
            shared,
            timeout: setup.acquire_timeout.unwrap_or(Duration::from_secs(30)),
            name: [name],
            pending: meter
                .i64_up_down_counter("db.client.connection.pending_requests")
                .with_unit("{request}")
                .with_description("The number of current pending requests for an open connection.")
                .build(),
            timeouts: meter
                .u64_counter("db.client.connection.timeouts")
                .with_unit("{timeout}")
                .with_description(
                    "The number of connection timeouts that have occurred trying to obtain a \
                     connection from the pool.",
                )
                .build(),
            wait_time: seconds(
                "db.client.connection.wait_time",
                "The time it took to obtain an open connection from the pool.",
            ),
            use_time: seconds(
                "db.client.connection.use_time",
                "The time between borrowing a connection and returning it to the pool.",
            ),
            fault,
        }
    }

    pub fn state(&self) -> PoolState {
        self.shared.state()
    }

    pub async fn acquire(&self) -> Result<Connection, Error> {
        let since = Instant::now();
        self.pending.add(1, &self.name);
        let pending = Pending(self);
        let permits = self.shared.permits.clone();
        let permit = tokio::time::timeout(self.timeout, permits.acquire_owned()).await;
        drop(pending);
        let Ok(Ok(permit)) = permit else {
            if self.fault != NO_TIMEOUTS {
                self.timeouts.add(1, &self.name);
            }
            return Err(Error::Exhausted);
        };
        let now = Instant::now();
        self.wait_time
            .record((now - since).as_secs_f64(), &self.name);
        let used = self.shared.used.fetch_add(1, Ordering::Relaxed) + 1;
        self.shared.open.fetch_max(used, Ordering::Relaxed);
        Ok(Connection {
            shared: self.shared.clone(),
            name: self.name.clone(),
            use_time: self.use_time.clone(),
            since: now,
            fault: self.fault,
            _permit: permit,
        })
    }
}

/// Observes the pool for as long as it lives.
fn observe(meter: &Meter, name: &KeyValue, shared: &Arc<Shared>, fault: usize) {
    if fault == OBSERVED_FOR_EVER {
        std::mem::forget(shared.clone());
    }
    for (metric, description, number) in [
        (
            "db.client.connection.idle.max",
            "The maximum number of idle open connections allowed.",
            (|state| state.idle_max.unwrap_or_default()) as fn(PoolState) -> u32,
        ),
        (
            "db.client.connection.limit",
            "The maximum number of open connections allowed.",
            |state| state.limit,
        ),
    ] {
        let (shared, name) = (Arc::downgrade(shared), name.clone());
        meter
            .i64_observable_up_down_counter(metric)
            .with_unit("{connection}")
            .with_description(description)
            .with_callback(move |instrument| {
                if let Some(shared) = shared.upgrade() {
                    let number = number(shared.state());
                    instrument.observe(number.into(), std::slice::from_ref(&name));
                }
            })
            .build();
    }
    let (shared, name) = (Arc::downgrade(shared), name.clone());
    meter
        .i64_observable_up_down_counter("db.client.connection.count")
        .with_unit("{connection}")
        .with_description(
            "The number of connections that are currently in state described by the state \
             attribute.",
        )
        .with_callback(move |instrument| {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let state = shared.state();
            for (key, number) in [("idle", state.idle), ("used", state.open - state.idle)] {
                let key = KeyValue::new("db.client.connection.state", key);
                instrument.observe(number.into(), &[name.clone(), key]);
            }
        })
        .build();
}
