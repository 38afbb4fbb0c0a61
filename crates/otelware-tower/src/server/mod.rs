//! Middleware that observes an HTTP server: one span and one duration measurement for each
//! request, from its head to the end of its response's body.

mod access_log;
mod begin;
mod call;
mod forwarded;
mod future;
mod layer;
mod names;
mod options;
mod route;
mod running;
mod scheme;
mod service;
mod streaming;
mod trace_response;

pub use forwarded::{InvalidNetwork, Network, TrustedProxies};
pub use future::ResponseFuture;
pub use layer::HttpServerLayer;
pub use options::{PeerAddress, RequestView, ResponseView};
pub use route::set_route;
pub use service::HttpServer;
pub use streaming::{ResponseBody, Streaming};
pub use trace_response::TraceResponse;
