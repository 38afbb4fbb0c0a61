//! The query, again and again, whatever observes it.

use opentelemetry::ContextGuard;
use sqlx::{Connection, Executor};
use tokio::runtime::{Builder, Runtime};

use crate::Error;
use crate::around::Around;
use crate::queries::{Fetch, Orders};
use crate::telemetry::{Counts, Telemetry, callers_context};
use crate::turns::take_turns;
use crate::work::{Threads, Work};

/// Queries of a database through one pool, in a trace that has begun elsewhere.
pub(crate) struct Queries<DB: sqlx::Database, P, A> {
    /// The pool, and beneath it sqlx's own.
    pool: P,
    raw: sqlx::Pool<DB>,
    around: A,
    fetch: Fetch,
    telemetry: Telemetry,
    expected: Counts,
    _caller: ContextGuard,
    // Dropped behind the pool, whose connections are given back on it.
    runtime: Runtime,
}

impl<DB: Orders, P, A> Queries<DB, P, A> {
    /// Opens a pool and has it observed.
    pub(crate) fn new(
        fetch: Fetch,
        telemetry: Telemetry,
        expected: Counts,
        observe: impl FnOnce(sqlx::Pool<DB>, &Telemetry) -> (P, A),
    ) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let raw = runtime.block_on(DB::open())?;
        let (pool, around) = {
            let _runtime = runtime.enter();
            observe(raw.clone(), &telemetry)
        };
        take_turns()?;
        Ok(Self {
            pool,
            raw,
            around,
            fetch,
            telemetry,
            expected,
            _caller: callers_context().attach(),
            runtime,
        })
    }
}

impl<DB, P, A> Work for Queries<DB, P, A>
where
    DB: Orders,
    for<'p> &'p P: Executor<'p, Database = DB>,
    A: Around<sqlx::Error>,
{
    fn once(&mut self) -> bool {
        let query = self.around.around(DB::fetch(&self.pool, self.fetch));
        self.runtime.block_on(query).is_ok_and(|right| right)
    }

    /// The driver of SQLite works on a thread of its own. The relay allocates nothing.
    fn threads(&self) -> Threads {
        Threads::All
    }

    /// What the driver's thread holds of the last query, such as its span, is gone once that has answered again.
    fn settle(&self) -> Result<(), Error> {
        self.runtime
            .block_on(async { self.raw.acquire().await?.ping().await })?;
        self.telemetry.flush()
    }

    fn verify(&self, operations: u64) -> Result<(), Error> {
        self.telemetry.verify(self.expected.times(operations))
    }
}
