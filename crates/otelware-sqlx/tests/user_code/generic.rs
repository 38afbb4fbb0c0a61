//! Code that is generic over databases: bound by otelware's `Driver`, and by nothing that names a
//! connection.

use otelware_sqlx::{Connection, Driver, Pool};
use sqlx::{ColumnIndex, Database, Decode, Executor, IntoArguments, Type};

/// Through the pool, a connection and a transaction.
pub(crate) async fn numbers<DB: Driver>(pool: &Pool<DB>) -> sqlx::Result<Vec<i64>>
where
    DB::Arguments: IntoArguments<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut numbers = vec![on_any::<DB, _>(pool).await?];
    let mut connection = pool.acquire().await?;
    numbers.push(on_connection(&mut connection).await?);
    let mut transaction = pool.begin().await?;
    numbers.push(on_connection(&mut transaction).await?);
    transaction.commit().await?;
    Ok(numbers)
}

async fn on_connection<DB: Driver>(connection: &mut Connection<DB>) -> sqlx::Result<i64>
where
    DB::Arguments: IntoArguments<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    on_any::<DB, _>(&mut *connection).await
}

async fn on_any<'e, DB: Database, E>(executor: E) -> sqlx::Result<i64>
where
    E: Executor<'e, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    sqlx::query_scalar::<DB, i64>("SELECT CAST(7 AS BIGINT)")
        .fetch_one(executor)
        .await
}

/// With sqlx's own types in the same program, and the bounds that these want.
pub(crate) async fn plain<DB: Database>(pool: &sqlx::Pool<DB>) -> sqlx::Result<i64>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    on_any::<DB, _>(pool).await
}
