//! Statements: their rows, their texts and their errors.

macro_rules! row_tests {
    (
        syntax_error: $syntax_error:literal,
        unknown_table: $unknown_table:literal,
    ) => {
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
            let call = sql(
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
            let call = sql("update orders", "update orders set name = ? where id = ? ");
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
        async fn the_syntax_is_wrong() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry)).await;
            sqlx::query("selekt 1").execute(&pool).await.unwrap_err();
            sqlx::raw_sql("select from from")
                .execute(&pool)
                .await
                .unwrap_err();
            let calls = [
                unknown_sql("selekt ?").fails($syntax_error),
                sql("select from", "select from from").fails($syntax_error),
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
            let call = sql("select nowhere", "select name from nowhere").fails($unknown_table);
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
    };
}

pub(crate) use row_tests;
