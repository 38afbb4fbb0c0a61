//! OpenTelemetry for gRPC with tonic: layers for servers and clients, and interceptors.

mod address;
mod attempts;
mod call;
pub mod client;
mod code;
mod deadline;
mod future;
pub mod interceptor;
mod message;
mod metadata;
mod method;
mod options;
mod role;
mod running;
pub mod server;
mod view;

#[cfg(feature = "channel")]
pub use client::Channel;
pub use client::{GrpcClient, GrpcClientLayer};
pub use interceptor::{ClientInterceptor, ServerInterceptor};
pub use otelware;
pub use server::{GrpcServer, GrpcServerLayer};
pub use view::CallView;
