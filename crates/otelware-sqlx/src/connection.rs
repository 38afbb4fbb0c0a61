//! Connections.

use crate::call::Planned;
use crate::core::Core;
use crate::driver::{Driver, Results};
use crate::parts::Parts;
use crate::pool::Shared;
use crate::traced::{QueryFuture, QueryStream, pass_over, yield_all};
use crate::transaction::Transaction;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use otelware::operation::Moment;
use sqlx::{Either, Error, Execute, Executor, SqlSafeStr, SqlStr};
use sqlx_core::ext::async_stream::TryAsyncStream;
use std::sync::Arc;

/// A connection whose queries are observed. It takes the place of the driver's own
/// (`PgConnection` and such).
///
/// There is no `Deref` to the driver's connection, so that nothing goes past the spans unseen;
/// [`raw_mut`](Self::raw_mut) gives it to code that wants it.
pub struct Connection<DB: Driver> {
    raw: Raw<DB>,
    core: Arc<Core>,
    /// How many transactions are open in each other.
    depth: usize,
}

enum Raw<DB: Driver> {
    Pooled {
        raw: sqlx::pool::PoolConnection<DB>,
        in_use: InUse<DB>,
    },
    Owned(Box<DB::Connection>),
}

/// Measures how long a connection is out of its pool.
struct InUse<DB: Driver> {
    pool: Arc<Shared<DB>>,
    since: Moment,
}

impl<DB: Driver> Drop for InUse<DB> {
    fn drop(&mut self) {
        self.pool.used(self.since);
    }
}

impl<DB: Driver> Connection<DB> {
    pub(crate) fn pooled(
        raw: sqlx::pool::PoolConnection<DB>,
        pool: Arc<Shared<DB>>,
        since: Moment,
    ) -> Self {
        let core = pool.core().clone();
        Self {
            raw: Raw::Pooled {
                raw,
                in_use: InUse { pool, since },
            },
            core,
            depth: 0,
        }
    }

    pub(crate) fn owned(raw: DB::Connection, core: Arc<Core>) -> Self {
        Self {
            raw: Raw::Owned(Box::new(raw)),
            core,
            depth: 0,
        }
    }

    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) const fn depth_mut(&mut self) -> &mut usize {
        &mut self.depth
    }

    pub(crate) const fn leave_transaction(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The driver's connection; what is done with it is not observed.
    pub fn raw(&self) -> &DB::Connection {
        match &self.raw {
            Raw::Pooled { raw, .. } => raw,
            Raw::Owned(raw) => raw,
        }
    }

    /// The driver's connection; what is done with it is not observed.
    pub fn raw_mut(&mut self) -> &mut DB::Connection {
        match &mut self.raw {
            Raw::Pooled { raw, .. } => raw,
            Raw::Owned(raw) => raw,
        }
    }

    /// The connection itself, which `AsMut` would give past the spans.
    #[allow(
        clippy::should_implement_trait,
        reason = "it stands in the way of the trait's method"
    )]
    pub const fn as_mut(&mut self) -> &mut Self {
        self
    }

    /// Begins a transaction, or a savepoint within one.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::begin`].
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        Transaction::begin_borrowed(self, None).await
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
        Transaction::begin_borrowed(self, Some(statement.into_sql_str())).await
    }

    /// Runs `callback` in a transaction that is committed if it returns `Ok`, and rolled back
    /// otherwise.
    ///
    /// # Errors
    ///
    /// Those of `callback`, of the beginning and of the end.
    pub async fn transaction<F, T, E>(&mut self, callback: F) -> Result<T, E>
    where
        for<'c> F: FnOnce(&'c mut Transaction<'_, DB>) -> BoxFuture<'c, Result<T, E>>,
        E: From<Error>,
    {
        let mut transaction = self.begin().await?;
        match callback(&mut transaction).await {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        }
    }

    /// As [`sqlx::Connection::ping`]; observed [if so told](crate::SqlOptions::with_pings).
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::ping`].
    pub async fn ping(&mut self) -> Result<(), Error> {
        let core = self.core.clone();
        let inner = Box::pin(sqlx::Connection::ping(self.raw_mut()));
        match core.options().pings {
            true => QueryFuture::new(inner, Planned::step(&core, "PING"), |()| 0).await,
            false => inner.await,
        }
    }

    /// As [`sqlx::Connection::close`], or [`PoolConnection::close`](sqlx::pool::PoolConnection::close).
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::close`].
    pub async fn close(self) -> Result<(), Error> {
        match self.raw {
            Raw::Pooled { raw, in_use } => {
                drop(in_use);
                raw.close().await
            }
            Raw::Owned(raw) => sqlx::Connection::close(*raw).await,
        }
    }

    /// As [`sqlx::Connection::is_in_transaction`].
    pub fn is_in_transaction(&self) -> bool {
        sqlx::Connection::is_in_transaction(self.raw())
    }

    /// As [`sqlx::Connection::shrink_buffers`].
    pub fn shrink_buffers(&mut self) {
        sqlx::Connection::shrink_buffers(self.raw_mut());
    }

    /// As [`sqlx::Connection::cached_statements_size`].
    pub fn cached_statements_size(&self) -> usize
    where
        DB: sqlx::database::HasStatementCache,
    {
        sqlx::Connection::cached_statements_size(self.raw())
    }

    /// As [`sqlx::Connection::clear_cached_statements`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::clear_cached_statements`].
    pub async fn clear_cached_statements(&mut self) -> Result<(), Error>
    where
        DB: sqlx::database::HasStatementCache,
    {
        sqlx::Connection::clear_cached_statements(self.raw_mut()).await
    }

    pub(crate) fn close_on_drop(&mut self) {
        if let Raw::Pooled { raw, .. } = &mut self.raw {
            raw.close_on_drop();
        }
    }

    /// The connection out of its pool, which may open another in its place, or may not.
    pub(crate) fn leave_pool(self, is_replaced: bool) -> Self {
        let Self { raw, core, depth } = self;
        let raw = match raw {
            Raw::Pooled { raw, .. } if is_replaced => Raw::Owned(Box::new(raw.detach())),
            Raw::Pooled { raw, .. } => Raw::Owned(Box::new(raw.leak())),
            owned @ Raw::Owned(_) => owned,
        };
        Self { raw, core, depth }
    }
}

