//! What is sqlx's own of its pools.

macro_rules! pool_tests {
    (
        driver: $driver:ty,
        shop: $shop:path,
        database: $database:path,
    ) => {
        #[tokio::test]
        async fn the_pool_is_exhausted_for_transactions() {
            let telemetry = Capture::new();
            let pool = PoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_millis(200));
            let pool = $shop(pool, options(&telemetry)).await;
            let connection = pool.acquire().await.unwrap();
            let begun = pool.begin().await;
            assert!(matches!(begun.unwrap_err(), Error::PoolTimedOut));
            assert!(pool.try_acquire().is_none());
            assert!(pool.try_begin().await.unwrap().is_none());
            drop(connection);
            let uses = Uses {
                timed_out: 1,
                ..taken(1)
            };
            all(&telemetry, &pool, uses, &[]).await;
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
        async fn a_connection_that_is_taken_if_one_is_idle_is_not_waited_for() {
            let telemetry = Capture::new();
            let pool = PoolOptions::new().min_connections(1).max_connections(3);
            let pool = $shop(pool, options(&telemetry)).await;
            let raw = pool.inner().clone();
            let all_are_idle = move || raw.num_idle() == raw.size() as usize;
            telemetry.wait_until("all are idle", all_are_idle).await;
            // Nothing is told of a pool before its first use.
            assert!(telemetry.metrics().is_empty());
            drop(pool.acquire().await.unwrap());
            let raw = pool.inner().clone();
            let one_is_idle = move || raw.num_idle() > 0;
            telemetry.wait_until("one is idle", one_is_idle).await;
            drop(pool.try_acquire().unwrap());
            let uses = Uses {
                taken: 2,
                waited: 1,
                timed_out: 0,
            };
            all(&telemetry, &pool, uses, &[]).await;
        }

        #[tokio::test]
        async fn a_pool_that_is_dropped_is_closed() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            all(&telemetry, &pool, taken(1), &[names().rows(3)]).await;
            // What observes it does not keep it alive.
            let closed = pool.close_event();
            drop(pool);
            closed.await;
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

pub(crate) use pool_tests;
