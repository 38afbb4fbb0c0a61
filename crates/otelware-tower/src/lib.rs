//! OpenTelemetry layers for any tower service that speaks `http::Request`: [`HttpServerLayer`]
//! and [`HttpClientLayer`].

mod count;
//CLIENT pub mod client;
pub mod server;

//CLIENT pub use client::HttpClientLayer;
pub use count::{CountBodies, PassBodies, RequestBodies};
pub use server::{HttpServer, HttpServerLayer, set_route};
