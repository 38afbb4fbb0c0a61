//! What is asked of a database, in the words of sqlx 0.8 and 0.9 alike.

use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{Executor, Pool, Postgres, Row, Sqlite};

use crate::queries::{Database, Fetch};

const CREATE: &str = "CREATE TEMPORARY TABLE orders (id BIGINT PRIMARY KEY, name TEXT, price BIGINT, customer BIGINT, state TEXT)";
const INSERT: &str = "INSERT INTO orders VALUES \
     (1, 'apples', 120, 42, 'open'), (2, 'bread', 310, 42, 'open'), (3, 'cheese', 640, 42, 'open'), \
     (4, 'dates', 275, 42, 'open'), (5, 'eggs', 340, 42, 'open'), (6, 'flour', 95, 42, 'open'), \
     (7, 'grapes', 415, 42, 'open'), (8, 'honey', 890, 42, 'open'), (9, 'ice', 60, 42, 'open'), \
     (10, 'jam', 450, 42, 'open'), (11, 'kale', 230, 42, 'sent'), (12, 'leeks', 180, 7, 'open')";

/// A pool over the table of orders.
pub(crate) trait Orders: sqlx::Database {
    const DATABASE: Database;

    /// A pool of one connection, which sees a table of its own. It is not tested before it is lent: every query then
    /// goes there once.
    fn open() -> impl Future<Output = Result<Pool<Self>, sqlx::Error>>;

    /// Runs the query once; tells whether it came out right.
    fn fetch<'e>(
        executor: impl Executor<'e, Database = Self> + 'e,
        fetch: Fetch,
    ) -> impl Future<Output = Result<bool, sqlx::Error>>;
}

macro_rules! orders {
    ($database:ident) => {
        impl Orders for $database {
            const DATABASE: Database = Database::$database;

            async fn open() -> Result<Pool<Self>, sqlx::Error> {
                let pool: Pool<Self> = PoolOptions::new()
                    .max_connections(1)
                    .test_before_acquire(false)
                    .idle_timeout(None::<Duration>)
                    .max_lifetime(None::<Duration>)
                    .connect(&Self::DATABASE.url()?)
                    .await?;
                pool.execute(CREATE).await?;
                pool.execute(INSERT).await?;
                Ok(pool)
            }

            async fn fetch<'e>(
                executor: impl Executor<'e, Database = Self> + 'e,
                fetch: Fetch,
            ) -> Result<bool, sqlx::Error> {
                let text = Self::DATABASE.text(fetch);
                match fetch {
                    Fetch::Optional => {
                        let query = sqlx::query(text).bind(42_i64).bind(8_i64);
                        let row = query.fetch_optional(executor).await?;
                        Ok(row
                            .is_some_and(|row| row.try_get(2).is_ok_and(|price: i64| price == 890)))
                    }
                    Fetch::All => {
                        let query = sqlx::query(text).bind(42_i64).bind("open");
                        let rows = query.fetch_all(executor).await?;
                        let mut sum = 0;
                        for row in &rows {
                            sum += row.try_get::<i64, _>(2)?;
                        }
                        Ok((rows.len(), sum) == (10, 3_595))
                    }
                }
            }
        }
    };
}

orders!(Sqlite);
orders!(Postgres);
