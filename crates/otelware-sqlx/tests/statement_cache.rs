//! Statement caches hit as often with instrumentation as without it: the same work is done through
//! sqlx's own types and through the wrappers, and the servers' statistics of it are compared.
//!
//! All of it happens within a sampled span, so that nothing that a trace could add to a statement
//! goes unnoticed.
#![cfg(all(feature = "postgres", feature = "mysql", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use futures_util::TryStreamExt;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
use otelware_sqlx::{Instrument, SqlOptions};
use otelware_testing::Capture;
use sqlx::mysql::{MySql, MySqlConnectOptions};
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions};
use sqlx::{Connection, Executor, QueryBuilder, Row, Statement};

const POSTGRES: &str = "postgres://otelware:otelware@127.0.0.1:5432/otelware";
const MARIADB: &str = "mysql://otelware:otelware@127.0.0.1:3306/otelware";

/// The caches' capacities: everything fits, or statements push each other out.
const CAPACITIES: [usize; 3] = [100, 3, 1];

/// Statements in one dialect.
struct Sql {
    one: &'static str,
    other: &'static str,
    fails: &'static str,
    many_rows: &'static str,
    fixed: &'static str,
}

const POSTGRES_SQL: Sql = Sql {
    one: "SELECT $1::int8 + 1",
    other: "SELECT $1::int8 + 2",
    fails: "SELECT 1 / $1::int8",
    many_rows: "SELECT generate_series(1, $1::int8)",
    fixed: "SELECT 17",
};

const MARIADB_SQL: Sql = Sql {
    one: "SELECT ? + 1",
    other: "SELECT ? + 2",
    // More than one row.
    fails: "SELECT (SELECT 1 UNION SELECT ?)",
    many_rows: "SELECT seq FROM seq_1_to_9 WHERE seq <= ?",
    fixed: "SELECT 17",
};

const SQLITE_SQL: Sql = Sql {
    one: "SELECT ? + 1",
    other: "SELECT ? + 2",
    fails: "SELECT abs(-9223372036854775808 + ?)",
    many_rows: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n",
    fixed: "SELECT 17",
};