impl<DB: Driver> std::fmt::Debug for Connection<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("core", &self.core)
            .finish_non_exhaustive()
    }
}

impl<DB: Driver> AsRef<DB::Connection> for Connection<DB> {
    fn as_ref(&self) -> &DB::Connection {
        self.raw()
    }
}

impl<DB: Driver> AsMut<DB::Connection> for Connection<DB> {
    fn as_mut(&mut self) -> &mut DB::Connection {
        self.raw_mut()
    }
}

impl<DB: Driver> Connection<DB> {
    /// Runs a query that is one future.
    fn run<'e, T: 'e>(
        &'e mut self,
        query: Parts<DB>,
        planned: Planned,
        run: impl for<'r> FnOnce(&'r mut DB::Connection, Parts<DB>) -> BoxFuture<'r, Result<T, Error>>
        + Send
        + 'e,
        rows: fn(&T) -> usize,
    ) -> BoxFuture<'e, Result<T, Error>> {
        let inner: BoxFuture<'e, _> = if self.core.options().comments.is_empty() {
            run(self.raw_mut(), query)
        } else {
            // The comment may tell the operation's trace, which begins with the first poll.
            Box::pin(async move {
                let query = query.commented(self.core.options());
                run(self.raw_mut(), query).await
            })
        };
        Box::pin(QueryFuture::new(inner, planned, rows))
    }

    /// Runs a query whose results and rows come one by one.
    fn stream<'e>(&'e mut self, query: Parts<DB>, planned: Planned) -> Results<'e, DB> {
        if self.core.options().comments.is_empty() {
            let inner = DB::fetch_many(self.raw_mut(), query);
            return Box::pin(QueryStream::new(inner, planned));
        }
        let inner = TryAsyncStream::new(move |yielder| async move {
            let query = query.commented(self.core.options());
            yield_all::<DB>(self.raw_mut(), query, &yielder).await
        });
        Box::pin(QueryStream::new(Box::pin(inner), planned))
    }

    fn planned(&self, query: &Parts<DB>) -> Planned {
        Planned::query(&self.core, query.text(), query.is_parameterised())
    }
}

impl<'c, DB: Driver> Executor<'c> for &'c mut Connection<DB> {
    type Database = DB;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Parts::of(query);
        let planned = self.planned(&query);
        if planned.reads() {
            return Box::pin(pass_over::<DB>(self.stream(query, planned)));
        }
        self.run(query, planned, |raw, query| DB::execute(raw, query), |_| 0)
    }

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<DB::QueryResult, DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Parts::of(query);
        let planned = self.planned(&query);
        self.stream(query, planned)
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Parts::of(query);
        let planned = self.planned(&query);
        self.run(
            query,
            planned,
            |raw, query| DB::fetch_all(raw, query),
            Vec::len,
        )
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Parts::of(query);
        let planned = self.planned(&query);
        let rows = |row: &Option<_>| usize::from(row.is_some());
        self.run(
            query,
            planned,
            |raw, query| DB::fetch_optional(raw, query),
            rows,
        )
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'c: 'e,
    {
        let planned =
            (self.core.options().prepares).then(|| Planned::prepare(&self.core, sql.as_str()));
        let inner = DB::prepare_with(self.raw_mut(), sql, parameters);
        match planned {
            Some(planned) => Box::pin(QueryFuture::new(inner, planned, |_| 0)),
            None => inner,
        }
    }

    #[cfg(feature = "macros")]
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<DB>, Error>>
    where
        'c: 'e,
    {
        DB::describe(self.raw_mut(), sql)
    }
}

impl<'c, DB: Driver> sqlx::Acquire<'c> for &'c mut Connection<DB> {
    type Database = DB;
    type Connection = &'c mut DB::Connection;

    fn acquire(self) -> BoxFuture<'c, Result<Self::Connection, Error>> {
        Box::pin(std::future::ready(Ok(self.raw_mut())))
    }

    fn begin(self) -> BoxFuture<'c, Result<sqlx::Transaction<'c, DB>, Error>> {
        sqlx::Transaction::begin(self.raw_mut(), None)
    }
}
