//! Orders: transactions, savepoints, and helpers that take async closures.

use super::db::{PgConnection, PgPool, PgTransaction, Pool, Postgres, Transaction};
use super::model::{Line, Order, Status};
use super::stock;
use sqlx::{Acquire, QueryBuilder};

/// Places an order whose gift is left out if there is none in stock.
pub(crate) async fn place(
    pool: &PgPool,
    customer: i64,
    lines: &[Line],
    gift: Option<i64>,
) -> sqlx::Result<i64> {
    let mut tx = pool.begin().await?;
    let id = open(&mut tx, customer).await?;
    add_lines(tx.as_mut(), id, lines).await?;
    for line in lines {
        stock::take(&mut tx, line.product, line.quantity).await?;
    }
    if let Some(gift) = gift {
        let mut savepoint = tx.begin().await?;
        match give(&mut savepoint, id, gift).await {
            Ok(()) => savepoint.commit().await?,
            Err(_) => savepoint.rollback().await?,
        }
    }
    tx.commit().await?;
    Ok(id)
}

async fn open(tx: &mut Transaction<'_, Postgres>, customer: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "INSERT INTO orders (customer_id) VALUES ($1) RETURNING id",
        customer,
    )
    .fetch_one(&mut **tx)
    .await
}

async fn add_lines(connection: &mut PgConnection, id: i64, lines: &[Line]) -> sqlx::Result<()> {
    let mut insert: QueryBuilder<Postgres> =
        QueryBuilder::new("INSERT INTO order_lines (order_id, product_id, quantity) ");
    insert.push_values(lines, |mut row, line| {
        row.push_bind(id)
            .push_bind(line.product)
            .push_bind(line.quantity);
    });
    insert.build().execute(connection).await?;
    Ok(())
}

async fn give(tx: &mut PgTransaction<'_>, id: i64, product: i64) -> sqlx::Result<()> {
    stock::take(tx, product, 1).await?;
    let line = Line {
        product,
        quantity: 1,
    };
    add_lines(&mut *tx, id, &[line]).await
}

pub(crate) async fn find(pool: &Pool<Postgres>, id: i64) -> sqlx::Result<Order> {
    sqlx::query_as!(
        Order,
        r#"SELECT id, customer_id, status AS "status: Status" FROM orders WHERE id = $1"#,
        id,
    )
    .fetch_one(pool)
    .await
}

async fn set_status(connection: &mut PgConnection, id: i64, status: Status) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE orders SET status = $2 WHERE id = $1",
        id,
        status as Status
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Runs the work in a transaction.
async fn transacted<T>(
    pool: &PgPool,
    work: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let mut transaction = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await?;
    let value = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(value)
}

pub(crate) async fn pay(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    transacted(pool, async |connection| {
        set_status(connection, id, Status::Paid).await
    })
    .await
}

/// Changes its mind: the transaction is dropped, and the one within it as well.
pub(crate) async fn almost_cancel(pool: &PgPool, id: i64) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    let mut outer = connection.begin().await?;
    set_status(&mut outer, id, Status::Cancelled).await?;
    let mut inner = outer.begin().await?;
    set_status(&mut inner, id, Status::Open).await
}
