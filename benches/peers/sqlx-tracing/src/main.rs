//! `sqlx-tracing`, and sqlx alone beside it: what the benchmarks run as `case NAME N`.

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
#[path = "../../../src/grpc/peers.rs"]
mod subscriber;
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
use crate::telemetry::{Counts, NOTHING, SPANS_AND_METRICS, Telemetry};
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
    DB: Orders + sqlx_tracing::prelude::Database,
    for<'p> &'p Pool<DB>: Executor<'p, Database = DB>,
    for<'p> &'p sqlx_tracing::Pool<DB>: Executor<'p, Database = DB>,
    sqlx_tracing::PoolBuilder<DB>: From<Pool<DB>>,
{
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    Ok(match variant {
        "bare (sqlx-tracing)" => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            NOTHING,
            |pool, _| (pool, Nothing),
        )?),
        // It makes spans of `tracing`, and measures nothing.
        "sqlx-tracing" => {
            subscriber::subscribe(&telemetry)?;
            Box::new(Queries::<DB, _, _>::new(
                fetch,
                telemetry,
                Counts {
                    spans: 1,
                    durations: 0,
                },
                |pool, _| (sqlx_tracing::PoolBuilder::from(pool).build(), Nothing),
            )?)
        }
        _ => return Err(format!("no variant is called {variant:?}").into()),
    })
}
