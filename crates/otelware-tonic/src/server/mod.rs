//! Middleware that observes a gRPC server: one span and one duration measurement for each call,
//! from its request's head to the end of its response's stream.

mod begin;
mod bodies;
#[cfg(feature = "descriptors")]
mod descriptors;
mod layer;
mod service;

pub use crate::call::ResponseBody;
pub use crate::future::ResponseFuture;
pub use crate::message::RequestBody;
pub use bodies::{ObserveBodies, PassBodies, RequestBodies};
#[cfg(feature = "descriptors")]
pub use descriptors::InvalidDescriptorSet;
pub use layer::GrpcServerLayer;
pub use service::GrpcServer;
