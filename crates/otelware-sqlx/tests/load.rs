//! What a pool's metrics say under load, held against the clock and against what the tasks know.
//!
//! 64 tasks share 8 connections of PostgreSQL, for 3 seconds or for as many as
//! `OTELWARE_LOAD_SECONDS` says.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use otelware_sqlx::{Instrument, PgPool, SqlOptions};
use otelware_testing::{Capture, Metric, Point};
use sqlx::Row;
use sqlx::postgres::PgPoolOptions;
use std::time::{Duration, Instant};

const POSTGRES: &str = "postgres://otelware:otelware@127.0.0.1:5432/otelware";

const TASKS: u32 = 64;
const CONNECTIONS: u32 = 8;

/// It takes 20 ms, however many rows it returns: long beside what the pool does between two uses of
/// a connection.
const QUERY: &str =
    "SELECT i FROM generate_series(1, 5) i WHERE pg_sleep(0.004) IS NOT NULL AND i <= $1";

fn run_time() -> Duration {
    let seconds = std::env::var("OTELWARE_LOAD_SECONDS").ok();
    let seconds = seconds.map_or(3.0, |text| text.parse().expect("a number of seconds"));
    Duration::from_secs_f64(seconds)
}

/// A pool with all its connections open.
async fn pool(telemetry: &Capture) -> PgPool {
    let pool = PgPoolOptions::new()
        .min_connections(CONNECTIONS)
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(30))
        .connect(POSTGRES)
        .await
        .unwrap();
    pool.instrument_with(
        SqlOptions::new()
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider())
            .with_pool_name("load"),
    )
}

/// What a task did.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    queries: u64,
    rows: u64,
    acquired: u64,
    /// From asking for connections to giving them back.
    occupied: Duration,
}

impl Done {
    fn add(&mut self, other: Self) {
        self.queries += other.queries;
        self.rows += other.rows;
        self.acquired += other.acquired;
        self.occupied += other.occupied;
    }
}

/// Queries until the time is over: through the pool, with a connection, in transactions.
async fn work(pool: PgPool, task: u32, until: Instant) -> Done {
    let mut done = Done::default();
    let mut turn = task;
    while Instant::now() < until {
        turn += 1;
        let most = i32::try_from(turn % 3).unwrap();
        let query = || sqlx::query(QUERY).bind(most);
        let asked = Instant::now();
        match turn % 4 {
            0 | 1 => {
                let rows = query().fetch_all(&pool).await.unwrap();
                done.queries += 1;
                done.rows += rows.len() as u64;
            }
            2 => {
                let mut connection = pool.acquire().await.unwrap();
                for _ in 0..2 {
                    let row = query().fetch_optional(&mut *connection).await.unwrap();
                    assert!(row.is_none_or(|row| row.len() == 1));
                    done.queries += 1;
                    done.rows += u64::from(most > 0);
                }
                drop(connection);
            }
            _ => {
                let mut transaction = pool.begin().await.unwrap();
                let rows = query().fetch_all(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
                done.queries += 3;
                done.rows += rows.len() as u64;
            }
        }
        done.occupied += asked.elapsed();
        done.acquired += 1;
    }
    done
}

/// What the pool says of one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    pending: f64,
    used: f64,
    idle: f64,
}

fn read(telemetry: &Capture) -> Reading {
    let metrics = telemetry.metrics();
    let value = |name: &str, state: Option<&str>| -> f64 {
        let metric = metrics.iter().find(|metric| metric.name == name);
        let points = metric.into_iter().flat_map(|metric| &metric.points);
        let is_of = |point: &&Point| {
            let of = point.attribute("db.client.connection.state");
            of.and_then(|of| of.as_str()) == state
        };
        points.filter(is_of).map(Point::sum).sum()
    };
    Reading {
        pending: value("db.client.connection.pending_requests", None),
        used: value("db.client.connection.count", Some("used")),
        idle: value("db.client.connection.count", Some("idle")),
    }
}

/// Waits for the connections that are on their way back, and asserts that nothing else is left.
async fn assert_at_rest(telemetry: &Capture) {
    let of = telemetry.clone();
    let is_at_rest = move || {
        let Reading {
            pending,
            used,
            idle,
        } = read(&of);
        pending == 0.0 && used == 0.0 && idle <= f64::from(CONNECTIONS)
    };
    telemetry.wait_until("a pool at rest", is_at_rest).await;
    assert_eq!(telemetry.open_spans(), 0);
}

