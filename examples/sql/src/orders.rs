//! What the service asks its database: sqlx as ever, but for where `SqlitePool` is imported from.

use futures_util::TryStreamExt;
use otelware_sqlx::SqlitePool;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is not so much in stock.
    SoldOut,
    /// The database failed, or did not find what was asked for.
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// How many of an item there are.
pub(crate) async fn stock(pool: &SqlitePool, item: &str) -> Result<i64, Failure> {
    let query = sqlx::query_scalar("SELECT stock FROM items WHERE name = ?");
    Ok(query.bind(item).fetch_one(pool).await?)
}

/// Takes the items out of the stock and notes the order, both or none; gives the order's number.
pub(crate) async fn place(
    pool: &SqlitePool,
    customer: &str,
    item: &str,
    quantity: u32,
) -> Result<i64, Failure> {
    let mut transaction = pool.begin().await?;
    let taken = sqlx::query("UPDATE items SET stock = stock - ?1 WHERE name = ?2 AND stock >= ?1")
        .bind(quantity)
        .bind(item)
        .execute(&mut *transaction)
        .await?;
    if taken.rows_affected() == 0 {
        transaction.rollback().await?;
        return Err(Failure::SoldOut);
    }
    let id = sqlx::query_scalar(
        "INSERT INTO orders (customer, item, quantity) VALUES (?, ?, ?) RETURNING id",
    )
    .bind(customer)
    .bind(item)
    .bind(quantity)
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(id)
}

/// All that a customer has ordered, row by row: the query lasts until its last row.
pub(crate) async fn pieces_ordered(pool: &SqlitePool, customer: &str) -> Result<i64, Failure> {
    let mut quantities =
        sqlx::query_scalar::<_, i64>("SELECT quantity FROM orders WHERE customer = ?")
            .bind(customer)
            .fetch(pool);
    let mut sum = 0;
    while let Some(quantity) = quantities.try_next().await? {
        sum += quantity;
    }
    Ok(sum)
}

/// The item and the quantity of an order.
pub(crate) async fn order(pool: &SqlitePool, id: i64) -> Result<(String, i64), Failure> {
    let query = sqlx::query_as("SELECT item, quantity FROM orders WHERE id = ?");
    Ok(query.bind(id).fetch_one(pool).await?)
}

/// Adds an item, of which there is none in stock.
pub(crate) async fn add_item(pool: &SqlitePool, name: &str) -> Result<(), Failure> {
    let query = sqlx::query("INSERT INTO items (name, stock) VALUES (?, 0)");
    query.bind(name).execute(pool).await?;
    Ok(())
}
