//! Products in stock: a trait with boxed futures, implemented by the pool, and bulk inserts.

use super::db::{PgConnection, PgPool, Postgres};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Acquire, Connection as _, QueryBuilder};

pub(crate) trait Stock: Send + Sync {
    fn of(&self, product: i64) -> BoxFuture<'_, sqlx::Result<i64>>;
}

impl Stock for PgPool {
    fn of(&self, product: i64) -> BoxFuture<'_, sqlx::Result<i64>> {
        async move {
            sqlx::query_scalar!("SELECT stock FROM products WHERE id = $1", product)
                .fetch_one(self)
                .await
        }
        .boxed()
    }
}

pub(crate) async fn fill(pool: &PgPool) -> sqlx::Result<u64> {
    let products: [(i64, &str, i64, i64); 3] =
        [(1, "pen", 2, 100), (2, "ink", 9, 10), (3, "pad", 4, 0)];
    let mut insert =
        QueryBuilder::<Postgres>::new("INSERT INTO products (id, name, price, stock) ");
    insert.push_values(products, |mut row, (id, name, price, stock)| {
        row.push_bind(id)
            .push_bind(name)
            .push_bind(price)
            .push_bind(stock);
    });
    Ok(insert.build().execute(pool).await?.rows_affected())
}

/// Fails if there is not enough.
pub(crate) async fn take(
    connection: &mut PgConnection,
    product: i64,
    quantity: i64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE products SET stock = stock - $2 WHERE id = $1")
        .bind(product)
        .bind(quantity)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves stock in a transaction that sqlx commits or rolls back.
pub(crate) async fn exchange(
    connection: &mut PgConnection,
    from: i64,
    to: i64,
) -> sqlx::Result<()> {
    connection
        .transaction(|transaction| {
            Box::pin(async move {
                take(&mut *transaction, from, 1).await?;
                take(transaction, to, -1).await
            })
        })
        .await
}

/// On whatever gives a connection.
#[allow(
    clippy::manual_async_fn,
    reason = "of an `async fn` it would not be known to be `Send`"
)]
pub(crate) fn restock<'a, A>(
    source: A,
    product: i64,
) -> impl Future<Output = sqlx::Result<u64>> + Send + 'a
where
    A: Acquire<'a, Database = Postgres> + Send + 'a,
{
    async move {
        let mut connection = source.acquire().await?;
        let done = sqlx::query("UPDATE products SET stock = stock + 5 WHERE id = $1")
            .bind(product)
            .execute(&mut *connection)
            .await?;
        Ok(done.rows_affected())
    }
}
