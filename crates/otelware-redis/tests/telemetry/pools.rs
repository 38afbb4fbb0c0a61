//! Pools of connections.

use crate::expected::{
    Call, Database, assert_operations, assert_spans, command, database, options,
};
use crate::support::Server;
use otelware_redis::otelware::opentelemetry::Context;
use otelware_redis::otelware::opentelemetry::trace::{
    FutureExt, TraceContextExt, Tracer, TracerProvider,
};
use otelware_redis::otelware::semconv::SCHEMA_URL;
use otelware_redis::{Client, Instrument};
use otelware_testing::{
    Attributes, Capture, DATABASE_SECONDS, ExpectedMetric, attributes, expect_counter,
    expect_histogram, expect_span, expect_up_down_counter,
};
use redis::{AsyncCommands, Commands, Value};
use std::time::Duration;

const LIMIT: u64 = 2;

fn observed(server: &Server, telemetry: &Capture) -> Client {
    server
        .client()
        .instrument_with(options(telemetry).with_acquire_spans())
}

/// What a pool must tell.
struct Expected {
    idle: u64,
    used: u64,
    idle_min: Option<u64>,
    created: u64,
    waited: u64,
    returned: u64,
    timed_out: u64,
}

impl Expected {
    #[track_caller]
    fn assert(&self, telemetry: &Capture, database: &Database) {
        let name = || -> Attributes {
            attributes! { "db.client.connection.pool.name" => &database.pool }
        };
        let state = |state: &str| {
            attributes! {
                "db.client.connection.pool.name" => &database.pool,
                "db.client.connection.state" => state,
            }
        };
        let seconds = |metric: &str, description: &str, count: u64| {
            (count > 0).then(|| {
                expect_histogram(metric)
                    .unit("s")
                    .description(description)
                    .boundaries(&DATABASE_SECONDS)
                    .point(name(), count)
            })
        };
        let expected: Vec<(&str, Option<ExpectedMetric>)> = vec![
            (
                "db.client.connection.count",
                Some(
                    expect_up_down_counter("db.client.connection.count")
                        .unit("{connection}")
                        .description("The number of connections that are currently in state described by the state attribute.")
                        .point(state("idle"), self.idle)
                        .point(state("used"), self.used),
                ),
            ),
            (
                "db.client.connection.limit",
                Some(
                    expect_up_down_counter("db.client.connection.limit")
                        .unit("{connection}")
                        .description("The maximum number of open connections allowed.")
                        .point(name(), LIMIT),
                ),
            ),
            (
                "db.client.connection.idle.min",
                self.idle_min.map(|idle_min| {
                    expect_up_down_counter("db.client.connection.idle.min")
                        .unit("{connection}")
                        .description("The minimum number of idle open connections allowed.")
                        .point(name(), idle_min)
                }),
            ),
            (
                "db.client.connection.pending_requests",
                (self.waited + self.timed_out > 0).then(|| {
                    expect_up_down_counter("db.client.connection.pending_requests")
                        .unit("{request}")
                        .description("The number of current pending requests for an open connection.")
                        .point(name(), 0)
                }),
            ),
            (
                "db.client.connection.timeouts",
                (self.timed_out > 0).then(|| {
                    expect_counter("db.client.connection.timeouts")
                        .unit("{timeout}")
                        .description("The number of connection timeouts that have occurred trying to obtain a connection from the pool.")
                        .point(name(), self.timed_out)
                }),
            ),
            (
                "db.client.connection.create_time",
                seconds(
                    "db.client.connection.create_time",
                    "The time it took to create a new connection.",
                    self.created,
                ),
            ),
            (
                "db.client.connection.use_time",
                seconds(
                    "db.client.connection.use_time",
                    "The time between borrowing a connection and returning it to the pool.",
                    self.returned,
                ),
            ),
            (
                "db.client.connection.wait_time",
                seconds(
                    "db.client.connection.wait_time",
                    "The time it took to obtain an open connection from the pool.",
                    self.waited,
                ),
            ),
        ];
        let version = env!("CARGO_PKG_VERSION");
        let mut names = Vec::new();
        for (metric, expected) in expected {
            if let Some(expected) = expected {
                let found = telemetry.metric(metric);
                found.assert(expected.scope("otelware-redis", version, SCHEMA_URL));
                names.push(metric);
            }
        }
        let metrics = telemetry.metrics();
        let mut found: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        found.retain(|name| name.starts_with("db.client.connection."));
        found.sort_unstable();
        names.sort_unstable();
        assert_eq!(found, names);
    }
}

