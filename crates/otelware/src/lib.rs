//! OpenTelemetry for Rust services: providers set up from the environment, one propagation module,
//! and the engine beneath every layer and wrapper of the family.
//!
//! ```no_run
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let telemetry = otelware::init("orders")?;
//!     // … serve, with `otelware_tower::HttpServerLayer::new()` on the router …
//!     telemetry.shutdown().await?;
//!     Ok(())
//! }
//! ```

#[cfg(feature = "telemetry")]
pub mod console;
#[cfg(feature = "database")]
pub mod database;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "messaging")]
pub mod messaging;
pub mod operation;
pub mod propagation;
#[cfg(any(feature = "http", feature = "messaging"))]
mod secret;
pub mod semconv;
#[cfg(feature = "telemetry")]
pub mod telemetry;
mod traced;

#[cfg(feature = "telemetry")]
pub use telemetry::{Telemetry, init};

pub use traced::{
    ActiveOperation, FutureExt, Message, OperationBuilder, StreamExt, Traced, TracedStream,
    TryTraced, operation,
};
#[cfg(feature = "tokio")]
pub use traced::{spawn, spawn_blocking};

pub use opentelemetry;
#[cfg(feature = "telemetry")]
pub use opentelemetry_sdk;
