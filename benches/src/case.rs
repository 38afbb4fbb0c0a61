//! Every cell of the tables, by name.

use crate::Error;
use crate::propagation::{Operation, Propagators};
use crate::telemetry::CONFIGURATIONS;
use crate::variants::Variant;
use crate::work::Work;
use crate::{propagation, request};

/// Something to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// A request through a router with a variant's layer; the index is that of the configuration.
    Request(usize, Variant),
    /// An extraction or injection.
    Propagation(Operation, Propagators),
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
            Self::Propagation(operation, propagators) => {
                format!("propagation/{}/{}", operation.name(), propagators.name())
            }
        }
    }

    pub(crate) fn prepare(self) -> Result<Box<dyn Work>, Error> {
        match self {
            Self::Request(index, variant) => {
                let configuration = CONFIGURATIONS.get(index).ok_or("no such configuration")?;
                Ok(Box::new(request::Requests::new(configuration, variant)?))
            }
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
    requests.chain(propagations).collect()
}

/// The case of that name.
pub(crate) fn find(name: &str) -> Result<Case, Error> {
    all()
        .into_iter()
        .find(|case| case.name() == name)
        .ok_or_else(|| format!("no case is called {name:?}").into())
}