/// The waits and the commands, in the order they began. Questions of health have no spans.
#[track_caller]
fn assert_waits(telemetry: &Capture, database: &Database, expected: &[Option<&'static str>]) {
    let (waits, commands): (Vec<_>, Vec<_>) = telemetry
        .spans()
        .into_iter()
        .partition(|span| span.name == "acquire");
    assert_eq!(waits.len(), expected.len());
    for (wait, class) in waits.iter().zip(expected) {
        let scope = &database.scope;
        let mut span = expect_span("acquire")
            .scope(
                &scope.name,
                scope.version.as_deref().unwrap(),
                scope.schema_url.as_deref().unwrap(),
            )
            .attribute("db.system.name", "redis")
            .attribute("server.address", "127.0.0.1")
            .attribute("server.port", i64::from(database.port.unwrap()))
            .attribute("db.client.connection.pool.name", &database.pool);
        if let Some(class) = class {
            span = span.attribute("error.type", *class).error();
        }
        wait.assert(span);
    }
    assert!(
        commands.iter().all(|span| span.name == "GET"),
        "{}",
        telemetry.dump()
    );
    let calls: Vec<Call> = commands.iter().map(|_| command("GET a")).collect();
    assert!(!calls.is_empty());
    assert_operations(telemetry, database, &calls);
    for span in &commands {
        span.assert(calls[0].span(database));
    }
}

const GAVE_UP: Option<&str> = Some("pool_timed_out");

macro_rules! asynchronous {
    ($name:ident, $idle_min:expr, |$client:ident, $timeout:ident| $pool:expr) => {
        #[tokio::test]
        async fn $name() {
            let (server, telemetry) = (Server::start(), Capture::new());
            let ($client, $timeout) = (observed(&server, &telemetry), Duration::from_millis(100));
            let pool = $pool;
            {
                let mut one = pool.get().await.unwrap();
                let _: Value = one.get("a").await.unwrap();
                // Also as code that is generic over connections has it.
                let mut two = pool.get().await.unwrap();
                let _: Value = redis::cmd("GET")
                    .arg("a")
                    .query_async(&mut two)
                    .await
                    .unwrap();
                let mut pipeline = redis::pipe();
                let _: Value = pipeline.get("a").query_async(&mut two).await.unwrap();
                assert!(pool.get().await.is_err(), "there are no more");
                Expected {
                    idle: 0,
                    used: 2,
                    idle_min: $idle_min,
                    created: 2,
                    waited: 2,
                    returned: 0,
                    timed_out: 1,
                }
                .assert(&telemetry, &database(server.port()));
            }
            let clone = pool.clone();
            let mut again = clone.get().await.unwrap();
            let _: Value = again.get("a").await.unwrap();
            // The pool's own goes back unseen.
            drop(again.into_inner());
            let at = database(server.port());
            Expected {
                idle: 2,
                used: 0,
                idle_min: $idle_min,
                created: 2,
                waited: 3,
                returned: 3,
                timed_out: 1,
            }
            .assert(&telemetry, &at);
            assert_waits(&telemetry, &at, &[None, None, GAVE_UP, None]);
            drop((pool, clone));
            let metrics = telemetry.metrics();
            assert!(
                metrics
                    .iter()
                    .all(|metric| metric.name != "db.client.connection.limit")
            );
        }
    };
}

asynchronous!(bb8, None, |client, timeout| {
    otelware_redis::bb8::Pool::builder()
        .max_size(2)
        .connection_timeout(timeout)
        .build(client)
        .await
        .unwrap()
});

asynchronous!(deadpool, None, |client, timeout| {
    let pool = deadpool::managed::Pool::builder(client)
        .max_size(2)
        .wait_timeout(Some(timeout))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .unwrap();
    otelware_redis::deadpool::Pool::new(pool)
});

#[test]
fn r2d2() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let pool = otelware_redis::r2d2::Pool::builder()
        .max_size(2)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_millis(200))
        .build(observed(&server, &telemetry))
        .unwrap();
    let at = database(server.port());
    {
        let mut one = pool.get().unwrap();
        let _: Value = one.get("a").unwrap();
        let mut two = pool.get().unwrap();
        let _: Value = redis::cmd("GET").arg("a").query(&mut two).unwrap();
        assert!(pool.get_timeout(Duration::from_millis(50)).is_err());
        assert!(pool.try_get().is_none());
        Expected {
            idle: 0,
            used: 2,
            idle_min: Some(1),
            created: 2,
            waited: 2,
            returned: 0,
            timed_out: 1,
        }
        .assert(&telemetry, &at);
    }
    let mut again = pool.try_get().unwrap();
    let _: Value = again.get("a").unwrap();
    drop(again);
    Expected {
        idle: 2,
        used: 0,
        idle_min: Some(1),
        created: 2,
        waited: 2,
        returned: 3,
        timed_out: 1,
    }
    .assert(&telemetry, &at);
    assert_waits(&telemetry, &at, &[None, None, GAVE_UP]);
}

