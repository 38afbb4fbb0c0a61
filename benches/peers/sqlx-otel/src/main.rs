//! `sqlx-otel`, and sqlx alone beside it: what the benchmarks run as `case NAME N`.

#[path = "../../../src/allocator.rs"]
mod allocator;
#[path = "../../../src/around.rs"]
mod around;
#[path = "../../program.rs"]
mod program;
#[path = "../../../src/queries/mod.rs"]
mod queries;
#[path = "../../query.rs"]
mod query;
#[path = "../../../src/telemetry.rs"]
#[allow(dead_code, reason = "the main program has other configurations")]
mod telemetry;
#[path = "../../../src/turns/mod.rs"]
mod turns;
#[path = "../../../src/work.rs"]
mod work;

use sqlx::{Executor, Pool, Postgres, Sqlite};

use crate::around::Nothing;
use crate::queries::{Database, Fetch, Orders, Queries};
use crate::telemetry::{NOTHING, ONE_EACH, SPANS_AND_METRICS, Telemetry};
use crate::work::Work;

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    program::run(|name| {
        let (fetch, database, variant) = query::read(name)?;
        prepare(fetch, database, variant)
    })
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
            NOTHING,
            |pool, _| (pool, Nothing),
        )?),
        // As its documentation sets it up: global providers, then a pool out of sqlx's own.
        "sqlx-otel" => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            ONE_EACH,
            |pool, telemetry| {
                telemetry.set_global_providers();
                (sqlx_otel::PoolBuilder::from(pool).build(), Nothing)
            },
        )?),
        _ => return Err(format!("no variant is called {variant:?}").into()),
    })
}
