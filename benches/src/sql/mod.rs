//! A query through a pool: what ours, its peers, a hand-written floor and the engine alone add to it.

#[cfg(feature = "ours")]
mod engine;
mod floor;
#[cfg(feature = "ours")]
mod ours;

use opentelemetry::KeyValue;
use sqlx::{Pool, Postgres, Sqlite};

use crate::Error;
use crate::around::Nothing;
use crate::case::Case;
use crate::measurement;
use crate::programs::{Program, Row};
use crate::queries::{Database, Fetch, Orders, Queries};
use crate::telemetry::{NOTHING, ONE_EACH, SPANS_AND_METRICS, Telemetry};
use crate::work::Work;

/// A way to observe queries, or not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// sqlx 0.9 alone.
    Bare,
    /// By hand over the raw SDK, around the query.
    Floor,
    /// The start and the finish of otelware's engine around the query, with the same attributes as ours.
    #[cfg(feature = "ours")]
    Engine,
    /// `otelware-sqlx`.
    #[cfg(feature = "ours")]
    Ours,
    /// A peer or its sqlx alone, in a program of its own.
    Elsewhere(Program, Row),
}

impl Variant {
    pub(crate) const ALL: &[Self] = &[
        Self::Bare,
        Self::Floor,
        #[cfg(feature = "ours")]
        Self::Engine,
        Self::Elsewhere(Program::SqlxOtel, Row::Bare),
        Self::Elsewhere(Program::SqlxOtel, Row::Peer),
        Self::Elsewhere(Program::SqlxTracing, Row::Bare),
        Self::Elsewhere(Program::SqlxTracing, Row::Peer),
        #[cfg(feature = "ours")]
        Self::Ours,
    ];

    pub(crate) const PEERS: [Self; 2] = [
        Self::Elsewhere(Program::SqlxOtel, Row::Peer),
        Self::Elsewhere(Program::SqlxTracing, Row::Peer),
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Floor => "floor",
            #[cfg(feature = "ours")]
            Self::Engine => "engine",
            #[cfg(feature = "ours")]
            Self::Ours => "ours",
            Self::Elsewhere(program, row) => program.row(row),
        }
    }

    /// What is subtracted from it: sqlx alone, in the same program.
    pub(crate) fn bare(self) -> Self {
        match self {
            Self::Elsewhere(program, _) => Self::Elsewhere(program, Row::Bare),
            _ => Self::Bare,
        }
    }

    pub(crate) fn is_bare(self) -> bool {
        self == self.bare()
    }
}

/// The query's summary, which ours finds by itself.
const SUMMARY: &str = "SELECT orders";

/// The attributes that tell the database, the same as those of ours.
trait Server: Orders {
    fn attributes(pool: &Pool<Self>) -> Vec<KeyValue>;
}

impl Server for Sqlite {
    fn attributes(_: &Pool<Self>) -> Vec<KeyValue> {
        vec![
            KeyValue::new("db.system.name", "sqlite"),
            KeyValue::new("db.namespace", ":memory:"),
        ]
    }
}

impl Server for Postgres {
    fn attributes(pool: &Pool<Self>) -> Vec<KeyValue> {
        let port = pool.connect_options().get_port();
        vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.namespace", "otelware"),
            KeyValue::new("server.address", "127.0.0.1"),
            KeyValue::new("server.port", i64::from(port)),
        ]
    }
}

pub(crate) fn prepare(
    fetch: Fetch,
    database: Database,
    variant: Variant,
) -> Result<Box<dyn Work>, Error> {
    match database {
        Database::Sqlite => prepare_for::<Sqlite>(fetch, variant),
        Database::Postgres => prepare_for::<Postgres>(fetch, variant),
    }
}

fn prepare_for<DB>(fetch: Fetch, variant: Variant) -> Result<Box<dyn Work>, Error>
where
    DB: Observable,
    for<'p> &'p Pool<DB>: sqlx::Executor<'p, Database = DB>,
{
    let telemetry = Telemetry::new(&SPANS_AND_METRICS);
    Ok(match variant {
        Variant::Bare => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            NOTHING,
            |pool, _| (pool, Nothing),
        )?),
        Variant::Floor => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            ONE_EACH,
            |pool, telemetry| {
                let around = floor::Floor::new(&pool, fetch, telemetry);
                (pool, around)
            },
        )?),
        #[cfg(feature = "ours")]
        Variant::Engine => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            ONE_EACH,
            |pool, telemetry| {
                let around = engine::Engine::new(&pool, fetch, telemetry);
                (pool, around)
            },
        )?),
        #[cfg(feature = "ours")]
        Variant::Ours => Box::new(Queries::<DB, _, _>::new(
            fetch,
            telemetry,
            ONE_EACH,
            |pool, telemetry| (ours::pool(pool, telemetry), Nothing),
        )?),
        Variant::Elsewhere(..) => return Err("the peers have programs of their own".into()),
    })
}

/// A database whose queries ours can observe.
#[cfg(feature = "ours")]
trait Observable: Server + otelware_sqlx::Driver {}
#[cfg(feature = "ours")]
impl<DB: Server + otelware_sqlx::Driver> Observable for DB {}

#[cfg(not(feature = "ours"))]
trait Observable: Server {}
#[cfg(not(feature = "ours"))]
impl<DB: Server> Observable for DB {}

/// The cases that can be measured: without those on PostgreSQL where it cannot be reached, which is said.
pub(crate) fn reachable(mut cases: Vec<Case>) -> Vec<Case> {
    let is_remote = |case: &Case| matches!(case, Case::Query(_, Database::Postgres, _));
    let bare = Case::Query(Fetch::Optional, Database::Postgres, Variant::Bare);
    if cases.iter().any(is_remote)
        && let Err(reason) = measurement::allocations(bare, 1)
    {
        println!("PostgreSQL is left out; scripts/services postgres starts it. {reason}");
        cases.retain(|case| !is_remote(case));
    }
    cases
}