/// They are filled by the same clients, and their connections are observed.
#[tokio::test]
async fn the_libraries_own_pools() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = || server.client().instrument_with(options(&telemetry));
    let pool = bb8::Pool::builder().build(client()).await.unwrap();
    let _: Value = pool.get().await.unwrap().get("a").await.unwrap();
    let pool: deadpool::managed::Pool<_> =
        deadpool::managed::Pool::builder(client()).build().unwrap();
    let _: Value = pool.get().await.unwrap().get("a").await.unwrap();
    let pool = r2d2::Pool::builder().max_size(1).build(client()).unwrap();
    let _: Value = Commands::get(&mut *pool.get().unwrap(), "a").unwrap();
    let expected = ["GET a"; 3].map(command);
    assert_spans(&telemetry, &database(server.port()), &expected);
    let created = telemetry.metric("db.client.connection.create_time");
    assert_eq!(created.total_count(), 3);
}

/// A pool of connections to a server that is not there has none.
#[tokio::test]
async fn a_server_that_is_not_there() {
    let (mut server, telemetry) = (Server::start(), Capture::new());
    let client = observed(&server, &telemetry);
    server.kill();
    let pool = deadpool::managed::Pool::builder(client)
        .max_size(2)
        .build()
        .unwrap();
    let pool = otelware_redis::deadpool::Pool::from(pool);
    assert!(pool.get().await.is_err());
    let wait = telemetry.span("acquire");
    assert_eq!(
        wait.attribute("error.type"),
        Some(&"connection_refused".into())
    );
    let metrics = telemetry.metrics();
    let told = |name: &str| metrics.iter().any(|metric| metric.name.ends_with(name));
    assert!(told("pending_requests") && !told("timeouts") && !told("create_time"));
}

/// Instead of one that is made of the address; also of a pool that nobody has used yet.
#[tokio::test]
async fn a_name() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let options = options(&telemetry).with_pool_name("sessions");
    let client = server.client().instrument_with(options);
    let pool = deadpool::managed::Pool::builder(client)
        .max_size(2)
        .build()
        .unwrap();
    let pool = otelware_redis::deadpool::Pool::new(pool);
    let at = Database {
        pool: "sessions".to_owned(),
        ..database(server.port())
    };
    Expected {
        idle: 0,
        used: 0,
        idle_min: None,
        created: 0,
        waited: 0,
        returned: 0,
        timed_out: 0,
    }
    .assert(&telemetry, &at);
    let _: Value = pool.get().await.unwrap().get("a").await.unwrap();
    Expected {
        idle: 1,
        used: 0,
        idle_min: None,
        created: 1,
        waited: 1,
        returned: 1,
        timed_out: 0,
    }
    .assert(&telemetry, &at);
}

/// Once it is gone, another of the same client takes its place.
#[tokio::test]
async fn one_pool_after_the_other() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = server.client().instrument_with(options(&telemetry));
    let at = database(server.port());
    for round in 1..=2 {
        let pool = deadpool::managed::Pool::builder(client.clone())
            .max_size(2)
            .build()
            .unwrap();
        let pool = otelware_redis::deadpool::Pool::new(pool);
        let _: Value = pool.get().await.unwrap().get("a").await.unwrap();
        Expected {
            idle: 1,
            used: 0,
            idle_min: None,
            created: round,
            waited: round,
            returned: round,
            timed_out: 0,
        }
        .assert(&telemetry, &at);
    }
}

/// Each job waits for its turn, and its commands are its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_share_few_connections() {
    const JOBS: u64 = 20;
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = server.client().instrument_with(options(&telemetry));
    let pool = deadpool::managed::Pool::builder(client)
        .max_size(2)
        .build()
        .unwrap();
    let pool = otelware_redis::deadpool::Pool::new(pool);
    let jobs: Vec<_> = (0..JOBS)
        .map(|job| {
            let (pool, tracer) = (pool.clone(), telemetry.tracer_provider().tracer("job"));
            let context = Context::new().with_span(tracer.start(format!("job {job}")));
            let running = async move {
                let mut connection = pool.get().await.unwrap();
                let key = format!("job {job}");
                let _: Value = connection.set(&key, job).await.unwrap();
                let kept: u64 = connection.get(&key).await.unwrap();
                assert_eq!(kept, job);
                drop(connection);
                Context::current().span().end();
            };
            tokio::spawn(running.with_context(context))
        })
        .collect();
    for job in jobs {
        job.await.unwrap();
    }
    let tree = telemetry.tree();
    for job in 0..JOBS {
        let expected = format!("INTERNAL job {job}\n  CLIENT SET\n  CLIENT GET\n");
        assert!(tree.contains(&expected), "{tree}");
    }
    assert_eq!(telemetry.spans().len() as u64, 3 * JOBS);
    let at = database(server.port());
    let state = pool.status();
    assert!((1..=2).contains(&state.size), "{state:?}");
    Expected {
        idle: state.size as u64,
        used: 0,
        idle_min: None,
        created: state.size as u64,
        waited: JOBS,
        returned: JOBS,
        timed_out: 0,
    }
    .assert(&telemetry, &at);
}
