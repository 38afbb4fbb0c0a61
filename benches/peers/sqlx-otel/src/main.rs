//! `sqlx-otel`, and sqlx alone beside it: what the benchmarks run as `case NAME N`.

#[path = "../../../src/allocator.rs"]
mod allocator;
#[path = "../../program.rs"]
mod program;
#[path = "../../../src/queries/mod.rs"]
#[allow(
    unused_imports,
    reason = "the main program also works by hand around queries"
)]
mod queries;
#[path = "../../../src/telemetry.rs"]
#[allow(dead_code, reason = "the main program has other configurations")]
mod telemetry;
#[path = "../../../src/work.rs"]
mod work;

use sqlx::{Executor, Pool, Postgres, Sqlite};

use crate::queries::{Database, Fetch, Nothing, Orders, Queries};
use crate::telemetry::{Counts, SPANS_AND_METRICS, Telemetry};
use crate::work::Work;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    program::run(prepare)
}

fn prepare(fetch: Fetch, database: Database, variant: &str) -> Result<Box<dyn Work>, Error> {
    match database {
        Database::Sqlite => prepare_for::<Sqlite>(fetch, variant),
        Database::Postgres => prepare_for::<Postgres>(fetch, variant),
    }
}

fn prepare_for<DB>(fetch: Fetch, variant: &str) -> Result<Box<dyn Work>, Error>
where
    DB: Orders + sqlx_otel::Database,
    for<'p> &'p Pool<DB>: Executor<'p, Database = DB>,
    for<'p> &'p sqlx_otel::Pool<DB>: Executor<'p, Database = DB>,
{
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    Ok(match variant {
        "bare (sqlx-otel)" => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            Counts {
                spans: 0,
                durations: 0,
            },
            |pool, _| (pool, Nothing),
        )?),
        // As its documentation sets it up: global providers, then a pool out of sqlx's own.
        "sqlx-otel" => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            Counts {
                spans: 1,
                durations: 1,
            },
            |pool, telemetry| {
                telemetry.set_global_providers();
                (sqlx_otel::PoolBuilder::from(pool).build(), Nothing)
            },
        )?),
        _ => return Err(format!("no variant is called {variant:?}").into()),
    })
}
