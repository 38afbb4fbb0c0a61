//! Why an order is not placed.

use crate::service::Failure;
use tonic::{Code, Status};

#[derive(Debug)]
pub(super) enum Refusal {
    /// The card is declined.
    Declined,
    UnknownProduct,
    OutOfStock,
    /// Something is away that the order needs.
    Unavailable(Failure),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::NotFound => Self::UnknownProduct,
            Code::FailedPrecondition => Self::OutOfStock,
            _ => Self::Unavailable(status.into()),
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<reqwest_middleware::Error> for Refusal {
    fn from(error: reqwest_middleware::Error) -> Self {
        Self::Unavailable(error.into())
    }
}
