//! Transactions and savepoints.

macro_rules! transaction_tests {
    (
        driver: $driver:ty,
        unique_violation: $unique_violation:literal,
    ) => {
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
                step("BEGIN"),
                insert(),
                step("COMMIT"),
                step("BEGIN"),
                insert(),
                step("ROLLBACK"),
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
                step("BEGIN"),
                step("SAVEPOINT"),
                insert(),
                step("RELEASE SAVEPOINT"),
                step("SAVEPOINT"),
                step("SAVEPOINT"),
                insert(),
                step("ROLLBACK TO SAVEPOINT"),
                step("ROLLBACK TO SAVEPOINT"),
                step("COMMIT"),
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
                step("BEGIN"),
                step("SAVEPOINT"),
                insert(),
                step("SAVEPOINT"),
                step("RELEASE SAVEPOINT"),
                insert(),
                names().rows(3),
                step("BEGIN"),
                step("COMMIT"),
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
                step("BEGIN"),
                insert(),
                step("COMMIT"),
                step("BEGIN"),
                insert().fails($unique_violation),
                step("ROLLBACK"),
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
    };
}

pub(crate) use transaction_tests;
