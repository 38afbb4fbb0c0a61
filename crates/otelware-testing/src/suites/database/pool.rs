//! What a pool must tell of its connections.

use super::expected::Database;
use crate::{
    Capture, DATABASE_SECONDS, ExpectedMetric, attributes, expect_counter, expect_histogram,
    expect_up_down_counter,
};

/// A pool as it is for the moment, and as it was set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// The connections that are open.
    pub open: u32,
    /// The connections that are open and not in use.
    pub idle: u32,
    /// How many may be open.
    pub limit: u32,
    /// How many are to be idle at least, where the pool knows such a number.
    pub idle_min: Option<u32>,
    /// How many may be idle at most, where the pool knows such a number.
    pub idle_max: Option<u32>,
}

impl PoolState {
    /// Whether no connection is in use.
    pub(super) const fn is_at_rest(self) -> bool {
        self.idle == self.open
    }
}

/// How often connections were taken out of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// So many were, and all came back.
    pub taken: u64,
    /// So many were waited for in vain, until a timeout.
    pub timed_out: u64,
    /// So many of those taken had been asked for and waited for, be it not for long.
    pub waited: u64,
}

/// So many connections were asked for and taken out of the pool, and came back.
pub const fn taken(taken: u64) -> Uses {
    Uses {
        taken,
        timed_out: 0,
        waited: taken,
    }
}

/// The metrics of the pool, which is at rest; gives their names.
#[track_caller]
pub(super) fn assert_pool(
    telemetry: &Capture,
    database: &Database,
    pool: PoolState,
    uses: Uses,
) -> Vec<&'static str> {
    if uses.taken + uses.waited + uses.timed_out == 0 {
        return Vec::new();
    }
    let mut expected = connections(database, pool);
    expected.extend(waits(database, uses));
    let (scope, version, schema_url) = database.scope();
    let assert = |(name, metric): (&'static str, ExpectedMetric)| {
        telemetry
            .metric(name)
            .assert(metric.scope(scope, version, schema_url));
        name
    };
    expected.into_iter().map(assert).collect()
}

/// What is observed of the pool's connections.
fn connections(database: &Database, pool: PoolState) -> Vec<(&'static str, ExpectedMetric)> {
    let of_pool = || attributes! { "db.client.connection.pool.name" => &database.pool };
    let in_state = |state: &str| {
        attributes! {
            "db.client.connection.pool.name" => &database.pool,
            "db.client.connection.state" => state,
        }
    };
    let mut expected = vec![(
        "db.client.connection.count",
        expect_up_down_counter("db.client.connection.count")
            .unit("{connection}")
            .description(
                "The number of connections that are currently in state described by the state \
                 attribute.",
            )
            .point(in_state("idle"), pool.idle)
            .point(in_state("used"), pool.open - pool.idle),
    )];
    for (name, description, number) in [
        (
            "db.client.connection.idle.max",
            "The maximum number of idle open connections allowed.",
            pool.idle_max,
        ),
        (
            "db.client.connection.idle.min",
            "The minimum number of idle open connections allowed.",
            pool.idle_min,
        ),
        (
            "db.client.connection.limit",
            "The maximum number of open connections allowed.",
            Some(pool.limit),
        ),
    ] {
        if let Some(number) = number {
            let metric = expect_up_down_counter(name)
                .unit("{connection}")
                .description(description)
                .point(of_pool(), number);
            expected.push((name, metric));
        }
    }
    expected
}

/// What is measured of those that ask for connections.
fn waits(database: &Database, uses: Uses) -> Vec<(&'static str, ExpectedMetric)> {
    let of_pool = || attributes! { "db.client.connection.pool.name" => &database.pool };
    let mut expected = Vec::new();
    if uses.waited + uses.timed_out > 0 {
        expected.push((
            "db.client.connection.pending_requests",
            expect_up_down_counter("db.client.connection.pending_requests")
                .unit("{request}")
                .description("The number of current pending requests for an open connection.")
                .point(of_pool(), 0),
        ));
    }
    if uses.timed_out > 0 {
        expected.push((
            "db.client.connection.timeouts",
            expect_counter("db.client.connection.timeouts")
                .unit("{timeout}")
                .description(
                    "The number of connection timeouts that have occurred trying to obtain a \
                     connection from the pool.",
                )
                .point(of_pool(), uses.timed_out),
        ));
    }
    for (name, description, count) in [
        (
            "db.client.connection.use_time",
            "The time between borrowing a connection and returning it to the pool.",
            uses.taken,
        ),
        (
            "db.client.connection.wait_time",
            "The time it took to obtain an open connection from the pool.",
            uses.waited,
        ),
    ] {
        if count > 0 {
            let histogram = expect_histogram(name)
                .unit("s")
                .description(description)
                .boundaries(&DATABASE_SECONDS)
                .point(of_pool(), count);
            expected.push((name, histogram));
        }
    }
    expected
}
