//! What is done with the shop, step by step; each says what came of it.

use super::customers::{self, Customers};
use super::db::{PgConnection, PgPool, PgTransaction, PoolConnection, Postgres};
use super::model::Line;
use super::stock::{self, Stock};
use super::{MIGRATIONS, forms, orders, reports};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
#[allow(
    unused_imports,
    reason = "otelware's connections have its methods themselves"
)]
use sqlx::{Connection as _, Executor, Row};
use tokio::task::yield_now;

type Step = fn(PgPool) -> BoxFuture<'static, sqlx::Result<String>>;

pub(crate) const STEPS: [(&str, Step); 14] = [
    ("migrate", |pool| migrate(pool).boxed()),
    ("customers", |pool| people(pool).boxed()),
    ("stock", |pool| shelves(pool).boxed()),
    ("order", |pool| order(pool).boxed()),
    ("order too much", |pool| order_too_much(pool).boxed()),
    ("change orders", |pool| change(pool).boxed()),
    ("streams", |pool| streams(pool).boxed()),
    ("statements", |pool| statements(pool).boxed()),
    ("copies", |pool| copies(pool).boxed()),
    ("plain text", |pool| {
        async move { reports::plain(&pool).await }.boxed()
    }),
    ("tasks", |pool| tasks(pool).boxed()),
    ("forms", |pool| {
        async move { forms::all(&pool).await }.boxed()
    }),
    ("acquire", |pool| acquire(pool).boxed()),
    ("connection", |pool| connection(pool).boxed()),
];

async fn migrate(pool: PgPool) -> sqlx::Result<String> {
    MIGRATIONS.run(&pool).await?;
    let task = tokio::spawn(async move { MIGRATIONS.run(&pool).await });
    task.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
    Ok(format!("{} migrations", MIGRATIONS.iter().count()))
}

async fn people(pool: PgPool) -> sqlx::Result<String> {
    let mut connection = pool.acquire().await?;
    let ada = customers::add(&mut connection, "Ada", Some("ada@example.com")).await?;
    customers::add(&mut connection, "Bob", None).await?;
    let again = customers::add(&mut connection, "Bob", None).await;
    let again = again
        .err()
        .and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
    let mut tx = pool.begin().await?;
    customers::add(&mut tx, "Cleo", None).await?;
    let seen = customers::count(&mut *tx).await?;
    drop(tx);
    let mut repository = Customers::new(&mut connection);
    let renamed = repository.rename("Bob", "Rob").await?;
    let count = repository.count().await?;
    let (first, last) = customers::first_and_last(&pool).await?;
    let found = customers::find(&pool, ada).await?;
    let missing = customers::find(&mut *connection, 1000).await?;
    Ok(format!(
        "{again:?} {seen} {renamed} {count} {first} {last} {found:?} {missing:?}"
    ))
}

async fn shelves(pool: PgPool) -> sqlx::Result<String> {
    let filled = stock::fill(&pool).await?;
    let mut connection = pool.acquire().await?;
    stock::exchange(&mut connection, 1, 2).await?;
    let refused = stock::exchange(&mut connection, 3, 1).await.is_err();
    let stock: &dyn Stock = &pool;
    Ok(format!(
        "{filled} {refused:?} {} {}",
        stock.of(1).await?,
        stock.of(2).await?
    ))
}

async fn order(pool: PgPool) -> sqlx::Result<String> {
    let lines = [
        Line {
            product: 1,
            quantity: 3,
        },
        Line {
            product: 2,
            quantity: 1,
        },
    ];
    let without = orders::place(&pool, 1, &lines, Some(3)).await?;
    let with = orders::place(&pool, 2, &lines[..1], Some(1)).await?;
    let order = orders::find(&pool, with).await?;
    Ok(format!("{without} {with} {order:?}"))
}

async fn order_too_much(pool: PgPool) -> sqlx::Result<String> {
    let line = Line {
        product: 2,
        quantity: 1_000,
    };
    let refused = orders::place(&pool, 1, &[line], None).await;
    Ok(format!(
        "{:?}",
        refused.err().map(|error| error.to_string())
    ))
}

async fn change(pool: PgPool) -> sqlx::Result<String> {
    orders::pay(&pool, 1).await?;
    orders::almost_cancel(&pool, 1).await?;
    Ok(format!("{:?}", orders::find(&pool, 1).await?))
}

async fn streams(pool: PgPool) -> sqlx::Result<String> {
    Ok(format!(
        "{} {:?}",
        reports::sold(&pool).await?,
        reports::some_sale(&pool).await?
    ))
}

async fn statements(pool: PgPool) -> sqlx::Result<String> {
    let mut connection = pool.acquire().await?;
    let names = reports::names(&mut connection, &[1, 2, 3]).await?;
    let (rows, done) = reports::batch(&mut connection).await?;
    let locked = reports::locked(&mut connection).await?;
    Ok(format!("{names:?} {rows} {done} {locked}"))
}

async fn copies(pool: PgPool) -> sqlx::Result<String> {
    Ok(format!("{:?}", reports::copies(&pool).await?))
}

async fn tasks(pool: PgPool) -> sqlx::Result<String> {
    Ok(reports::stock_of_all(&pool, vec![1, 2, 3])
        .await?
        .to_string())
}

async fn acquire(pool: PgPool) -> sqlx::Result<String> {
    let mut connection = pool.acquire().await?;
    let mut restocked = stock::restock(&pool, 1).await?;
    restocked += stock::restock(&mut connection, 2).await?;
    let mut tx = connection.begin().await?;
    restocked += stock::restock(&mut tx, 3).await?;
    restocked += stock::restock(&mut *tx, 9).await?;
    tx.rollback().await?;
    Ok(restocked.to_string())
}

async fn connection(pool: PgPool) -> sqlx::Result<String> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    connection.ping().await?;
    let count = customers::count(&mut connection).await?;
    connection.clear_cached_statements().await?;
    connection.close().await?;
    let lazy = PgPool::connect_lazy_with((*pool.connect_options()).clone());
    let mut transaction = lazy.begin().await?;
    transaction.execute("SELECT 1 FROM customers").await?;
    transaction.rollback().await?;
    lazy.close().await;
    idle_transaction(&pool).await?.commit().await?;
    let mut connection = idle(&pool).await.detach();
    let mut transaction = connection.begin().await?;
    let seen = customers::count(&mut *transaction).await?;
    let in_transaction = transaction.is_in_transaction();
    drop(transaction);
    let two = connection.fetch_one("SELECT 2").await?.get::<i32, _>(0);
    connection.close().await?;
    Ok(format!(
        "{count} {seen} {in_transaction} {two} {}",
        lazy.is_closed()
    ))
}

async fn idle(pool: &PgPool) -> PoolConnection<Postgres> {
    loop {
        if let Some(connection) = pool.try_acquire() {
            return connection;
        }
        yield_now().await;
    }
}

async fn idle_transaction(pool: &PgPool) -> sqlx::Result<PgTransaction<'static>> {
    loop {
        if let Some(transaction) = pool.try_begin().await? {
            return Ok(transaction);
        }
        yield_now().await;
    }
}
