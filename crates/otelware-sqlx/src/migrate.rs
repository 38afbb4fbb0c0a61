//! Migrations.

use crate::driver::Driver;
use crate::error;
use crate::pool::Pool;
use crate::traced::within;
use otelware::opentelemetry::Context;
use otelware::opentelemetry::trace::SpanKind;
use otelware::operation::{Describe, End, ErrorType, Family, Operation, Outcome, Signals, Start};
use sqlx::migrate::{Migrate, MigrateError, Migrator};

impl<DB: Driver> Pool<DB>
where
    DB::Connection: Migrate,
{
    /// Runs the migrations that are pending, within one span named `migrate`.
    ///
    /// `migrator.run(&pool)` runs them too. Then nothing but the wait for the connection is
    /// observed: sqlx's trait `Acquire` gives it the driver's connection.
    ///
    /// # Errors
    ///
    /// Those of [`Migrator::run`].
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let core = self.core();
        let start = Start {
            name: "migrate".into(),
            kind: SpanKind::Internal,
            family: Family::Custom,
            parent: Context::current(),
            links: Vec::new(),
            signals: Signals::TRACES,
            cancellation: core.options().cancellation,
            in_flight: None,
            minimum_duration: None,
        };
        let running = core.running();
        let mut operation: Operation<Migration> =
            running.instrumentation.start(start, Migration, |_, list| {
                list.extend_from_slice(&running.server);
            });
        let result = within(&mut operation, migrator.run(self)).await;
        operation.finish(&match &result {
            Ok(()) => Outcome::Success,
            Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                Outcome::Error(error::error_type(error, error::status_code(error)))
            }
            Err(_) => Outcome::Error(ErrorType::from("MigrateError")),
        });
        result
    }
}

#[derive(Debug)]
struct Migration;

impl Describe for Migration {
    fn end(&mut self, _: &End<'_>) {}
}
