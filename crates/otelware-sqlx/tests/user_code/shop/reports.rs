//! Reports: streams, prepared statements, text that is sent as it is, tasks.

use super::db::{PgConnection, PgPool, PoolConnection, Postgres};
use super::model::Sale;
use futures_util::TryStreamExt;
use futures_util::future::{join_all, try_join};
use futures_util::stream::BoxStream;
use sqlx::postgres::{PgAdvisoryLock, PgPoolCopyExt, PgRow};
use sqlx::{Either, Executor, Row, SqlSafeStr, Statement};

const SALES: &str = "SELECT name AS product, quantity FROM order_lines \
                     JOIN products ON products.id = product_id ORDER BY name, quantity";

pub(crate) fn sales(pool: &PgPool) -> BoxStream<'_, sqlx::Result<Sale>> {
    sqlx::query_as(SALES).fetch(pool)
}

pub(crate) async fn sold(pool: &PgPool) -> sqlx::Result<i64> {
    let mut total = 0;
    let mut sales = sales(pool);
    while let Some(sale) = sales.try_next().await? {
        total += sale.quantity;
    }
    Ok(total)
}

/// Reads no more than it needs.
pub(crate) async fn some_sale(pool: &PgPool) -> sqlx::Result<Option<String>> {
    Ok(sales(pool).try_next().await?.map(|sale| sale.product))
}

/// Prepares one statement and runs it often.
pub(crate) async fn names(connection: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<String>> {
    let statement = connection
        .prepare("SELECT name FROM products WHERE id = $1".into_sql_str())
        .await?;
    let mut names = Vec::new();
    for id in ids {
        let row = statement
            .query()
            .bind(id)
            .fetch_one(&mut *connection)
            .await?;
        names.push(row.try_get("name")?);
    }
    Ok(names)
}

/// Counts the rows and the results of several statements in one.
pub(crate) async fn batch(connection: &mut PoolConnection<Postgres>) -> sqlx::Result<(u32, u32)> {
    let statements = "SELECT 1 FROM products; UPDATE products SET price = price + 1; SELECT 2";
    let mut results = sqlx::raw_sql(statements).fetch_many(&mut **connection);
    let (mut rows, mut done) = (0, 0);
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(_) => done += 1,
            Either::Right(_) => rows += 1,
        }
    }
    Ok((rows, done))
}

pub(crate) async fn plain(pool: &PgPool) -> sqlx::Result<String> {
    let price = |row: PgRow| row.get::<i64, _>(0);
    let top = sqlx::query("SELECT max(price) FROM products")
        .map(price)
        .fetch_one(pool)
        .await?;
    let done = pool.execute("UPDATE products SET price = 3").await?;
    let mut connection = pool.acquire().await?;
    let all = connection.fetch_all("SELECT price FROM products").await?;
    let none = connection
        .fetch_optional("SELECT price FROM products WHERE id = 0")
        .await?;
    let one = sqlx::query("SELECT price FROM products")
        .persistent(false)
        .fetch_one(connection.as_mut())
        .await?;
    connection.close().await?;
    Ok(format!(
        "{top} {} {} {} {}",
        done.rows_affected(),
        all.len(),
        none.is_none(),
        price(one)
    ))
}

/// Asks in tasks of its own, and at once in this one.
pub(crate) async fn stock_of_all(pool: &PgPool, ids: Vec<i64>) -> sqlx::Result<i64> {
    const STOCK: &str = "SELECT stock FROM products WHERE id = $1";
    let tasks = ids.into_iter().map(|id| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let query = sqlx::query_scalar::<_, i64>(STOCK);
            query.bind(id).fetch_one(&pool).await
        })
    });
    let mut total = 0;
    for stock in join_all(tasks).await {
        total += stock.map_err(|_| sqlx::Error::WorkerCrashed)??;
    }
    let one = || {
        sqlx::query_scalar::<_, i64>(STOCK)
            .bind(1_i64)
            .fetch_one(pool)
    };
    let (first, second) = try_join(one(), one()).await?;
    Ok(total - first - second)
}

/// Copies the products out, and twice in: with an end, and without.
pub(crate) async fn copies(pool: &PgPool) -> sqlx::Result<(usize, u64)> {
    let mut out = pool.copy_out_raw("COPY products TO STDOUT").await?;
    let mut bytes = 0;
    while let Some(chunk) = out.try_next().await? {
        bytes += chunk.len();
    }
    let mut connection = pool.acquire().await?;
    let into = "COPY products (id, name, price, stock) FROM STDIN WITH (FORMAT csv)";
    let mut copy = connection.copy_in_raw(into).await?;
    copy.send(&b"4,nib,1,50\n"[..])
        .await?
        .send(&b"5,box,7,2\n"[..])
        .await?;
    let copied = copy.finish().await?;
    let copy = connection.copy_in_raw(into).await?;
    copy.abort("changed its mind").await?;
    Ok((bytes, copied))
}

/// Holds a lock of the database meanwhile.
pub(crate) async fn locked(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let lock = PgAdvisoryLock::new("otelware user code");
    let Either::Left(mut guard) = lock.try_acquire(&mut *connection).await? else {
        return Ok(false);
    };
    let update = "UPDATE products SET price = price";
    guard.as_mut().execute(update).await?;
    guard.release_now().await?;
    connection.execute("SELECT 1 FROM products").await?;
    Ok(true)
}
