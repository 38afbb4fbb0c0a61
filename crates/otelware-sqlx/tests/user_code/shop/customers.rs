//! Customers: functions on a connection, on any executor, and a repository that borrows one.

use super::db::{PgConnection, Postgres};
use super::model::Customer;
use sqlx::{Executor, PgExecutor};

pub(crate) async fn add(
    connection: &mut PgConnection,
    name: &str,
    email: Option<&str>,
) -> sqlx::Result<i64> {
    let added = sqlx::query!(
        "INSERT INTO customers (name, email) VALUES ($1, $2) RETURNING id",
        name,
        email,
    )
    .fetch_one(&mut *connection)
    .await?;
    Ok(added.id)
}

pub(crate) async fn find(executor: impl PgExecutor<'_>, id: i64) -> sqlx::Result<Option<Customer>> {
    sqlx::query_as!(
        Customer,
        "SELECT id, name, email FROM customers WHERE id = $1",
        id,
    )
    .fetch_optional(executor)
    .await
}

pub(crate) async fn count<'e, E>(executor: E) -> sqlx::Result<i64>
where
    E: Executor<'e, Database = Postgres>,
{
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM customers"#)
        .fetch_one(executor)
        .await
}

/// With two queries on the same executor.
pub(crate) async fn first_and_last<'e, E>(executor: E) -> sqlx::Result<(String, String)>
where
    E: Executor<'e, Database = Postgres> + Copy,
{
    let first = sqlx::query_scalar("SELECT name FROM customers ORDER BY id LIMIT 1")
        .fetch_one(executor)
        .await?;
    let last = sqlx::query_scalar("SELECT name FROM customers ORDER BY id DESC LIMIT 1")
        .fetch_one(executor)
        .await?;
    Ok((first, last))
}

pub(crate) struct Customers<'a> {
    connection: &'a mut PgConnection,
}

impl<'a> Customers<'a> {
    pub(crate) const fn new(connection: &'a mut PgConnection) -> Self {
        Self { connection }
    }

    pub(crate) async fn rename(&mut self, from: &str, to: &str) -> sqlx::Result<u64> {
        let renamed = sqlx::query!("UPDATE customers SET name = $2 WHERE name = $1", from, to)
            .execute(&mut *self.connection)
            .await?;
        Ok(renamed.rows_affected())
    }

    pub(crate) async fn count(self) -> sqlx::Result<i64> {
        count(self.connection).await
    }
}
