//! What the instrumentations of message brokers share: destinations, the life of an operation, who
//! is whose parent, and the options that decide on it.
//!
//! Source: "Semantic conventions for messaging spans" and "… metrics".

mod age;
mod call;
mod client;
mod destination;
mod headers;
mod idle;
mod options;
mod parenting;
mod processing;
mod route;
mod verb;

pub use call::Call;
pub use client::{Broker, Client, Envelope, Received};
pub use destination::Destination;
pub use headers::HeaderCapture;
pub use options::{ExistingContext, MessageView, Options};
pub use parenting::Parenting;
pub use processing::Processing;
pub use verb::Verb;
