//! What SQL can be told besides what every database can.

macro_rules! option_tests {
    (
        database: $database:path,
        syntax_error: $syntax_error:literal,
    ) => {
        #[tokio::test]
        async fn filters_are_shown_summaries_and_texts() {
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
                step("BEGIN").no_span(),
                update().no_metrics(),
                names().rows(3),
            ];
            all(&telemetry, &pool, taken(1), &calls).await;

            let telemetry = Capture::new();
            let options = support::options(&telemetry);
            let pool = shop(options.with_filter(|query| query.summary.is_some())).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query("selekt").execute(&pool).await.unwrap_err();
            all(&telemetry, &pool, taken(2), &[names().rows(3)]).await;
        }

        #[tokio::test]
        async fn without_query_text() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).without_query_text()).await;
            sqlx::query(NAME_OF).bind(1).fetch_all(&pool).await.unwrap();
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            let calls = [
                name_of().without("db.query.text").rows(1),
                names().without("db.query.text").rows(3),
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
        async fn hooks_are_shown_summaries_and_texts() {
            let telemetry = Capture::new();
            let options = options(&telemetry)
                .with_span_attributes(|query| {
                    vec![KeyValue::new("shop.length", query.text.len() as i64)]
                })
                .with_metric_attributes(|query| {
                    let is_read = query
                        .summary
                        .is_some_and(|summary| summary.starts_with("select"));
                    vec![KeyValue::new("shop.read", is_read)]
                });
            let pool = shop(options).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            sqlx::query("selekt").execute(&pool).await.unwrap_err();
            let calls = [
                names()
                    .rows(3)
                    .on_span("shop.length", NAMES.len())
                    .on_metrics("shop.read", true),
                unknown_sql("selekt")
                    .fails($syntax_error)
                    .on_span("shop.length", 6)
                    .on_metrics("shop.read", false),
            ];
            all(&telemetry, &pool, taken(2), &calls).await;
        }

        #[tokio::test]
        async fn preparations_and_pings_where_they_are_wanted() {
            for wanted in [false, true] {
                let telemetry = Capture::new();
                let options = options(&telemetry);
                let pool = shop(match wanted {
                    true => options.with_prepares().with_pings(),
                    false => options,
                })
                .await;
                pool.prepare(NAMES.into_sql_str()).await.unwrap();
                let mut connection = pool.acquire().await.unwrap();
                (&mut *connection)
                    .prepare(NAMES.into_sql_str())
                    .await
                    .unwrap();
                connection.ping().await.unwrap();
                drop(connection);
                let prepare = || sql("PREPARE select orders", NAMES);
                let calls = match wanted {
                    true => vec![prepare(), prepare(), step("PING")],
                    false => Vec::new(),
                };
                all(&telemetry, &pool, taken(2), &calls).await;
            }
        }

        #[tokio::test]
        async fn the_wait_for_a_connection_where_it_is_wanted() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).with_acquire_spans()).await;
            sqlx::query(NAMES).fetch_all(&pool).await.unwrap();
            drop(pool.acquire().await.unwrap());
            pool.close().await;
            pool.acquire().await.unwrap_err();
            let spans = telemetry.spans();
            let query = telemetry.span("select orders");
            let told: Vec<_> = (spans.iter())
                .filter(|span| span.name == "acquire")
                .map(|span| {
                    assert_eq!(span.kind, SpanKind::Internal);
                    let pool = span.attribute("db.client.connection.pool.name");
                    assert_eq!(pool, Some(&$database().pool.as_str().into()));
                    let class = span.attribute("error.type").map(ToString::to_string);
                    (span.parent_span_id == Some(query.span_id), class)
                })
                .collect();
            let closed = Some("\"pool_closed\"".to_owned());
            assert_eq!(told, [(true, None), (false, None), (false, closed)]);
        }

        #[tokio::test]
        async fn a_database_has_the_system_it_is_given() {
            let telemetry = Capture::new();
            let pool = shop(options(&telemetry).with_system_name("other_sql")).await;
            sqlx::query("selekt").execute(&pool).await.unwrap_err();
            let database = support::Database {
                system: "other_sql",
                ..$database()
            };
            let call = unknown_sql("selekt").fails($syntax_error);
            assert_all(&telemetry, &database, &pool, taken(1), &[call]).await;
        }
    };
}

pub(crate) use option_tests;
