//! A schema for a run of the code.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

/// A schema that is empty at first, and that no other run has at the same time.
pub(crate) struct Schema {
    keeper: PgConnection,
    name: &'static str,
}

impl Schema {
    pub(crate) async fn new(name: &'static str) -> Self {
        let mut keeper = PgConnection::connect_with(&options()).await.unwrap();
        // Until the connection is closed.
        sqlx::query("SELECT pg_advisory_lock(hashtext($1))")
            .bind(name)
            .execute(&mut keeper)
            .await
            .unwrap();
        let mut schema = Self { keeper, name };
        schema
            .run(format!(
                "DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}"
            ))
            .await;
        schema
    }

    async fn run(&mut self, statements: String) {
        sqlx::raw_sql(AssertSqlSafe(statements))
            .execute(&mut self.keeper)
            .await
            .unwrap();
    }

    /// A pool whose connections are in the schema.
    pub(crate) async fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(4)
            .connect_with(options().options([("search_path", self.name)]))
            .await
            .unwrap()
    }

    pub(crate) async fn drop(mut self) {
        self.run(format!("DROP SCHEMA {} CASCADE", self.name)).await;
        self.keeper.close().await.unwrap();
    }
}

fn options() -> PgConnectOptions {
    "postgres://otelware:otelware@127.0.0.1:5432/otelware"
        .parse()
        .unwrap()
}
