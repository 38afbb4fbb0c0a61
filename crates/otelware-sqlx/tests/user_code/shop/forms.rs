//! The forms in which code keeps pools, connections and transactions, and hands them on.

use super::db::{PgConnection, PgPool, PgTransaction, Postgres};
use futures_util::{Stream, TryStreamExt};
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::{Column, Executor, PgExecutor, SqlSafeStr, TypeInfo};
use std::sync::{Arc, OnceLock};
use tokio::sync::Mutex;

const NAME: &str = "SELECT name FROM customers ORDER BY id LIMIT 1";

static POOL: OnceLock<PgPool> = OnceLock::new();

/// A transaction that goes through many hands.
struct UnitOfWork {
    transaction: PgTransaction<'static>,
}

impl UnitOfWork {
    async fn begin(pool: &PgPool) -> sqlx::Result<Self> {
        let transaction = pool.begin().await?;
        Ok(Self { transaction })
    }

    fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    async fn done(self) -> sqlx::Result<()> {
        self.transaction.commit().await
    }
}

/// On what can be borrowed as an executor again and again.
async fn twice<E>(executor: &mut E) -> sqlx::Result<String>
where
    for<'c> &'c mut E: Executor<'c, Database = Postgres>,
{
    sqlx::query(NAME).execute(&mut *executor).await?;
    sqlx::query_scalar(NAME).fetch_one(executor).await
}

fn name(pool: &PgPool) -> impl Future<Output = sqlx::Result<String>> + Send + '_ {
    sqlx::query_scalar(NAME).fetch_one(pool)
}

fn rows(pool: &PgPool) -> impl Stream<Item = sqlx::Result<PgRow>> + Send + '_ {
    sqlx::query(NAME).fetch(pool)
}

const fn executor<'a>(pool: &'a PgPool) -> impl PgExecutor<'a> + Copy + use<'a> {
    pool
}

pub(crate) async fn all(pool: &PgPool) -> sqlx::Result<String> {
    let mut work = UnitOfWork::begin(POOL.get_or_init(|| pool.clone())).await?;
    let first = twice(work.connection()).await?;
    let second = twice(&mut *work.transaction).await?;
    let shared = Arc::new(Mutex::new(work.transaction));
    let held = Arc::clone(&shared);
    let task = tokio::spawn(async move {
        let mut transaction = held.lock().await;
        sqlx::query(NAME).fetch_one(&mut **transaction).await
    });
    task.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
    if let Some(transaction) = Arc::into_inner(shared) {
        let transaction = transaction.into_inner();
        UnitOfWork { transaction }.done().await?;
    }
    let third = name(pool).await?;
    let rows: Vec<_> = rows(pool).try_collect().await?;
    executor(pool).execute(NAME).await?;
    let done: Vec<PgQueryResult> = pool
        .execute_many("SELECT 1; SELECT 2")
        .try_collect()
        .await?;
    let described = pool.describe(NAME.into_sql_str()).await?;
    let column = described
        .columns()
        .first()
        .map(|column| column.type_info().name().to_owned());
    Ok(format!(
        "{first} {second} {third} {} {} {column:?}",
        rows.len(),
        done.len()
    ))
}
