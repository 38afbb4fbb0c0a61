//! Migrations.

use crate::connection::Connection;
use crate::core::Core;
use crate::driver::Driver;
use crate::error;
use crate::pool::Pool;
use futures_core::future::BoxFuture;
use otelware::database::{Failure, Internal};
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};
use std::sync::Arc;
use std::time::Duration;

impl<DB: Driver> Pool<DB>
where
    DB::Connection: Migrate,
{
    /// Runs the migrations that are pending, within a span named `migrate`, in which each that is
    /// applied has its own: `migrate 2 create orders`.
    ///
    /// `migrator.run(&pool)` runs them too. Then nothing but the wait for the connection is
    /// observed: sqlx's trait `Acquire` gives it the driver's connection.
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::run`].
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut operation = Internal::begin(&**self.core(), "migrate", |_| {});
        let run = async {
            let mut connection = self.acquire().await?;
            migrator.run_direct(None, &mut *connection, false).await
        };
        let result = operation.within(run).await;
        Internal::finish(operation, result.as_ref().err().map(failure));
        result
    }
}

fn failure(error: &MigrateError) -> Failure {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            error::failure(error)
        }
        _ => Failure::of_class("MigrateError"),
    }
}

/// Applies or reverts a migration within a span of its own.
async fn step(
    core: Arc<Core>,
    verb: &'static str,
    migration: &Migration,
    step: BoxFuture<'_, Result<Duration, MigrateError>>,
) -> Result<Duration, MigrateError> {
    let name = format!("{verb} {} {}", migration.version, migration.description);
    let mut operation = Internal::begin(&*core, name, |_| {});
    let result = operation.within(step).await;
    Internal::finish(operation, result.as_ref().err().map(failure));
    result
}

impl<DB: Driver> Migrate for Connection<DB>
where
    DB::Connection: Migrate,
{
    fn create_schema_if_not_exists<'e>(
        &'e mut self,
        schema_name: &'e str,
    ) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.raw_mut().create_schema_if_not_exists(schema_name)
    }

    fn ensure_migrations_table<'e>(
        &'e mut self,
        table_name: &'e str,
    ) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.raw_mut().ensure_migrations_table(table_name)
    }

    fn dirty_version<'e>(
        &'e mut self,
        table_name: &'e str,
    ) -> BoxFuture<'e, Result<Option<i64>, MigrateError>> {
        self.raw_mut().dirty_version(table_name)
    }

    fn list_applied_migrations<'e>(
        &'e mut self,
        table_name: &'e str,
    ) -> BoxFuture<'e, Result<Vec<AppliedMigration>, MigrateError>> {
        self.raw_mut().list_applied_migrations(table_name)
    }

    fn lock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.raw_mut().lock()
    }

    fn unlock(&mut self) -> BoxFuture<'_, Result<(), MigrateError>> {
        self.raw_mut().unlock()
    }

    fn apply<'e>(
        &'e mut self,
        table_name: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        let core = self.core().clone();
        let inner = self.raw_mut().apply(table_name, migration);
        Box::pin(step(core, "migrate", migration, inner))
    }

    fn revert<'e>(
        &'e mut self,
        table_name: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<Duration, MigrateError>> {
        let core = self.core().clone();
        let inner = self.raw_mut().revert(table_name, migration);
        Box::pin(step(core, "revert", migration, inner))
    }

    fn skip<'e>(
        &'e mut self,
        table_name: &'e str,
        migration: &'e Migration,
    ) -> BoxFuture<'e, Result<(), MigrateError>> {
        self.raw_mut().skip(table_name, migration)
    }
}
