//! Savepoints whose beginning or end is dropped half-way leave the transaction around them as sqlx
//! leaves it.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used)]

use futures_util::poll;
use otelware_sqlx::{Instrument, PgConnection, PgPool, SqlOptions};
use otelware_testing::Capture;
use sqlx::postgres::PgPoolOptions;
use std::pin::pin;

/// Leaves the server at work, so that what is asked of it next has to wait.
async fn keep_busy(connection: &mut PgConnection) {
    // Sent at once, and not prepared first.
    let query = sqlx::raw_sql("SELECT pg_sleep(0.1)").execute(connection);
    assert!(poll!(pin!(query)).is_pending());
}

async fn pool(telemetry: &Capture) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .connect("postgres://otelware:otelware@127.0.0.1:5432/otelware")
        .await
        .unwrap()
        .instrument_with(SqlOptions::new().with_tracer_provider(telemetry.tracer_provider()))
}

/// That the depth is right again is seen by the names of what follows.
async fn assert_sound(telemetry: &Capture, pool: &PgPool) {
    telemetry.reset();
    let mut transaction = pool.begin().await.unwrap();
    transaction.begin().await.unwrap().commit().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(
        telemetry.tree(),
        "CLIENT BEGIN\nCLIENT SAVEPOINT\nCLIENT RELEASE SAVEPOINT\nCLIENT COMMIT\n"
    );
}

#[tokio::test]
async fn a_beginning_that_is_dropped() {
    let telemetry = Capture::new();
    let pool = pool(&telemetry).await;
    let mut transaction = pool.begin().await.unwrap();
    keep_busy(&mut transaction).await;
    assert!(poll!(pin!(transaction.begin())).is_pending());
    transaction.commit().await.unwrap();
    assert_sound(&telemetry, &pool).await;
}

#[tokio::test]
async fn an_end_that_is_dropped() {
    let telemetry = Capture::new();
    let pool = pool(&telemetry).await;
    let mut transaction = pool.begin().await.unwrap();
    let mut savepoint = transaction.begin().await.unwrap();
    keep_busy(&mut savepoint).await;
    assert!(poll!(pin!(savepoint.commit())).is_pending());
    transaction.rollback().await.unwrap();
    assert_sound(&telemetry, &pool).await;
}
