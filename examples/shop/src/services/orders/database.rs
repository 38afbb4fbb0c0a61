//! Orders as they are kept: sqlx as ever, but for where `AnyPool` is imported from. The database is the
//! one that the URL names.

use super::outbox::{Waiting, context_as_text};
use crate::messages::{Line, Order};
use crate::service::Failure;
use crate::service::environment::variable;
use crate::service::retry::until_it_works;
use otelware_sqlx::{AnyConnection, AnyPool, Instrument, SqlOptions};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Error, SqlSafeStr, SqlStr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// How long a connection may be waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long an operation may take.
const LIMIT: Duration = Duration::from_secs(2);

/// How long it may take to make the tables.
const MIGRATION: Duration = Duration::from_secs(30);

/// How long the tables are waited for before the first order.
const START: Duration = Duration::from_secs(5);

/// What makes the tables.
static MIGRATIONS: Migrator = sqlx::migrate!();

#[derive(Clone)]
pub(super) struct Database {
    pool: AnyPool,
    sql: Arc<Statements>,
}

impl Database {
    /// The database need not be there yet: its tables are made as soon as it is. Where it is, they are
    /// there when this returns.
    pub(super) async fn from_environment() -> Result<Self, Error> {
        let url = variable("DATABASE_URL", "sqlite:shop.db?mode=rwc");
        let is_sqlite = url.starts_with("sqlite:");
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .acquire_timeout(PATIENCE)
            // SQLite has one writer at a time: they wait here, in turn.
            .max_connections(if is_sqlite { 1 } else { 20 })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if is_sqlite {
                        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
                        sqlx::raw_sql(pragmas).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy(&url)?
            // Looking for events to be relayed, each second, is no trace of its own.
            .instrument_with(SqlOptions::new().with_parent_only());
        let database = Self {
            pool,
            sql: Arc::new(Statements::of(&url)),
        };
        let migrating = database.pool.clone();
        let migrating = tokio::spawn(async move {
            let migrate = || async {
                let migrated = timeout(MIGRATION, migrating.migrate(&MIGRATIONS)).await;
                migrated.map_err(Failure::from)?.map_err(Failure::from)
            };
            until_it_works("database", migrate).await;
        });
        // It goes on when it is no longer waited for.
        let _ = timeout(START, migrating).await;
        Ok(database)
    }

    /// Keeps an order, and with it the event that tells of it: both or none.
    pub(super) async fn keep(&self, order: &Order) -> Result<(), Error> {
        let mut connection = self.pool.acquire().await?;
        let kept = timeout(LIMIT, self.keep_by(&mut connection, order)).await;
        kept.unwrap_or_else(|elapsed| {
            // Given up in the middle: its transaction may be open still, so nobody is to use it.
            connection.close_on_drop();
            Err(Error::Io(elapsed.into()))
        })
    }

    async fn keep_by(&self, connection: &mut AnyConnection, order: &Order) -> Result<(), Error> {
        let mut transaction = connection.begin().await?;
        sqlx::query(self.sql.insert_order.clone())
            .bind(&order.order)
            .bind(&order.customer)
            .bind(order.total)
            .execute(&mut *transaction)
            .await?;
        for (number, line) in (1_i64..).zip(&order.lines) {
            sqlx::query(self.sql.insert_line.clone())
                .bind(&order.order)
                .bind(number)
                .bind(&line.product)
                .bind(i64::from(line.quantity))
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(self.sql.insert_event.clone())
            .bind(&order.order)
            .bind(serde_json::json!(order.event()).to_string())
            .bind(context_as_text())
            .bind(milliseconds(SystemTime::now()))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// An order, if there is one of this id.
    pub(super) async fn find(&self, id: &str) -> Result<Option<Order>, Error> {
        within_limit(async {
            let order: Option<(String, i64)> = sqlx::query_as(self.sql.select_order.clone())
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
            let Some((customer, total)) = order else {
                return Ok(None);
            };
            let lines: Vec<(String, i64)> = sqlx::query_as(self.sql.select_lines.clone())
                .bind(id)
                .fetch_all(&self.pool)
                .await?;
            let lines = lines.into_iter().map(|(product, quantity)| Line {
                product,
                quantity: quantity.try_into().unwrap_or(u32::MAX),
            });
            Ok(Some(Order {
                order: id.to_owned(),
                customer,
                total,
                lines: lines.collect(),
            }))
        })
        .await
    }

    /// Events that have been in the outbox for so long, the oldest first; not all of them at once.
    pub(super) async fn waiting(&self, since: Duration) -> Result<Vec<Waiting>, Error> {
        let query = sqlx::query_as(self.sql.select_events.clone())
            .bind(milliseconds(SystemTime::now() - since));
        within_limit(query.fetch_all(&self.pool)).await
    }

    /// Takes an event that was sent out of the outbox.
    pub(super) async fn sent(&self, order: &str) -> Result<(), Error> {
        let query = sqlx::query(self.sql.delete_event.clone()).bind(order);
        within_limit(query.execute(&self.pool)).await.map(drop)
    }
}

/// What hangs is away.
async fn within_limit<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let result = timeout(LIMIT, work).await;
    result.unwrap_or_else(|elapsed| Err(Error::Io(elapsed.into())))
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis().try_into().unwrap_or(i64::MAX))
}

/// The statements, in the words of the database that is asked.
struct Statements {
    insert_order: SqlStr,
    insert_line: SqlStr,
    insert_event: SqlStr,
    select_order: SqlStr,
    select_lines: SqlStr,
    select_events: SqlStr,
    delete_event: SqlStr,
}

impl Statements {
    fn of(url: &str) -> Self {
        let sql = |text| placeholders(url, text);
        Self {
            insert_order: sql("INSERT INTO orders (id, customer, total) VALUES ($1, $2, $3)"),
            insert_line: sql(
                "INSERT INTO order_lines (order_id, number, product, quantity) VALUES ($1, $2, $3, $4)",
            ),
            insert_event: sql(
                "INSERT INTO outbox (order_id, event, context, created) VALUES ($1, $2, $3, $4)",
            ),
            select_order: sql("SELECT customer, total FROM orders WHERE id = $1"),
            select_lines: sql(
                "SELECT product, quantity FROM order_lines WHERE order_id = $1 ORDER BY number",
            ),
            select_events: sql(
                "SELECT order_id, event, context FROM outbox WHERE created < $1 ORDER BY created LIMIT 100",
            ),
            delete_event: sql("DELETE FROM outbox WHERE order_id = $1"),
        }
    }
}

/// A statement whose placeholders, `$1`, `$2` and so on in this order, are those of the database:
/// MariaDB and MySQL write `?`.
fn placeholders(url: &str, text: &'static str) -> SqlStr {
    if !url.starts_with("mysql:") && !url.starts_with("mariadb:") {
        return text.into_sql_str();
    }
    let mut parts = text.split('$');
    let mut translated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        translated.push('?');
        translated.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    AssertSqlSafe(Arc::<str>::from(translated)).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_those_of_the_database() {
        let text = "INSERT INTO t (a, b) VALUES ($1, $2) WHERE c = $10";
        for (url, expected) in [
            ("sqlite:shop.db", text),
            ("postgres://127.0.0.1/shop", text),
            (
                "mysql://127.0.0.1/shop",
                "INSERT INTO t (a, b) VALUES (?, ?) WHERE c = ?",
            ),
            (
                "mariadb://127.0.0.1/shop",
                "INSERT INTO t (a, b) VALUES (?, ?) WHERE c = ?",
            ),
        ] {
            assert_eq!(placeholders(url, text).as_str(), expected);
        }
    }
}