/// Ordinary work with a pool of one connection, in as many ways as there are; after each step
/// `$note` is given the connection.
macro_rules! work {
    ($database:ty, $pool:expr, $sql:expr, $note:expr) => {{
        let (pool, sql, mut note) = ($pool, $sql, $note);
        // Through the pool and through a connection of it.
        for i in 0..12_i64 {
            pool.execute(sqlx::query(sql.one).bind(i)).await.unwrap();
        }
        let mut connection = pool.acquire().await.unwrap();
        for i in 0..12_i64 {
            let rows = sqlx::query(sql.one).bind(i).fetch_all(&mut *connection);
            assert_eq!(rows.await.unwrap().len(), 1);
        }
        note(&mut *connection);
        // In turn.
        for i in 0..10_i64 {
            for text in [sql.one, sql.other] {
                let row = sqlx::query(text).bind(i).fetch_one(&mut *connection);
                assert_eq!(row.await.unwrap().len(), 1);
            }
        }
        note(&mut *connection);
        // Never cached.
        for i in 0..3_i64 {
            let query = sqlx::query(sql.other).bind(i).persistent(false);
            query.execute(&mut *connection).await.unwrap();
            let query = sqlx::query("SELECT 18, 18").persistent(false);
            query.execute(&mut *connection).await.unwrap();
        }
        note(&mut *connection);
        // Without values: prepared, and as it is.
        for _ in 0..5 {
            sqlx::query(sql.fixed)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            (&mut *connection).execute("SELECT 19").await.unwrap();
            sqlx::raw_sql("SELECT 20; SELECT 21")
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        note(&mut *connection);
        // Prepared by hand.
        for i in 0..4_i64 {
            let text = sqlx::SqlStr::from_static(sql.other);
            let statement = (&mut *connection).prepare(text).await.unwrap();
            for _ in 0..3 {
                statement
                    .query()
                    .bind(i)
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
            }
        }
        note(&mut *connection);
        // One text for each number of rows.
        for count in [1, 2, 3, 2, 1, 3_i64] {
            let mut builder = QueryBuilder::<$database>::new("SELECT ");
            let mut values = builder.separated(", ");
            for i in 0..count {
                values.push_bind(i);
            }
            builder.build().fetch_one(&mut *connection).await.unwrap();
        }
        note(&mut *connection);
        // Failures.
        for _ in 0..3 {
            let query = sqlx::query(sql.fails).bind(0_i64);
            assert!(query.fetch_all(&mut *connection).await.is_err());
        }
        note(&mut *connection);
        // Streams: to the end, and dropped before.
        for _ in 0..3 {
            let mut rows = sqlx::query(sql.many_rows)
                .bind(9_i64)
                .fetch(&mut *connection);
            let mut count = 0;
            while rows.try_next().await.unwrap().is_some() {
                count += 1;
            }
            assert_eq!(count, 9);
            drop(rows);
            let mut rows = sqlx::query(sql.many_rows)
                .bind(9_i64)
                .fetch(&mut *connection);
            assert!(rows.try_next().await.unwrap().is_some());
        }
        note(&mut *connection);
        // Transactions and savepoints: committed, rolled back, dropped.
        for i in 0..6_i64 {
            let mut transaction = connection.begin().await.unwrap();
            sqlx::query(sql.one)
                .bind(i)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let mut savepoint = transaction.begin().await.unwrap();
            sqlx::query(sql.other)
                .bind(i)
                .execute(&mut *savepoint)
                .await
                .unwrap();
            match i % 3 {
                0 => savepoint.commit().await.unwrap(),
                1 => savepoint.rollback().await.unwrap(),
                _ => drop(savepoint),
            }
            sqlx::query(sql.one)
                .bind(i)
                .execute(&mut *transaction)
                .await
                .unwrap();
            match i % 3 {
                0 => transaction.commit().await.unwrap(),
                1 => transaction.rollback().await.unwrap(),
                _ => drop(transaction),
            }
        }
        sqlx::query(sql.one)
            .bind(1_i64)
            .execute(&mut *connection)
            .await
            .unwrap();
        note(&mut *connection);
        connection
    }};
}

/// Options that say as much as can be said.
fn options(telemetry: &Capture) -> SqlOptions {
    SqlOptions::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_logger_provider(telemetry.logger_provider())
        .with_returned_rows()
        .with_error_messages()
}

/// A context with a sampled span.
fn request(telemetry: &Capture) -> Context {
    let span = telemetry.tracer_provider().tracer("test").start("request");
    Context::new().with_span(span)
}

/// What the server says of its session: each row as text.
async fn said<'c, DB>(
    connection: impl Executor<'c, Database = DB>,
    sql: &'static str,
) -> Vec<String>
where
    DB: sqlx::Database,
    for<'r> String: sqlx::Decode<'r, DB> + sqlx::Type<DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
{
    let rows = sqlx::raw_sql(sql).fetch_all(connection).await.unwrap();
    let text = |row: &DB::Row| {
        let columns = (0..row.len()).map(|at| row.get::<String, _>(at));
        columns.collect::<Vec<_>>().join(" | ")
    };
    rows.iter().map(text).collect()
}

/// The statements that are prepared in the session and how often each was executed. sqlx numbers
/// them as it prepares them, so that the highest number tells how many it prepared.
const POSTGRES_STATISTICS: &str = "SELECT name, statement, (generic_plans + custom_plans)::text \
     FROM pg_prepared_statements ORDER BY name";

#[tokio::test]
async fn postgres_prepares_and_executes_as_often() {
    for capacity in CAPACITIES {
        let server: PgConnectOptions = POSTGRES.parse().unwrap();
        let server = server.statement_cache_capacity(capacity);
        let connect = || {
            let pool = sqlx::pool::PoolOptions::<Postgres>::new().max_connections(1);
            pool.connect_lazy_with(server.clone())
        };

        let pool = connect();
        let mut sizes = Vec::new();
        let mut connection = work!(
            Postgres,
            &pool,
            &POSTGRES_SQL,
            |c: &mut sqlx::PgConnection| {
                sizes.push(c.cached_statements_size());
            }
        );
        let expected = said(&mut *connection, POSTGRES_STATISTICS).await;
        drop(connection);
        pool.close().await;

        let telemetry = Capture::new();
        let pool = connect().instrument_with(options(&telemetry));
        let mut wrapped_sizes = Vec::new();
        let work = async {
            let mut connection = work!(
                Postgres,
                &pool,
                &POSTGRES_SQL,
                |c: &mut otelware_sqlx::PgConnection| {
                    wrapped_sizes.push(c.cached_statements_size());
                }
            );
            said(&mut *connection, POSTGRES_STATISTICS).await
        };
        let statistics = work.with_context(request(&telemetry)).await;
        pool.close().await;

        assert_eq!(statistics, expected, "with a capacity of {capacity}");
        assert_eq!(wrapped_sizes, sizes, "with a capacity of {capacity}");
        assert!(telemetry.spans().len() > 100, "the work was observed");
        if capacity == 100 {
            // 12 + 12 + 10 + 12 + 1, by one preparation.
            let one = format!("sqlx_s_1 | {} | 47", POSTGRES_SQL.one);
            assert!(expected.contains(&one), "{expected:#?}");
        }
    }
}

