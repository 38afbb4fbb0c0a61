//! Connections of a pool.

use crate::connection::Connection;
use crate::driver::Driver;
use crate::pool::{Pool, Shared};
use crate::transaction::Transaction;
use futures_core::future::BoxFuture;
use otelware::operation::Moment;
use sqlx::{Error, SqlSafeStr};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A connection that goes back to its pool when it is dropped. It takes the place of
/// [`sqlx::pool::PoolConnection`].
pub struct PoolConnection<DB: Driver>(Connection<DB>);

impl<DB: Driver> PoolConnection<DB> {
    pub(crate) fn new(
        raw: sqlx::pool::PoolConnection<DB>,
        pool: Arc<Shared<DB>>,
        since: Moment,
    ) -> Self {
        Self(Connection::pooled(raw, pool, since))
    }

    pub(crate) fn into_connection(self) -> Connection<DB> {
        self.0
    }

    // With sqlx's traits in scope, theirs would be taken before those of `Connection`.

    /// The connection; see [`Connection::as_mut`].
    #[allow(
        clippy::should_implement_trait,
        reason = "it stands in the way of the trait's method"
    )]
    pub const fn as_mut(&mut self) -> &mut Connection<DB> {
        &mut self.0
    }

    /// Begins a transaction; see [`Connection::begin`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin`].
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        self.0.begin().await
    }

    /// Begins a transaction with this statement.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin_with`].
    pub async fn begin_with(
        &mut self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'_, DB>, Error> {
        self.0.begin_with(statement).await
    }

    /// As [`sqlx::pool::PoolConnection::close`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::close`].
    pub async fn close(self) -> Result<(), Error> {
        self.0.close().await
    }

    /// As [`sqlx::pool::PoolConnection::close_on_drop`].
    pub fn close_on_drop(&mut self) {
        self.0.close_on_drop();
    }

    /// As [`sqlx::pool::PoolConnection::detach`].
    pub fn detach(self) -> Connection<DB> {
        self.0.leave_pool(true)
    }

    /// As [`sqlx::pool::PoolConnection::leak`].
    pub fn leak(self) -> Connection<DB> {
        self.0.leave_pool(false)
    }
}

impl<DB: Driver> Deref for PoolConnection<DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Connection<DB> {
        &self.0
    }
}

impl<DB: Driver> DerefMut for PoolConnection<DB> {
    fn deref_mut(&mut self) -> &mut Connection<DB> {
        &mut self.0
    }
}

impl<DB: Driver> AsMut<Connection<DB>> for PoolConnection<DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        &mut self.0
    }
}

impl<DB: Driver> std::fmt::Debug for PoolConnection<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'c, DB: Driver> sqlx::Acquire<'c> for &'c mut PoolConnection<DB> {
    type Database = DB;
    type Connection = &'c mut DB::Connection;

    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
        sqlx::Acquire::acquire(&mut self.0)
    }

    fn begin(self) -> BoxFuture<'c, Result<sqlx::Transaction<'c, DB>, Error>> {
        sqlx::Acquire::begin(&mut self.0)
    }
}

/// What code that is generic over [`sqlx::Acquire`] gets of a [`Pool`]: the trait wants the
/// driver's connection, whose queries are not observed. That it was waited for and used is.
pub struct RawConnection<DB: Driver>(Connection<DB>);

impl<DB: Driver> Deref for RawConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.0.raw()
    }
}

impl<DB: Driver> DerefMut for RawConnection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.0.raw_mut()
    }
}

impl<DB: Driver> std::fmt::Debug for RawConnection<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a, DB: Driver> sqlx::Acquire<'a> for &'_ Pool<DB> {
    type Database = DB;
    type Connection = RawConnection<DB>;

    fn acquire(self) -> BoxFuture<'a, Result<Self::Connection, Error>> {
        let acquiring = Pool::acquire(self);
        Box::pin(async move { Ok(RawConnection(acquiring.await?.0)) })
    }

    fn begin(self) -> BoxFuture<'a, Result<sqlx::Transaction<'a, DB>, Error>> {
        let shared = self.shared().clone();
        Box::pin(async move { sqlx::Transaction::begin(shared.acquire_raw().await?, None).await })
    }
}
