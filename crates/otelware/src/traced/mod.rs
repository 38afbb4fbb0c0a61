//! Instrumentation of one's own code with the family's engine.

mod builder;
mod future;
mod message;
mod stream;
#[cfg(feature = "tokio")]
mod task;

pub use builder::{ActiveOperation, OperationBuilder, operation};
pub use future::{FutureExt, Traced, TryTraced};
pub use message::Message;
pub use stream::{StreamExt, TracedStream};
#[cfg(feature = "tokio")]
pub use task::{spawn, spawn_blocking};
