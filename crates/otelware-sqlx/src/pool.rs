//! Pools of connections.

use crate::call::Planned;
use crate::connection::Connection;
use crate::core::Core;
use crate::driver::{Driver, Results};
use crate::error;
use crate::options::SqlOptions;
use crate::parts::Parts;
use crate::pool_connection::PoolConnection;
use crate::traced::{QueryFuture, QueryStream, pass_over, yield_all};
use crate::transaction::Transaction;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use otelware::database::{PoolMetrics, Waiting};
use otelware::operation::Moment;
use sqlx::pool::{CloseEvent, PoolOptions};
use sqlx::{Either, Error, Execute, Executor, SqlSafeStr, SqlStr};
use sqlx_core::ext::async_stream::TryAsyncStream;
use std::sync::{Arc, OnceLock};

/// A connection of the pool, with the wait for it measured, and since when it is in use. (A macro,
/// since sqlx's future is large: as part of another function's it would be copied about.)
macro_rules! obtain {
    ($shared:expr) => {{
        let mut waiting = $shared.metrics().wait(&*$shared.core);
        let acquired = match waiting.span() {
            Some(span) => span.within(Box::pin($shared.raw.acquire())).await,
            None => $shared.raw.acquire().await,
        };
        Shared::obtained(waiting, acquired)?
    }};
}

/// A pool whose queries are observed. It takes the place of [`sqlx::Pool`]; clones share it.
///
/// [`inner`](Self::inner) gives the pool to code that wants sqlx's own, unobserved.
pub struct Pool<DB: Driver> {
    shared: Arc<Shared<DB>>,
}

pub(crate) struct Shared<DB: Driver> {
    /// In an `Arc`, so that what observes it need not keep it alive.
    raw: Arc<sqlx::Pool<DB>>,
    core: Arc<Core>,
    metrics: OnceLock<PoolMetrics>,
}

type Options<DB> = <<DB as sqlx::Database>::Connection as sqlx::Connection>::Options;

impl<DB: Driver> Pool<DB> {
    pub(crate) fn new(raw: sqlx::Pool<DB>, options: SqlOptions) -> Self {
        let core = Core::new(options, DB::server(&raw.connect_options()));
        Self {
            shared: Arc::new(Shared {
                raw: Arc::new(raw),
                core,
                metrics: OnceLock::new(),
            }),
        }
    }

