//! Middleware that observes a gRPC client: one span and one duration measurement for each call,
//! from its sending to the end of its response's stream, and the context in its metadata.

mod begin;
mod layer;
mod service;

pub use crate::attempts::{AttemptCount, AttemptCountLayer};
pub use crate::call::ResponseBody;
pub use crate::future::ResponseFuture;
pub use layer::GrpcClientLayer;
pub use service::GrpcClient;

/// tonic's `Channel`, with its calls observed.
#[cfg(feature = "channel")]
pub type Channel = GrpcClient<tonic::transport::Channel>;
