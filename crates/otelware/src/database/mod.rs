//! What the instrumentations of databases share: the server's attributes, the life of an operation,
//! the options that decide on it, and the metrics of pools.
//!
//! Source: "Semantic conventions for database client spans" and "… metrics".

mod call;
mod client;
mod internal;
mod options;
mod pool;
mod server;

pub use call::{Call, DescribeCall, Failure, Measured, Planned, Shared, ViewOf};
pub use client::Client;
pub use internal::Internal;
pub use options::{Hook, Options, View};
pub use pool::{PoolMetrics, PoolState, Waiting};
pub use server::Server;