    /// As [`sqlx::Pool::connect`], with the defaults of [`SqlOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::connect`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(sqlx::Pool::connect(url).await?.into())
    }

    /// As [`sqlx::Pool::connect_with`], with the defaults of [`SqlOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::connect_with`].
    pub async fn connect_with(options: Options<DB>) -> Result<Self, Error> {
        Ok(sqlx::Pool::connect_with(options).await?.into())
    }

    /// As [`sqlx::Pool::connect_lazy`], with the defaults of [`SqlOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::connect_lazy`].
    pub fn connect_lazy(url: &str) -> Result<Self, Error> {
        Ok(sqlx::Pool::connect_lazy(url)?.into())
    }

    /// As [`sqlx::Pool::connect_lazy_with`], with the defaults of [`SqlOptions`].
    pub fn connect_lazy_with(options: Options<DB>) -> Self {
        sqlx::Pool::connect_lazy_with(options).into()
    }

    #[cfg(any(feature = "postgres", feature = "migrate"))]
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.shared.core
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared<DB>> {
        &self.shared
    }

    /// sqlx's own pool; what is done with it is not observed.
    pub fn inner(&self) -> &sqlx::Pool<DB> {
        &self.shared.raw
    }

    /// Retrieves a connection.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::acquire`].
    pub fn acquire(
        &self,
    ) -> impl Future<Output = Result<PoolConnection<DB>, Error>> + Send + 'static {
        let shared = self.shared.clone();
        async move { shared.acquire().await }
    }

    /// Retrieves a connection if one is idle.
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        let raw = self.shared.raw.try_acquire()?;
        Some(PoolConnection::new(raw, self.shared.clone(), Moment::now()))
    }

    /// Retrieves a connection and begins a transaction.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::begin`].
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, Error> {
        Transaction::begin_owned(self.acquire().await?.into_connection(), None).await
    }

    /// Retrieves a connection and begins a transaction with this statement.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::begin_with`].
    pub async fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'static, DB>, Error> {
        let statement = Some(statement.into_sql_str());
        Transaction::begin_owned(self.acquire().await?.into_connection(), statement).await
    }

    /// Begins a transaction if a connection is idle.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::try_begin`].
    pub async fn try_begin(&self) -> Result<Option<Transaction<'static, DB>>, Error> {
        match self.try_acquire() {
            Some(connection) => Transaction::begin_owned(connection.into_connection(), None)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Begins a transaction with this statement if a connection is idle.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Pool::try_begin_with`].
    pub async fn try_begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Option<Transaction<'static, DB>>, Error> {
        let statement = Some(statement.into_sql_str());
        match self.try_acquire() {
            Some(connection) => Transaction::begin_owned(connection.into_connection(), statement)
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// As [`sqlx::Pool::close`].
    pub fn close(&self) -> impl Future<Output = ()> + '_ {
        self.shared.raw.close()
    }

    /// As [`sqlx::Pool::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.shared.raw.is_closed()
    }

    /// As [`sqlx::Pool::close_event`].
    pub fn close_event(&self) -> CloseEvent {
        self.shared.raw.close_event()
    }

    /// As [`sqlx::Pool::size`].
    pub fn size(&self) -> u32 {
        self.shared.raw.size()
    }

    /// As [`sqlx::Pool::num_idle`].
    pub fn num_idle(&self) -> usize {
        self.shared.raw.num_idle()
    }

    /// As [`sqlx::Pool::connect_options`].
    pub fn connect_options(&self) -> Arc<Options<DB>> {
        self.shared.raw.connect_options()
    }

    /// As [`sqlx::Pool::set_connect_options`]. What spans and metrics say of the server stays.
    pub fn set_connect_options(&self, options: Options<DB>) {
        self.shared.raw.set_connect_options(options);
    }

    /// As [`sqlx::Pool::options`].
    pub fn options(&self) -> &PoolOptions<DB> {
        self.shared.raw.options()
    }
}

impl<DB: Driver> Shared<DB> {
    pub(crate) const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn metrics(&self) -> &PoolMetrics {
        self.metrics
            .get_or_init(|| self.core.pool_metrics(Arc::downgrade(&self.raw)))
    }

    async fn acquire(self: Arc<Self>) -> Result<PoolConnection<DB>, Error> {
        let (raw, since) = obtain!(self);
        Ok(PoolConnection::new(raw, self.clone(), since))
    }

    /// sqlx's own connection, with the wait for it measured.
    pub(crate) async fn acquire_raw(&self) -> Result<sqlx::pool::PoolConnection<DB>, Error> {
        let (raw, _) = obtain!(self);
        Ok(raw)
    }

    /// The wait has come to this connection, which is in use from now on, or to an error.
    fn obtained(
        waiting: Waiting<'_>,
        acquired: Result<sqlx::pool::PoolConnection<DB>, Error>,
    ) -> Result<(sqlx::pool::PoolConnection<DB>, Moment), Error> {
        let failure = |error: &Error| {
            let timed_out = matches!(error, Error::PoolTimedOut);
            (error::failure(error), timed_out)
        };
        let since = waiting.end(acquired.as_ref().err().map(failure));
        acquired.map(|connection| (connection, since))
    }

    /// A connection was in use since then.
    pub(crate) fn used(&self, since: Moment) {
        self.metrics().used(since);
    }
}

/// Measures how long a connection is out of its pool.
struct Using<'a, DB: Driver> {
    pool: &'a Shared<DB>,
    since: Moment,
}

impl<DB: Driver> Drop for Using<'_, DB> {
    fn drop(&mut self) {
        self.pool.used(self.since);
    }
}

impl<DB: Driver> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<DB: Driver> std::fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared.raw.fmt(f)
    }
}

impl<DB: Driver> From<sqlx::Pool<DB>> for Pool<DB> {
    fn from(raw: sqlx::Pool<DB>) -> Self {
        Self::new(raw, SqlOptions::new())
    }
}

impl<DB: Driver> AsRef<sqlx::Pool<DB>> for Pool<DB> {
    fn as_ref(&self) -> &sqlx::Pool<DB> {
        self.inner()
    }
}

