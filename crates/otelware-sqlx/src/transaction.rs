//! Transactions and savepoints.

use crate::call::Planned;
use crate::connection::Connection;
use crate::driver::Driver;
use crate::traced::QueryFuture;
use futures_core::future::BoxFuture;
use sqlx::{Error, SqlSafeStr, SqlStr};
use sqlx_core::transaction::TransactionManager;
use std::ops::{Deref, DerefMut};

/// A transaction, or a savepoint within one, whose queries are observed. It takes the place of
/// [`sqlx::Transaction`], and is rolled back if it is dropped, which has no span: the driver does it
/// with the next query.
pub struct Transaction<'c, DB: Driver> {
    connection: Slot<'c, DB>,
    is_open: bool,
}

enum Slot<'c, DB: Driver> {
    Owned(Box<Connection<DB>>),
    Borrowed(&'c mut Connection<DB>),
}

impl<DB: Driver> Slot<'_, DB> {
    fn get(&self) -> &Connection<DB> {
        match self {
            Self::Owned(connection) => connection,
            Self::Borrowed(connection) => connection,
        }
    }

    fn get_mut(&mut self) -> &mut Connection<DB> {
        match self {
            Self::Owned(connection) => connection,
            Self::Borrowed(connection) => connection,
        }
    }
}

/// What is done to a transaction.
enum Step {
    Begin(Option<SqlStr>),
    Commit,
    Rollback,
}

impl Step {
    /// What the driver does for a transaction that is the `depth`th of those within each other.
    const fn text(&self, depth: usize) -> &'static str {
        match (self, depth) {
            (Self::Begin(_), 0 | 1) => "BEGIN",
            (Self::Begin(_), _) => "SAVEPOINT",
            (Self::Commit, 0 | 1) => "COMMIT",
            (Self::Commit, _) => "RELEASE SAVEPOINT",
            (Self::Rollback, 0 | 1) => "ROLLBACK",
            (Self::Rollback, _) => "ROLLBACK TO SAVEPOINT",
        }
    }
}

/// Takes a step, with a span where those are wanted.
async fn take<DB: Driver>(connection: &mut Connection<DB>, step: Step) -> Result<(), Error> {
    let depth = *connection.depth_mut();
    let core = connection.core().clone();
    let planned = core.options().transactions.then(|| match &step {
        Step::Begin(Some(statement)) => Planned::query(&core, statement.as_str(), false),
        step => Planned::step(&core, step.text(depth)),
    });
    let raw = connection.raw_mut();
    let inner: BoxFuture<'_, Result<(), Error>> = match step {
        Step::Begin(statement) => Box::pin(DB::TransactionManager::begin(raw, statement)),
        Step::Commit => Box::pin(DB::TransactionManager::commit(raw)),
        Step::Rollback => Box::pin(DB::TransactionManager::rollback(raw)),
    };
    match planned {
        Some(planned) => QueryFuture::new(inner, planned, |()| 0).await,
        None => inner.await,
    }
}

impl<'c, DB: Driver> Transaction<'c, DB> {
    pub(crate) async fn begin_owned(
        connection: Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        Self::begin_in(Slot::Owned(Box::new(connection)), statement).await
    }

    pub(crate) async fn begin_borrowed(
        connection: &'c mut Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        Self::begin_in(Slot::Borrowed(connection), statement).await
    }

    async fn begin_in(connection: Slot<'c, DB>, statement: Option<SqlStr>) -> Result<Self, Error> {
        let mut transaction = Self {
            connection,
            // A beginning that fails or is cancelled half-way is rolled back as well.
            is_open: true,
        };
        let connection = transaction.connection.get_mut();
        *connection.depth_mut() += 1;
        take(connection, Step::Begin(statement)).await?;
        Ok(transaction)
    }

    /// Commits the transaction, or releases the savepoint.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Transaction::commit`].
    pub async fn commit(mut self) -> Result<(), Error> {
        self.end(Step::Commit).await
    }

    /// Rolls back the transaction, or to the savepoint.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Transaction::rollback`].
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.end(Step::Rollback).await
    }

    async fn end(&mut self, step: Step) -> Result<(), Error> {
        let connection = self.connection.get_mut();
        take(connection, step).await?;
        connection.leave_transaction();
        self.is_open = false;
        Ok(())
    }

    // With sqlx's traits in scope, theirs would be taken before those of `Connection`.

    /// The connection; see [`Connection::as_mut`].
    #[allow(
        clippy::should_implement_trait,
        reason = "it stands in the way of the trait's method"
    )]
    pub fn as_mut(&mut self) -> &mut Connection<DB> {
        self.connection.get_mut()
    }

    /// Begins a savepoint within the transaction.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin`].
    #[allow(clippy::same_name_method, reason = "see above")]
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        self.connection.get_mut().begin().await
    }

    /// Begins a savepoint with this statement.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin_with`].
    pub async fn begin_with(
        &mut self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'_, DB>, Error> {
        self.connection.get_mut().begin_with(statement).await
    }
}

impl<DB: Driver> Drop for Transaction<'_, DB> {
    fn drop(&mut self) {
        if self.is_open {
            let connection = self.connection.get_mut();
            connection.leave_transaction();
            DB::TransactionManager::start_rollback(connection.raw_mut());
        }
    }
}

impl<DB: Driver> Deref for Transaction<'_, DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Connection<DB> {
        self.connection.get()
    }
}

impl<DB: Driver> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Connection<DB> {
        self.connection.get_mut()
    }
}

impl<DB: Driver> AsMut<Connection<DB>> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self.connection.get_mut()
    }
}

impl<DB: Driver> std::fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("connection", self.connection.get())
            .field("is_open", &self.is_open)
            .finish()
    }
}

impl<'c, DB: Driver> sqlx::Acquire<'c> for &'c mut Transaction<'_, DB> {
    type Database = DB;
    type Connection = &'c mut DB::Connection;

    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
        sqlx::Acquire::acquire(self.connection.get_mut())
    }

    fn begin(self) -> BoxFuture<'c, Result<sqlx::Transaction<'c, DB>, Error>> {
        sqlx::Acquire::begin(self.connection.get_mut())
    }
}