/// All that a session counts of its statements, prepared and not.
const MARIADB_STATISTICS: &str = "SHOW SESSION STATUS WHERE Variable_name LIKE 'Com\\_stmt\\_%' \
     OR Variable_name IN ('Com_select', 'Com_begin', 'Com_commit', 'Com_rollback', \
     'Com_savepoint', 'Com_release_savepoint', 'Com_rollback_to_savepoint', 'Com_set_option')";

#[tokio::test]
async fn mariadb_prepares_and_executes_as_often() {
    for capacity in CAPACITIES {
        let server: MySqlConnectOptions = MARIADB.parse().unwrap();
        let server = server.statement_cache_capacity(capacity);
        let connect = || {
            let pool = sqlx::pool::PoolOptions::<MySql>::new().max_connections(1);
            pool.connect_lazy_with(server.clone())
        };

        let pool = connect();
        let mut sizes = Vec::new();
        let mut connection = work!(
            MySql,
            &pool,
            &MARIADB_SQL,
            |c: &mut sqlx::MySqlConnection| {
                sizes.push(c.cached_statements_size());
            }
        );
        let expected = said(&mut *connection, MARIADB_STATISTICS).await;
        drop(connection);
        pool.close().await;

        let telemetry = Capture::new();
        let pool = connect().instrument_with(options(&telemetry));
        let mut wrapped_sizes = Vec::new();
        let work = async {
            let mut connection = work!(
                MySql,
                &pool,
                &MARIADB_SQL,
                |c: &mut otelware_sqlx::MySqlConnection| {
                    wrapped_sizes.push(c.cached_statements_size());
                }
            );
            said(&mut *connection, MARIADB_STATISTICS).await
        };
        let statistics = work.with_context(request(&telemetry)).await;
        pool.close().await;

        assert_eq!(statistics, expected, "with a capacity of {capacity}");
        assert_eq!(wrapped_sizes, sizes, "with a capacity of {capacity}");
        assert!(telemetry.spans().len() > 100, "the work was observed");
        if capacity == 100 {
            let count = |name: &str| -> u32 {
                let line = expected.iter().find_map(|line| line.strip_prefix(name));
                line.expect("a count")
                    .trim_start_matches(" | ")
                    .parse()
                    .unwrap()
            };
            // Each of 8 texts once, and what is never cached each time.
            assert_eq!(count("Com_stmt_prepare"), 8 + 6);
            assert_eq!(count("Com_stmt_execute"), 101);
        }
    }
}

#[tokio::test]
async fn sqlite_keeps_as_many_statements() {
    for capacity in CAPACITIES {
        let connect = || {
            let options = SqliteConnectOptions::new().in_memory(true);
            let options = options.statement_cache_capacity(capacity);
            let pool = sqlx::pool::PoolOptions::<Sqlite>::new().max_connections(1);
            pool.connect_lazy_with(options)
        };

        let pool = connect();
        let mut sizes = Vec::new();
        let mut connection = work!(
            Sqlite,
            &pool,
            &SQLITE_SQL,
            |c: &mut sqlx::SqliteConnection| {
                sizes.push(c.cached_statements_size());
            }
        );
        connection.clear_cached_statements().await.unwrap();
        sizes.push(connection.cached_statements_size());

        let telemetry = Capture::new();
        let pool = connect().instrument_with(options(&telemetry));
        let mut wrapped_sizes = Vec::new();
        let work = async {
            let mut connection = work!(
                Sqlite,
                &pool,
                &SQLITE_SQL,
                |c: &mut otelware_sqlx::SqliteConnection| {
                    wrapped_sizes.push(c.cached_statements_size());
                }
            );
            connection.clear_cached_statements().await.unwrap();
            wrapped_sizes.push(connection.cached_statements_size());
        };
        work.with_context(request(&telemetry)).await;

        assert_eq!(wrapped_sizes, sizes, "with a capacity of {capacity}");
        assert!(telemetry.spans().len() > 100, "the work was observed");
        if capacity == 100 {
            assert_eq!(sizes, [1, 2, 2, 3, 3, 6, 7, 8, 8, 0]);
        }
    }
}
