//! All of an order belongs to the span that is around it.

macro_rules! order_tests {
    (
        driver: $driver:ty,
        unique_violation: $unique_violation:literal,
    ) => {
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
                step("BEGIN"),
                insert(),
                step("SAVEPOINT"),
                insert().fails($unique_violation),
                step("ROLLBACK TO SAVEPOINT"),
                names().rows(4),
                update(),
                step("COMMIT"),
                names().rows(1),
                sql("delete orders", "delete from orders where id > ?"),
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
    };
}

pub(crate) use order_tests;
