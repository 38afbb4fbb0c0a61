//! Every cell of the tables, by name.

use std::path::PathBuf;

use crate::Error;
#[cfg(feature = "ours")]
use crate::analysis::Analysis;
use crate::commands::Size;
use crate::grpc::{self, Shape, Side};
use crate::programs::Program;
use crate::propagation::{Operation, Propagators};
use crate::queries::{Database, Fetch};
use crate::redis::Way;
use crate::telemetry::CONFIGURATIONS;
use crate::variants::Variant;
use crate::work::{Repetitions, WARM_UP, Work};
use crate::{propagation, redis, request, sql};

/// Something to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// A request through a router with a variant's layer; the index is that of the configuration.
    Request(usize, Variant),
    /// A unary gRPC call.
    Call(Side, grpc::Variant),
    /// A gRPC call whose answer is a stream; what is measured is a message.
    Stream(Side, grpc::Variant),
    /// A query through a pool.
    Query(Fetch, Database, sql::Variant),
    /// A look into the text of a statement.
    #[cfg(feature = "ours")]
    Analysis(Analysis),
    /// A command or a pipeline through a connection to Redis.
    Redis(Way, Size, redis::Variant),
    /// An extraction or injection.
    Propagation(Operation, Propagators),
}

/// Two runs of a case: their difference holds no cost of entering the section or of a first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) few: u64,
    pub(crate) many: u64,
    /// What one operation is made of: the cost is that of a part.
    pub(crate) parts: u64,
}

impl Case {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Request(index, variant) => {
                let configuration = CONFIGURATIONS
                    .get(index)
                    .map_or("?", |configuration| configuration.name);
                format!("request/{configuration}/{}", variant.name())
            }
            Self::Call(side, variant) => format!("grpc/{}/{}", side.name(), variant.name()),
            Self::Stream(side, variant) => {
                format!("grpc-stream/{}/{}", side.name(), variant.name())
            }
            Self::Query(fetch, database, variant) => {
                format!("{}/{}/{}", fetch.group(), database.name(), variant.name())
            }
            #[cfg(feature = "ours")]
            Self::Analysis(analysis) => format!("sql-analysis/{}", analysis.name()),
            Self::Redis(way, size, variant) => format!("{}/{}", way.group(size), variant.name()),
            Self::Propagation(operation, propagators) => {
                format!("propagation/{}/{}", operation.name(), propagators.name())
            }
        }
    }

    /// Both runs stay below the batch processor's batch size, so that it sleeps while requests are measured.
    pub(crate) fn runs(self) -> Runs {
        match self {
            Self::Stream(..) => Runs {
                few: 1,
                many: 2,
                parts: grpc::MESSAGES,
            },
            // Two spans a call, where client and server are one over the other.
            Self::Call(..) => Runs {
                few: 50,
                many: 200,
                parts: 1,
            },
            Self::Request(..) | Self::Propagation(..) | Self::Query(..) | Self::Redis(..) => Runs {
                few: 100,
                many: 400,
                parts: 1,
            },
            #[cfg(feature = "ours")]
            Self::Analysis(..) => Runs {
                few: 100,
                many: 400,
                parts: 1,
            },
        }
    }

    /// The program that runs it: this one, or a peer's.
    pub(crate) fn program(self) -> Result<PathBuf, Error> {
        match self.peer() {
            Some(program) => program.path(),
            None => Ok(std::env::current_exe()?),
        }
    }

    /// The peer whose program runs it.
    pub(crate) fn peer(self) -> Option<Program> {
        match self {
            Self::Query(.., sql::Variant::Elsewhere(program, _)) => Some(program),
            Self::Redis(.., variant) => variant.program(),
            _ => None,
        }
    }

    /// A run of so many operations, behind those that warm up.
    pub(crate) fn repetitions(self, counted: u64) -> Repetitions {
        let warm_up = match self {
            Self::Stream(..) => 1,
            _ => WARM_UP,
        };
        Repetitions { warm_up, counted }
    }

    pub(crate) fn prepare(self) -> Result<Box<dyn Work>, Error> {
        match self {
            Self::Request(index, variant) => {
                let configuration = CONFIGURATIONS.get(index).ok_or("no such configuration")?;
                Ok(Box::new(request::Requests::new(configuration, variant)?))
            }
            Self::Call(side, variant) => grpc::prepare(Shape::Unary, side, variant),
            Self::Stream(side, variant) => grpc::prepare(Shape::Stream, side, variant),
            Self::Query(fetch, database, variant) => sql::prepare(fetch, database, variant),
            Self::Redis(way, size, variant) => redis::prepare(way, size, variant),
            #[cfg(feature = "ours")]
            Self::Analysis(analysis) => Ok(analysis.prepare()),
            Self::Propagation(operation, propagators) => {
                propagation::prepare(operation, propagators)
            }
        }
    }
}

/// All cases, in the order of the tables.
pub(crate) fn all() -> Vec<Case> {
    let requests = (0..CONFIGURATIONS.len()).flat_map(|index| {
        Variant::ALL
            .iter()
            .map(move |variant| Case::Request(index, *variant))
    });
    let propagations = Operation::ALL.iter().flat_map(|operation| {
        Propagators::ALL
            .iter()
            .map(move |propagators| Case::Propagation(*operation, *propagators))
    });
    let calls = Side::ALL.into_iter().flat_map(|side| {
        grpc::Variant::ALL
            .iter()
            .map(move |variant| Case::Call(side, *variant))
    });
    let streams = [Side::Server, Side::Client].into_iter().flat_map(|side| {
        grpc::Variant::STREAMED
            .iter()
            .map(move |variant| Case::Stream(side, *variant))
    });
    let queries = Fetch::ALL.into_iter().flat_map(|fetch| {
        Database::ALL.into_iter().flat_map(move |database| {
            sql::Variant::ALL
                .iter()
                .map(move |variant| Case::Query(fetch, database, *variant))
        })
    });
    #[cfg(feature = "ours")]
    let queries = queries.chain(Analysis::ALL.map(Case::Analysis));
    let commands = Way::ALL.into_iter().flat_map(|way| {
        way.sizes().iter().flat_map(move |size| {
            way.variants()
                .iter()
                .map(move |variant| Case::Redis(way, *size, *variant))
        })
    });
    requests
        .chain(calls)
        .chain(streams)
        .chain(queries)
        .chain(commands)
        .chain(propagations)
        .collect()
}

/// The case of that name.
pub(crate) fn find(name: &str) -> Result<Case, Error> {
    all()
        .into_iter()
        .find(|case| case.name() == name)
        .ok_or_else(|| format!("no case is called {name:?}").into())
}
