//! The tests that are the same for all databases but for their dialects and codes.

pub(crate) mod orders;
pub(crate) mod pools;
pub(crate) mod rows;
pub(crate) mod told;
pub(crate) mod transactions;

/// Makes the tests of a driver.
///
/// `shop` opens a pool whose (first) connection has the table `orders (id, name)`, with the rows
/// `(1, 'pen')`, `(2, 'ink')` and `(3, 'cup')`; `lost` opens one of a database that is not there,
/// and tells which. `slow` is a query that takes some time and returns one row, its summary and its
/// text without literals.
macro_rules! common_tests {
    (
        driver: $driver:ty,
        shop: $shop:path,
        lost: $lost:path,
        unreachable: $unreachable:expr,
        database: $database:path,
        values: ($one:literal, $two:literal),
        slow: ($slow:literal, $slow_summary:literal, $slow_text:literal),
        unique_violation: $unique_violation:literal,
        syntax_error: $syntax_error:literal,
        unknown_table: $unknown_table:literal,
    ) => {
        use futures_util::{FutureExt, StreamExt, TryStreamExt, future::join_all};
        use otelware_sqlx::otelware::opentelemetry::trace::{
            SpanKind, TraceContextExt, Tracer, TracerProvider,
        };
        use otelware_sqlx::otelware::opentelemetry::{Context, KeyValue};
        use otelware_sqlx::otelware::operation;
        use otelware_sqlx::otelware::operation::Signals;
        use otelware_sqlx::{Pool, PoolConnection, SqlOptions, Transaction};
        use otelware_testing::suites::database::{
            Action, DatabaseUnderTest, Failure, PoolState, PooledDatabaseUnderTest, SECRET, Setup,
            Uses, taken,
        };
        use otelware_testing::{Capture, tree};
        use sqlx::pool::PoolOptions;
        use sqlx::{AssertSqlSafe, Error, Executor, Row, SqlSafeStr};
        use std::time::Duration;
        use support::{
            Call, assert_all, assert_operations, assert_spans, options, sql, step, under_test,
            unknown_sql,
        };

        const NAME_OF: &str = concat!("select name from orders where id = ", $one);
        const INSERT: &str = concat!(
            "insert into orders (id, name) values (",
            $one,
            ", ",
            $two,
            ")"
        );
        const UPDATE: &str = concat!("update orders set name = ", $one, " where id = ", $two);
        const NAMES: &str = "select id, name from orders order by id";

        async fn shop(options: SqlOptions) -> Pool<$driver> {
            $shop(PoolOptions::new().max_connections(1), options).await
        }

        fn name_of() -> Call {
            sql("select orders", NAME_OF)
        }

        fn insert() -> Call {
            sql("insert orders", INSERT)
        }

        fn update() -> Call {
            sql("update orders", UPDATE)
        }

        fn names() -> Call {
            sql("select orders", NAMES)
        }

        async fn all(telemetry: &Capture, pool: &Pool<$driver>, uses: Uses, calls: &[Call]) {
            assert_all(telemetry, &$database(), pool, uses, calls).await;
        }

        fn slow() -> Call {
            sql($slow_summary, $slow_text)
        }

        struct UnderTest {
            pool: Pool<$driver>,
            database: support::Database,
        }

        impl DatabaseUnderTest for UnderTest {
            type Error = Error;

            const UNREACHABLE: Failure = $unreachable;

            async fn connect(setup: &Setup) -> Self {
                let options = under_test::sql_options(setup);
                Self {
                    pool: $shop(under_test::pool_options(setup), options).await,
                    database: under_test::named($database(), setup),
                }
            }

            async fn unreachable(setup: &Setup) -> Self {
                let options = under_test::sql_options(setup);
                let pool = under_test::pool_options(setup);
                let pool = pool.acquire_timeout(Duration::from_millis(200));
                let (pool, database) = $lost(pool, options).await;
                Self { pool, database }
            }

            fn database(&self) -> support::Database {
                self.database.clone()
            }

            fn expected(&self, action: Action) -> Call {
                match action {
                    Action::Write => update(),
                    Action::Read => names().rows(3),
                    Action::FindNothing => name_of().rows(0),
                    Action::Fail | Action::FailWithSecret => insert().fails($unique_violation),
                    Action::Wait => slow().rows(1),
                    Action::CarrySecret => {
                        sql("update orders", "update orders set name = ? where id = ?")
                    }
                }
            }

            async fn run(&self, action: Action) -> Result<u64, Error> {
                act(&self.pool, action).await
            }

            fn pool(&self) -> Option<PoolState> {
                Some(support::state(&self.pool))
            }
        }

        impl PooledDatabaseUnderTest for UnderTest {
            type Connection = PoolConnection<$driver>;

            const EXHAUSTED: &'static str = "pool_timed_out";

            async fn acquire(&self) -> Result<Self::Connection, Error> {
                self.pool.acquire().await
            }

            async fn run_on(
                connection: &mut Self::Connection,
                action: Action,
            ) -> Result<u64, Error> {
                act(&mut **connection, action).await
            }
        }

        async fn act<'e>(
            executor: impl Executor<'e, Database = $driver>,
            action: Action,
        ) -> Result<u64, Error> {
            let rows = match action {
                Action::Write => {
                    let query = sqlx::query(UPDATE).bind("sold").bind(2);
                    assert_eq!(query.execute(executor).await?.rows_affected(), 1);
                    0
                }
                Action::Read => sqlx::query(NAMES).fetch_all(executor).await?.len(),
                Action::FindNothing => {
                    match sqlx::query(NAME_OF).bind(9).fetch_one(executor).await {
                        Err(Error::RowNotFound) => 0,
                        Err(error) => return Err(error),
                        Ok(_) => 1,
                    }
                }
                Action::Fail | Action::FailWithSecret => {
                    let name = match action {
                        Action::Fail => "pen",
                        _ => SECRET,
                    };
                    let result = sqlx::query(INSERT).bind(1).bind(name).execute(executor);
                    let error = result.await.unwrap_err();
                    assert!(error.as_database_error().unwrap().is_unique_violation());
                    return Err(error);
                }
                Action::Wait => sqlx::query($slow).fetch_all(executor).await?.len(),
                Action::CarrySecret => {
                    let text = format!("update orders set name = '{SECRET}' where id = 2");
                    sqlx::query(AssertSqlSafe(text)).execute(executor).await?;
                    0
                }
            };
            Ok(rows as u64)
        }

        mod suite {
            otelware_testing::database_suite!(super::UnderTest, pooled);
        }

        support::common::rows::row_tests! {
            syntax_error: $syntax_error,
            unknown_table: $unknown_table,
        }
        support::common::transactions::transaction_tests! {
            driver: $driver,
            unique_violation: $unique_violation,
        }
        support::common::orders::order_tests! {
            driver: $driver,
            unique_violation: $unique_violation,
        }
        support::common::told::option_tests! {
            database: $database,
            syntax_error: $syntax_error,
        }
        support::common::pools::pool_tests! {
            driver: $driver,
            shop: $shop,
            database: $database,
        }
    };
}

pub(crate) use common_tests;