#[track_caller]
fn assert_share(what: &str, part: f64, whole: f64, least: f64, most: f64) {
    let share = part / whole;
    eprintln!("{what}: {part:.3} of {whole:.3}: {share:.4}");
    assert!(
        (least..=most).contains(&share),
        "{what}: {part:.3} of {whole:.3} is {share:.4}, not in {least}..={most}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_and_counts_add_up() {
    let telemetry = Capture::new();
    let pool = pool(&telemetry).await;
    let began = Instant::now();
    let until = began + run_time();
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(work(pool.clone(), task, until)))
        .collect();

    // As long as all tasks work there are always as many in wait and in use, at the end as at the
    // beginning. The readings are not of one moment.
    let mut readings = Vec::new();
    let mut ticks = tokio::time::interval(run_time() / 20);
    ticks.tick().await;
    for _ in 0..18 {
        ticks.tick().await;
        let reading = read(&telemetry);
        let Reading {
            pending,
            used,
            idle,
        } = reading;
        assert!((0.0..=f64::from(TASKS)).contains(&pending), "{reading:?}");
        assert!(used >= 0.0 && idle >= 0.0, "{reading:?}");
        assert!(used + idle <= f64::from(CONNECTIONS), "{reading:?}");
        readings.push(reading);
    }
    let mut done = Done::default();
    for task in tasks {
        done.add(task.await.unwrap());
    }
    let wall = began.elapsed().as_secs_f64();
    assert_at_rest(&telemetry).await;

    let (tasks, connections) = (f64::from(TASKS), f64::from(CONNECTIONS));
    let waiters = tasks - connections;
    let (early, late) = readings.split_at(readings.len() / 2);
    for (when, readings) in [("early", early), ("late", late)] {
        let count = readings.len() as f64;
        let pending: f64 = readings.iter().map(|reading| reading.pending).sum();
        let used: f64 = readings.iter().map(|reading| reading.used).sum();
        assert_share(
            &format!("pending {when}"),
            pending,
            count * waiters,
            0.9,
            1.1,
        );
        assert_share(&format!("used {when}"), used, count * connections, 0.9, 1.0);
    }

    // Every query and every connection is counted once.
    let duration = telemetry.metric("db.client.operation.duration");
    let rows = telemetry.metric("db.client.response.returned_rows");
    let wait = telemetry.metric("db.client.connection.wait_time");
    let in_use = telemetry.metric("db.client.connection.use_time");
    let transactions = count_of(&duration, "BEGIN");
    assert_eq!(count_of(&duration, "COMMIT"), transactions);
    assert_eq!(duration.total_count(), done.queries);
    assert_eq!(rows.total_count(), done.queries - 2 * transactions);
    assert_eq!(rows.total_sum(), done.rows as f64);
    assert_eq!(wait.total_count(), done.acquired);
    assert_eq!(in_use.total_count(), done.acquired);
    let spans = telemetry.spans();
    assert_eq!(spans.len() as u64, done.queries);
    duration.assert_same_reading(&spans);
    let names: Vec<_> = telemetry.metrics().into_iter().map(|m| m.name).collect();
    assert!(
        !names.contains(&"db.client.connection.timeouts".to_owned()),
        "{names:?}"
    );

    // All the time is accounted for, and none of it twice.
    let (waited, used) = (wait.total_sum(), in_use.total_sum());
    let occupied = done.occupied.as_secs_f64();
    assert_share(
        "wait and use of the tasks' own",
        waited + used,
        occupied,
        0.97,
        1.0,
    );
    assert_share(
        "use of all connections' time",
        used,
        connections * wall,
        0.85,
        1.0,
    );
    assert_share(
        "wait and use of all tasks' time",
        waited + used,
        tasks * wall,
        0.9,
        1.0,
    );
    let ratio = waiters / connections;
    assert_share("wait to use", waited, used * ratio, 0.9, 1.2);
}

fn count_of(metric: &Metric, summary: &str) -> u64 {
    let is_of = |point: &&Point| {
        let of = point.attribute("db.query.summary");
        of.and_then(|of| of.as_str()) == Some(summary)
    };
    metric.points.iter().filter(is_of).map(Point::count).sum()
}

/// How the tasks of the next test leave off.
async fn leave_off(pool: PgPool, task: u32) {
    let short = Duration::from_millis(u64::from(task % 7));
    match task % 4 {
        // Mostly while it waits, else in the middle of the query.
        0 => {
            let query = sqlx::query(QUERY).bind(5).fetch_all(&pool);
            let _ = tokio::time::timeout(short, query).await;
        }
        1 => {
            let acquired = tokio::time::timeout(short, pool.acquire()).await;
            drop(acquired);
        }
        // The server's error.
        2 => {
            let query = sqlx::query("SELECT 1 / $1").bind(0).execute(&pool);
            assert!(query.await.is_err());
        }
        // A transaction that is dropped, perhaps before it has begun.
        _ => {
            let begun = tokio::time::timeout(short * 20, pool.begin()).await;
            drop(begun);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_abandoned_leaves_no_trace() {
    let telemetry = Capture::new();
    let pool = pool(&telemetry).await;
    for _ in 0..5 {
        let tasks: Vec<_> = (0..4 * TASKS)
            .map(|task| tokio::spawn(leave_off(pool.clone(), task)))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_at_rest(&telemetry).await;
    }
    let wait = telemetry.metric("db.client.connection.wait_time");
    let in_use = telemetry.metric("db.client.connection.use_time");
    // Whoever was given a connection has given it back.
    assert_eq!(in_use.total_count(), wait.total_count());
}
