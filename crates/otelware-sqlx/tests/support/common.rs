//! The tests that are the same for all databases but for their dialects and codes.

/// Makes the tests of a driver.
///
/// `shop` opens a pool whose (first) connection has the table `orders (id, name)`, with the rows
/// `(1, 'pen')`, `(2, 'ink')` and `(3, 'cup')`; `slow` is a query that takes some time, its
/// summary and its text without literals.
macro_rules! common_tests {
    (
        driver: $driver:ty,
        shop: $shop:path,
        database: $database:path,
        values: ($one:literal, $two:literal),
        slow: ($slow:literal, $slow_summary:literal, $slow_text:literal),
        unique_violation: $unique_violation:literal,
        syntax_error: $syntax_error:literal,
        unknown_table: $unknown_table:literal,
    ) => {
        use futures_util::{FutureExt, StreamExt, TryStreamExt, future::join_all, poll};
        use otelware_sqlx::otelware::opentelemetry::logs::Severity;
        use otelware_sqlx::otelware::opentelemetry::trace::{
            TraceContextExt, Tracer, TracerProvider,
        };
        use otelware_sqlx::otelware::opentelemetry::{Context, KeyValue};
        use otelware_sqlx::otelware::operation;
        use otelware_sqlx::otelware::operation::{Cancellation, Signals};
        use otelware_sqlx::{Pool, SqlOptions, Transaction};
        use otelware_testing::{Capture, expect_log, tree};
        use sqlx::pool::PoolOptions;
        use sqlx::{Error, Executor, Row};
        use std::time::Duration;
        use support::{Call, Uses, assert_all, assert_operations, assert_spans, options, taken};

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
            Call::new("select orders", NAME_OF)
        }

        fn insert() -> Call {
            Call::new("insert orders", INSERT)
        }

        fn update() -> Call {
            Call::new("update orders", UPDATE)
        }

        fn names() -> Call {
            Call::new("select orders", NAMES)
        }

        async fn all(telemetry: &Capture, pool: &Pool<$driver>, uses: Uses, calls: &[Call]) {
            assert_all(telemetry, &$database(), pool, uses, calls).await;
        }

        #[tokio::test]
        async fn a_statement_without_rows() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let done = sqlx::query(INSERT)
                .bind(4)
                .bind("mug")
                .execute(&pool)
                .await
                .unwrap();
            assert_eq!(done.rows_affected(), 1);
            all(&telemetry, &pool, taken(1), &[insert()]).await;
        }

        #[tokio::test]
        async fn queries_with_rows() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let rows = sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            assert_eq!(rows.len(), 3);
            let typed: Vec<(i32, String)> = sqlx::query_as(NAMES).fetch_all(&pool).await.unwrap();
            assert_eq!(typed[2], (3, "cup".to_owned()));
            let one: String = sqlx::query_scalar(NAME_OF)
                .bind(2)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(one, "ink");
            // What an execution returns of rows is passed over, but came.
            sqlx::query(NAMES).execute(&pool).await.unwrap();
            let calls = [
                names().rows(3),
                names().rows(3),
                name_of().rows(1),
                names().rows(3),
            ];
            all(&telemetry, &pool, taken(4), &calls).await;
        }

        #[tokio::test]
        async fn a_stream_to_its_end() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut rows = sqlx::query(NAMES).fetch(&pool);
            let mut found = Vec::new();
            while let Some(row) = rows.try_next().await.unwrap() {
                assert_eq!(telemetry.open_spans(), 1);
                found.push(row.get::<i32, _>(0));
            }
            // It ends with its last row, not when it is dropped.
            assert_eq!(telemetry.open_spans(), 0);
            drop(rows);
            assert_eq!(found, [1, 2, 3]);
            all(&telemetry, &pool, taken(1), &[names().rows(3)]).await;
        }

        #[tokio::test]
        async fn a_stream_that_is_dropped_half_way() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut rows = sqlx::query(NAMES).fetch(&pool);
            assert!(rows.next().await.unwrap().is_ok());
            assert!(telemetry.spans().is_empty());
            drop(rows);
            all(&telemetry, &pool, taken(1), &[names().rows(1)]).await;
        }

        #[tokio::test]
        async fn a_stream_that_is_never_polled() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            drop(sqlx::query(NAMES).fetch(&pool));
            drop(pool.execute(NAMES));
            assert_eq!(telemetry.dump().lines().count(), 1, "{}", telemetry.dump());
        }

        #[tokio::test]
        async fn no_rows_are_no_error() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let found = sqlx::query(NAME_OF)
                .bind(1)
                .fetch_optional(&pool)
                .await
                .unwrap();
            assert!(found.is_some());
            let found = sqlx::query(NAME_OF)
                .bind(9)
                .fetch_optional(&pool)
                .await
                .unwrap();
            assert!(found.is_none());
            let error = sqlx::query(NAME_OF)
                .bind(9)
                .fetch_one(&pool)
                .await
                .err()
                .unwrap();
            assert!(matches!(error, Error::RowNotFound), "{error:?}");
            let found = sqlx::query(NAME_OF).bind(9).fetch_all(&pool).await.unwrap();
            assert!(found.is_empty());
            let calls = [
                name_of().rows(1),
                name_of().rows(0),
                name_of().rows(0),
                name_of().rows(0),
            ];
            all(&telemetry, &pool, taken(4), &calls).await;
        }

        #[tokio::test]
        async fn several_statements_in_one() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let text = "insert into orders (id, name) values (4, 'mug'); \
 select name from orders where id = 4";
            let rows = sqlx::raw_sql(text).fetch_all(&pool).await.unwrap();
            assert_eq!(rows[0].get::<String, _>(0), "mug");
            let call = Call::new(
                "insert orders; select orders",
                "insert into orders (id, name) values (?, ?); select name from orders where id = ?",
            );
            all(&telemetry, &pool, taken(1), &[call.rows(1)]).await;
        }

        #[tokio::test]
        async fn literals_are_masked() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query("update orders set name = 'secret' where id = 2 -- secret")
                .execute(&pool)
                .await
                .unwrap();
            let call = Call::new("update orders", "update orders set name = ? where id = ? ");
            all(&telemetry, &pool, taken(1), &[call]).await;
            telemetry.assert_never_contains("secret");
        }

        #[tokio::test]
        async fn prepared_statements() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut connection = pool.acquire().await.unwrap();
            // That it is prepared has no span.
            let statement = connection
                .prepare(sqlx::SqlStr::from_static(NAME_OF))
                .await
                .unwrap();
            assert!(telemetry.spans().is_empty());
            for id in 1..3 {
                let query = sqlx::Statement::query(&statement).bind(id);
                query.fetch_one(&mut *connection).await.unwrap();
            }
            drop(connection);
            all(
                &telemetry,
                &pool,
                taken(1),
                &[name_of().rows(1), name_of().rows(1)],
            )
            .await;
        }

        #[tokio::test]
        async fn a_constraint_is_violated() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let error = sqlx::query(INSERT)
                .bind(1)
                .bind("secret")
                .execute(&pool)
                .await
                .unwrap_err();
            assert!(
                error.as_database_error().unwrap().is_unique_violation(),
                "{error:?}"
            );
            all(
                &telemetry,
                &pool,
                taken(1),
                &[insert().fails($unique_violation)],
            )
            .await;
            telemetry.assert_never_contains("secret");
        }

        #[tokio::test]
        async fn the_syntax_is_wrong() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query("selekt 1").execute(&pool).await.unwrap_err();
            sqlx::raw_sql("select from from")
                .execute(&pool)
                .await
                .unwrap_err();
            let calls = [
                Call::new("", "selekt ?")
                    .without_summary()
                    .fails($syntax_error),
                Call::new("select from", "select from from").fails($syntax_error),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn a_table_is_unknown() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query("select name from nowhere")
                .fetch_all(&pool)
                .await
                .err()
                .unwrap();
            let call =
                Call::new("select nowhere", "select name from nowhere").fails($unknown_table);
            all(&telemetry, &pool, taken(1), &[call]).await;
        }

        #[tokio::test]
        async fn a_value_that_is_decoded_wrongly_is_none_of_the_operation() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let query = sqlx::query_scalar::<_, i32>(NAME_OF).bind(1);
            let error = query.fetch_one(&pool).await.err().unwrap();
            assert!(matches!(error, Error::ColumnDecode { .. }), "{error:?}");
            all(&telemetry, &pool, taken(1), &[name_of().rows(1)]).await;
        }

        #[tokio::test]
        async fn a_future_that_is_cancelled() {
            for (cancellation, expected) in [
                (Cancellation::Ignore, slow()),
                (Cancellation::Mark, slow().cancelled()),
                (Cancellation::Error, slow().fails_here("cancelled")),
            ] {
                let telemetry = Capture::new();
                let pool = shop(options(&telemetry).with_cancellation(cancellation)).await;
                let mut connection = pool.acquire().await.unwrap();
                let mut future = Box::pin(sqlx::query($slow).fetch_all(&mut *connection));
                assert!(poll!(&mut future).is_pending());
                drop(future);
                assert_spans(&telemetry, &$database(), std::slice::from_ref(&expected));
                drop(connection);
                all(&telemetry, &pool, taken(1), &[expected]).await;
            }
        }

        fn slow() -> Call {
            Call::new($slow_summary, $slow_text)
        }

        #[tokio::test]
        async fn a_future_that_is_cancelled_while_it_waits_for_a_connection() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let connection = pool.acquire().await.unwrap();
            let mut future = Box::pin(sqlx::query(NAMES).fetch_all(&pool));
            assert!(poll!(&mut future).is_pending());
            let pending = telemetry.metric("db.client.connection.pending_requests");
            assert_eq!(pending.total_sum(), 1.0);
            drop(future);
            drop(connection);
            all(&telemetry, &pool, taken(1), &[names()]).await;
        }

        #[tokio::test]
        async fn the_pool_is_exhausted() {
            let telemetry = Capture::new();
            let pool = PoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_millis(500));
            let pool = $shop(pool, options(&telemetry)).await;
            let connection = pool.acquire().await.unwrap();
            let used = telemetry.metric("db.client.connection.count");
            assert_eq!(used.total_sum(), 1.0);
            let (query, acquired, begun) = tokio::join!(
                sqlx::query(NAMES).fetch_all(&pool),
                pool.acquire(),
                pool.begin(),
            );
            assert!(matches!(query.err().unwrap(), Error::PoolTimedOut));
            assert!(matches!(acquired.unwrap_err(), Error::PoolTimedOut));
            assert!(matches!(begun.unwrap_err(), Error::PoolTimedOut));
            assert!(pool.try_acquire().is_none());
            drop(connection);
            let uses = Uses {
                timed_out: 3,
                ..taken(1)
            };
            all(
                &telemetry,
                &pool,
                uses,
                &[names().fails_here("pool_timed_out")],
            )
            .await;
        }

        #[tokio::test]
        async fn the_pool_is_closed() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            pool.close().await;
            let error = sqlx::query(NAMES).fetch_all(&pool).await.err().unwrap();
            assert!(matches!(error, Error::PoolClosed));
            let calls = [names().fails_here("pool_closed")];
            assert_spans(&telemetry, &$database(), &calls);
            assert_operations(&telemetry, &$database(), &calls);
            let names = ["pending_requests", "wait_time", "use_time", "timeouts"];
            let metrics = telemetry.metrics();
            let found: Vec<&str> = names
                .into_iter()
                .filter(|name| metrics.iter().any(|metric| metric.name.ends_with(name)))
                .collect();
            assert_eq!(found, ["pending_requests"]);
            let pending = telemetry.metric("db.client.connection.pending_requests");
            assert_eq!(pending.total_sum(), 0.0);
        }

        #[tokio::test]
        async fn a_transaction_that_is_committed_and_one_that_is_rolled_back() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(4)
                .bind("mug")
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            let mut transaction: Transaction<'_, $driver> = pool.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(5)
                .bind("jug")
                .execute(transaction.as_mut())
                .await
                .unwrap();
            transaction.rollback().await.unwrap();
            let rows = sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            assert_eq!(rows.len(), 4);
            let calls = [
                Call::step("BEGIN"),
                insert(),
                Call::step("COMMIT"),
                Call::step("BEGIN"),
                insert(),
                Call::step("ROLLBACK"),
                names().rows(4),
            ];
            all(&telemetry, &pool, taken(3), &calls).await;
        }

        #[tokio::test]
        async fn savepoints() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut outer = pool.begin().await.unwrap();
            let mut inner = outer.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(4)
                .bind("mug")
                .execute(&mut *inner)
                .await
                .unwrap();
            inner.commit().await.unwrap();
            let mut inner = outer.begin().await.unwrap();
            let mut innermost = inner.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(5)
                .bind("jug")
                .execute(&mut *innermost)
                .await
                .unwrap();
            innermost.rollback().await.unwrap();
            inner.rollback().await.unwrap();
            outer.commit().await.unwrap();
            let rows = sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            assert_eq!(rows.len(), 4);
            let calls = [
                Call::step("BEGIN"),
                Call::step("SAVEPOINT"),
                insert(),
                Call::step("RELEASE SAVEPOINT"),
                Call::step("SAVEPOINT"),
                Call::step("SAVEPOINT"),
                insert(),
                Call::step("ROLLBACK TO SAVEPOINT"),
                Call::step("ROLLBACK TO SAVEPOINT"),
                Call::step("COMMIT"),
                names().rows(4),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn transactions_and_savepoints_that_are_dropped() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut outer = pool.begin().await.unwrap();
            let mut inner = outer.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(4)
                .bind("mug")
                .execute(&mut *inner)
                .await
                .unwrap();
            drop(inner);
            let inner = outer.begin().await.unwrap();
            inner.commit().await.unwrap();
            sqlx::query(INSERT)
                .bind(5)
                .bind("jug")
                .execute(&mut *outer)
                .await
                .unwrap();
            drop(outer);
            let rows = sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            assert_eq!(rows.len(), 3);
            pool.begin().await.unwrap().commit().await.unwrap();
            let calls = [
                Call::step("BEGIN"),
                Call::step("SAVEPOINT"),
                insert(),
                Call::step("SAVEPOINT"),
                Call::step("RELEASE SAVEPOINT"),
                insert(),
                names().rows(3),
                Call::step("BEGIN"),
                Call::step("COMMIT"),
            ];
            all(&telemetry, &pool, taken(3), &calls).await;
        }

        #[tokio::test]
        async fn a_transaction_whose_callback_succeeds_or_fails() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut connection = pool.acquire().await.unwrap();
            for (id, expected) in [(4, true), (1, false)] {
                let result: Result<(), Error> = connection
                    .transaction(|transaction| {
                        let query = sqlx::query(INSERT).bind(id).bind("mug");
                        async move { query.execute(&mut **transaction).await.map(|_| ()) }.boxed()
                    })
                    .await;
                assert_eq!(result.is_ok(), expected);
            }
            drop(connection);
            let calls = [
                Call::step("BEGIN"),
                insert(),
                Call::step("COMMIT"),
                Call::step("BEGIN"),
                insert().fails($unique_violation),
                Call::step("ROLLBACK"),
            ];
            all(&telemetry, &pool, taken(1), &calls).await;
        }

        #[tokio::test]
        async fn without_transactions() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).without_transactions()).await;
            let mut transaction = pool.begin().await.unwrap();
            let mut inner = transaction.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(4)
                .bind("mug")
                .execute(&mut *inner)
                .await
                .unwrap();
            inner.commit().await.unwrap();
            transaction.commit().await.unwrap();
            all(&telemetry, &pool, taken(1), &[insert()]).await;
        }

        /// All that an order does, one after the other.
        async fn order(pool: &Pool<$driver>, id: i32) {
            let name: String = sqlx::query_scalar(NAME_OF)
                .bind(1)
                .fetch_one(pool)
                .await
                .unwrap();
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(id)
                .bind(&name)
                .execute(&mut *transaction)
                .await
                .unwrap();
            let mut savepoint = transaction.begin().await.unwrap();
            sqlx::query(INSERT)
                .bind(1)
                .bind(&name)
                .execute(&mut *savepoint)
                .await
                .unwrap_err();
            savepoint.rollback().await.unwrap();
            {
                let mut rows = sqlx::query(NAMES).fetch(&mut *transaction);
                rows.try_next().await.unwrap();
                // Another span is begun and ended between two rows.
                operation("packing").run(std::future::ready(())).await;
                while rows.try_next().await.unwrap().is_some() {}
            }
            sqlx::query(UPDATE)
                .bind("sold")
                .bind(id)
                .execute(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            let mut connection = pool.acquire().await.unwrap();
            sqlx::query(NAMES)
                .fetch(&mut *connection)
                .next()
                .await
                .unwrap()
                .unwrap();
            sqlx::query("delete from orders where id > 3")
                .execute(connection.as_mut())
                .await
                .unwrap();
        }

        const ORDER: &str = "\
INTERNAL POST /orders
  CLIENT select orders
  CLIENT BEGIN
  CLIENT insert orders
  CLIENT SAVEPOINT
  CLIENT insert orders
  CLIENT ROLLBACK TO SAVEPOINT
  CLIENT select orders
  CLIENT update orders
  CLIENT COMMIT
  CLIENT select orders
  CLIENT delete orders
";

        #[tokio::test]
        async fn all_of_one_order_has_its_parent() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            operation("POST /orders")
                .with_tracer_provider(telemetry.tracer_provider())
                .run(order(&pool, 4))
                .await;
            assert_eq!(telemetry.tree(), ORDER);
            let parent = telemetry.span("POST /orders");
            let calls = [
                name_of().rows(1),
                Call::step("BEGIN"),
                insert(),
                Call::step("SAVEPOINT"),
                insert().fails($unique_violation),
                Call::step("ROLLBACK TO SAVEPOINT"),
                names().rows(4),
                update(),
                Call::step("COMMIT"),
                names().rows(1),
                Call::new("delete orders", "delete from orders where id > ?"),
            ]
            .map(|call| call.child_of(&parent));
            all(&telemetry, &pool, taken(3), &calls).await;
        }

        #[tokio::test]
        async fn orders_side_by_side_have_their_own_parents() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let order = async |id: i32| {
                let name: String = sqlx::query_scalar(NAME_OF)
                    .bind(1)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                let mut transaction = pool.begin().await.unwrap();
                let insert = sqlx::query(INSERT).bind(id).bind(&name);
                insert.execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            };
            let orders = (10..18).map(|id| {
                operation("POST /orders")
                    .with_tracer_provider(telemetry.tracer_provider())
                    .run(order(id))
            });
            join_all(orders).await;
            let spans = telemetry.spans();
            let roots: Vec<_> = spans
                .iter()
                .filter(|span| span.name == "POST /orders")
                .collect();
            assert_eq!(roots.len(), 8);
            for root in roots {
                let expected = "\
INTERNAL POST /orders
  CLIENT select orders
  CLIENT BEGIN
  CLIENT insert orders
  CLIENT COMMIT
";
                assert_eq!(tree(&telemetry.trace(root.trace_id)), expected);
            }
        }

        #[tokio::test]
        async fn a_query_that_is_polled_elsewhere_has_the_parent_it_was_made_under() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let tracer = telemetry.tracer_provider().tracer("shop");
            let asked = Context::new().with_span(tracer.start("asked"));
            let polled = Context::new().with_span(tracer.start("polled"));
            let (elsewhere, within) = {
                let _guard = asked.clone().attach();
                ((&pool).execute(NAMES), (&pool).execute(NAMES))
            };
            tokio::spawn(elsewhere).await.unwrap().unwrap();
            // It belongs to what waits for it, where there is something.
            operation("waiting")
                .parent(polled.clone())
                .run(within)
                .await
                .unwrap();
            drop((asked, polled));
            let calls =
                ["asked", "polled"].map(|name| names().rows(3).child_of(&telemetry.span(name)));
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn spans_only_within_others() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).with_parent_only()).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            operation("job")
                .with_tracer_provider(telemetry.tracer_provider())
                .run(sqlx::query(NAMES).fetch_all(&pool))
                .await
                .unwrap();
            let job = telemetry.span("job");
            let calls = [names().rows(3).no_span(), names().rows(3).child_of(&job)];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn spans_of_what_takes_some_time_or_fails() {
            let telemetry = Capture::new();
            let options = options(&telemetry).with_minimum_duration(Duration::from_millis(50));
            let pool = shop(options).await;
            let job = operation("job").with_tracer_provider(telemetry.tracer_provider());
            let work = async {
                sqlx::query(INSERT)
                    .bind(1)
                    .bind("pen")
                    .execute(&pool)
                    .await
                    .unwrap_err();
                sqlx::query($slow).execute(&pool).await.unwrap();
            };
            job.run(work).await;
            let job = telemetry.span("job");
            let calls = [
                insert().fails($unique_violation).child_of(&job),
                slow().rows(1).child_of(&job),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;

            let telemetry = Capture::new();
            let options = support::options(&telemetry);
            let pool = shop(options.with_minimum_duration(Duration::from_secs(60))).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query($slow).execute(&pool).await.unwrap();
            all(
                &telemetry,
                &pool,
                taken(2),
                &[names().rows(3).no_span(), slow().rows(1).no_span()],
            )
            .await;
        }

        #[tokio::test]
        async fn filters() {
            let telemetry = Capture::new();
            let options = options(&telemetry).with_filter(|query| match query.summary {
                Some("BEGIN") => Signals::METRICS,
                Some("COMMIT") => Signals::NONE,
                _ if query.text == UPDATE => Signals::TRACES,
                _ => Signals::ALL,
            });
            let pool = shop(options).await;
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(UPDATE)
                .bind("sold")
                .bind(1)
                .execute(&mut *transaction)
                .await
                .unwrap();
            sqlx::query(NAMES)
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            let calls = [
                Call::step("BEGIN").no_span(),
                update().no_metrics(),
                names().rows(3),
            ];
            all(&telemetry, &pool, taken(1), &calls).await;

            let telemetry = Capture::new();
            let pool = shop(support::options(&telemetry).with_filter(|_| false)).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query("selekt").execute(&pool).await.unwrap_err();
            all(&telemetry, &pool, taken(2), &[]).await;
        }

        #[tokio::test]
        async fn without_query_text() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).without_query_text()).await;
            sqlx::query(NAME_OF).bind(1).fetch_all(&pool).await.unwrap();
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            let calls = [
                name_of().without_text().rows(1),
                names().without_text().rows(3),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn returned_rows_on_the_span() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).with_returned_rows()).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query(NAME_OF)
                .bind(9)
                .fetch_optional(&pool)
                .await
                .unwrap();
            sqlx::query(UPDATE)
                .bind("sold")
                .bind(1)
                .execute(&pool)
                .await
                .unwrap();
            sqlx::query(NAMES)
                .fetch(&pool)
                .next()
                .await
                .unwrap()
                .unwrap();
            let calls = [
                names().rows(3).rows_on_span(),
                name_of().rows(0).rows_on_span(),
                update(),
                names().rows(1).rows_on_span(),
            ];
            all(&telemetry, &pool, taken(4), &calls).await;
        }

        #[tokio::test]
        async fn error_messages_are_shown_if_asked_for() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).with_error_messages()).await;
            let error = sqlx::query(INSERT)
                .bind(1)
                .bind("mug")
                .execute(&pool)
                .await
                .unwrap_err();
            pool.inner().close().await;
            let closed = sqlx::query(NAMES).execute(&pool).await.unwrap_err();
            let calls = [
                insert()
                    .fails($unique_violation)
                    .described(error.to_string()),
                names()
                    .fails_here("pool_closed")
                    .described(closed.to_string()),
            ];
            assert_spans(&telemetry, &$database(), &calls);
        }

        #[tokio::test]
        async fn errors_are_events_if_asked_for_and_have_messages_if_allowed() {
            for is_allowed in [false, true] {
                let telemetry = Capture::new();
                let mut options =
                    options(&telemetry).with_logger_provider(telemetry.logger_provider());
                if is_allowed {
                    options = options.with_error_messages();
                }
                let pool = shop(options).await;
                sqlx::query(NAME_OF)
                    .bind(9)
                    .fetch_one(&pool)
                    .await
                    .err()
                    .unwrap();
                let error = sqlx::query(INSERT)
                    .bind(1)
                    .bind("mug")
                    .execute(&pool)
                    .await
                    .unwrap_err();
                let span = telemetry.span("insert orders");
                let mut event = expect_log(Severity::Warn)
                    .event_name("db.client.operation.exception")
                    .attribute("exception.type", $unique_violation)
                    .in_span(&span);
                if is_allowed {
                    event = event.attribute("exception.message", error.to_string());
                }
                assert_eq!(telemetry.logs().len(), 1);
                telemetry
                    .event("db.client.operation.exception")
                    .assert(event);
            }
        }

        #[tokio::test]
        async fn hooks_add_attributes() {
            let telemetry = Capture::new();
            let options = options(&telemetry)
                .with_span_attributes(|query| {
                    vec![
                        KeyValue::new("shop.length", query.text.len() as i64),
                        KeyValue::new("server.address", "replica"),
                        // These are not theirs to set.
                        KeyValue::new("db.system.name", "shop"),
                        KeyValue::new("error.type", "shop"),
                        KeyValue::new("db.response.status_code", "shop"),
                        KeyValue::new("db.response.returned_rows", 99),
                    ]
                })
                .with_metric_attributes(|query| {
                    let is_read = query
                        .summary
                        .is_some_and(|summary| summary.starts_with("select"));
                    vec![
                        KeyValue::new("shop.read", is_read),
                        KeyValue::new("db.system.name", "shop"),
                        KeyValue::new("error.type", "shop"),
                    ]
                });
            let pool = shop(options).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query(INSERT)
                .bind(1)
                .bind("pen")
                .execute(&pool)
                .await
                .unwrap_err();
            let hooked = |call: Call, length: usize, is_read: bool| {
                call.on_span("shop.length", length)
                    .on_span("server.address", "replica")
                    .on_metrics("shop.read", is_read)
            };
            let calls = [
                hooked(names().rows(3), NAMES.len(), true),
                hooked(insert().fails($unique_violation), INSERT.len(), false),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn a_pool_has_the_name_and_the_system_it_is_given() {
            let telemetry = Capture::new();
            let options = options(&telemetry)
                .with_pool_name("orders")
                .with_system_name("other_sql");
            let pool = shop(options).await;
            sqlx::query("selekt").execute(&pool).await.unwrap_err();
            let database = support::Database {
                system: "other_sql",
                pool: "orders".to_owned(),
                ..$database()
            };
            let call = Call::new("", "selekt")
                .without_summary()
                .fails($syntax_error);
            assert_all(&telemetry, &database, &pool, taken(1), &[call]).await;
        }

        #[tokio::test]
        async fn connections_of_a_pool_are_counted() {
            let telemetry = Capture::new();
            let pool = PoolOptions::new().min_connections(1).max_connections(3);
            let pool = $shop(pool, options(&telemetry)).await;
            let raw = pool.inner().clone();
            let all_are_idle = move || raw.num_idle() == raw.size() as usize;
            telemetry.wait_until("all are idle", all_are_idle).await;
            // Nothing is told of a pool before its first use.
            assert!(telemetry.metrics().is_empty());
            let count = |state: &str| {
                let metric = telemetry.metric("db.client.connection.count");
                let is_it = |point: &&otelware_testing::Point| {
                    point.attribute("db.client.connection.state") == Some(&state.into())
                };
                metric.points.iter().find(is_it).unwrap().sum()
            };
            let first = pool.acquire().await.unwrap();
            let second = pool.acquire().await.unwrap();
            assert_eq!(count("used"), 2.0);
            drop(first);
            let raw = pool.inner().clone();
            let one_is_used = move || raw.num_idle() + 1 == raw.size() as usize;
            telemetry.wait_until("one is used", one_is_used).await;
            assert_eq!(
                (count("used"), count("idle")),
                (1.0, f64::from(pool.size()) - 1.0)
            );
            let third = pool.try_acquire().unwrap();
            drop((second, third));
            let uses = Uses {
                taken: 3,
                waited: 2,
                timed_out: 0,
            };
            all(&telemetry, &pool, uses, &[]).await;
            let wait_time = telemetry.metric("db.client.connection.wait_time");
            let use_time = telemetry.metric("db.client.connection.use_time");
            assert!(wait_time.total_sum() > 0.0 && use_time.total_sum() > 0.0);

            // What observes a pool does not keep it alive.
            let closed = pool.close_event();
            drop(pool);
            closed.await;
            let names: Vec<String> = telemetry
                .metrics()
                .into_iter()
                .map(|metric| metric.name)
                .collect();
            let observed =
                ["count", "limit", "idle.min"].map(|name| format!("db.client.connection.{name}"));
            assert!(
                !names.iter().any(|name| observed.contains(name)),
                "{names:?}"
            );
        }

        #[tokio::test]
        async fn a_connection_that_leaves_its_pool_is_observed_still() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            let mut connection = pool.acquire().await.unwrap().detach();
            sqlx::query(NAMES).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            assert_eq!(pool.size(), 0);
            all(&telemetry, &pool, taken(1), &[names().rows(3)]).await;
        }

        #[tokio::test]
        async fn code_that_acquires_is_seen_by_the_pool() {
            async fn count<'a>(from: impl sqlx::Acquire<'a, Database = $driver>) -> usize {
                let mut connection = from.acquire().await.unwrap();
                sqlx::query(NAMES)
                    .fetch_all(&mut *connection)
                    .await
                    .unwrap()
                    .len()
            }
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            assert_eq!(count(&pool).await, 3);
            all(&telemetry, &pool, taken(1), &[]).await;
        }

        #[tokio::test]
        async fn what_is_done_with_the_drivers_own_is_not_observed() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query(NAMES).fetch_all(pool.inner()).await.unwrap();
            assert_eq!(telemetry.dump().lines().count(), 1, "{}", telemetry.dump());
            let mut connection = pool.acquire().await.unwrap();
            sqlx::query(NAMES)
                .fetch_all(connection.raw_mut())
                .await
                .unwrap();
            connection.ping().await.unwrap();
            drop(connection);
            all(&telemetry, &pool, taken(1), &[]).await;
        }
    };
}

pub(crate) use common_tests;