/// Turns sqlx's pools into ones whose queries are observed.
pub trait Instrument<DB: Driver>: Sized {
    /// With the defaults, and the global providers.
    fn instrument(self) -> Pool<DB> {
        self.instrument_with(SqlOptions::new())
    }

    /// With these options.
    fn instrument_with(self, options: SqlOptions) -> Pool<DB>;
}

impl<DB: Driver> Instrument<DB> for sqlx::Pool<DB> {
    fn instrument_with(self, options: SqlOptions) -> Pool<DB> {
        Pool::new(self, options)
    }
}

impl<DB: Driver> Pool<DB> {
    /// Runs a query that is one future, with a connection of the pool.
    fn run<'e, T: 'e>(
        &self,
        query: Parts<DB>,
        planned: Planned,
        run: impl for<'c> FnOnce(&'c mut DB::Connection, Parts<DB>) -> BoxFuture<'c, Result<T, Error>>
        + Send
        + 'e,
        rows: fn(&T) -> usize,
    ) -> BoxFuture<'e, Result<T, Error>> {
        let shared = self.shared.clone();
        let inner = async move {
            let (mut connection, since) = obtain!(shared);
            let _using = Using {
                pool: &*shared,
                since,
            };
            run(&mut connection, query.commented(shared.core.options())).await
        };
        Box::pin(QueryFuture::new(inner, planned, rows))
    }

    /// Runs a query whose results and rows come one by one.
    fn stream<'e>(&self, query: Parts<DB>, planned: Planned) -> Results<'e, DB> {
        let shared = self.shared.clone();
        let inner = TryAsyncStream::new(move |yielder| async move {
            let (mut connection, since) = obtain!(shared);
            let _using = Using {
                pool: &*shared,
                since,
            };
            let query = query.commented(shared.core.options());
            yield_all::<DB>(&mut connection, query, &yielder).await
        });
        Box::pin(QueryStream::new(Box::pin(inner), planned))
    }

    fn planned(&self, query: &Parts<DB>) -> Planned {
        Planned::query(self.shared.core(), query.text(), query.is_parameterised())
    }
}

impl<'p, DB: Driver> Executor<'p> for &'_ Pool<DB> {
    type Database = DB;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<DB::QueryResult, Error>>
    where
        'p: 'e,
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
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Parts::of(query);
        let planned = self.planned(&query);
        self.stream(query, planned)
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<DB::Row>, Error>>
    where
        'p: 'e,
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
        'p: 'e,
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
        'p: 'e,
    {
        let shared = self.shared.clone();
        let planned = (shared.core().options().prepares)
            .then(|| Planned::prepare(shared.core(), sql.as_str()));
        let inner = Box::pin(async move {
            let mut connection = shared.acquire().await?;
            DB::prepare_with(connection.raw_mut(), sql, parameters).await
        });
        match planned {
            Some(planned) => Box::pin(QueryFuture::new(inner, planned, |_| 0)),
            None => inner,
        }
    }

    #[cfg(feature = "macros")]
    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<DB>, Error>>
    where
        'p: 'e,
    {
        let shared = self.shared.clone();
        Box::pin(async move {
            let mut connection = shared.acquire().await?;
            DB::describe(connection.raw_mut(), sql).await
        })
    }
}

impl<DB: Driver> Connection<DB> {
    /// Opens a connection that is in no pool, with the defaults of [`SqlOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::connect`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let options: Options<DB> = url.parse()?;
        Self::connect_with(&options).await
    }

    /// Opens a connection that is in no pool, with the defaults of [`SqlOptions`].
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::connect_with`].
    pub async fn connect_with(options: &Options<DB>) -> Result<Self, Error> {
        Self::connect_instrumented(options, SqlOptions::new()).await
    }

    /// Opens a connection that is in no pool, observed with these options.
    ///
    /// # Errors
    ///
    /// Those of [`sqlx::Connection::connect_with`].
    pub async fn connect_instrumented(
        options: &Options<DB>,
        observed: SqlOptions,
    ) -> Result<Self, Error> {
        let raw = <DB::Connection as sqlx::Connection>::connect_with(options).await?;
        Ok(Self::owned(raw, Core::new(observed, DB::server(options))))
    }
}
