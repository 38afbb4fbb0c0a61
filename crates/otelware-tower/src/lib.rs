//! OpenTelemetry for any tower service that speaks `http::Request`: a layer for servers, axum's
//! above all, and a layer for clients.
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn example() -> axum::Router {
//! use axum::{Router, extract::Path, routing::get};
//! use otelware_tower::HttpServerLayer;
//!
//! Router::new()
//!     .route("/users/{id}", get(|Path(id): Path<u32>| async move { format!("user {id}") }))
//!     .layer(HttpServerLayer::new())
//! # }
//! ```
//!
//! Providers and propagator are the global ones, which `otelware::init` sets, unless the layer
//! is handed others. gRPC requests are requests as any other, until a layer
//! of `otelware-tonic` further in is seen to observe those of the same route; see
//! [`without_grpc`](HttpServerLayer::without_grpc). A request lasts from its head to the end of its response's body.
//!
//! # The server's span
//!
//! Kind `SERVER`, named by method and route (`GET /users/{id}`) or by the method alone.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `http.request.method` | required | the method, or `_OTHER` |
//! | `http.request.method_original` | conditional | the method, where it is not a known one |
//! | `url.path` | required | the request's path |
//! | `url.scheme` | required | a believed proxy; else the request's target; else [`with_scheme`](HttpServerLayer::with_scheme), `http` by default |
//! | `url.query` | conditional | the request's query, sensitive values redacted |
//! | `http.route` | conditional | axum's `MatchedPath` (feature `axum`), [`with_route`](HttpServerLayer::with_route), or [`set_route`] |
//! | `http.response.status_code` | conditional | the response, if there is one |
//! | `error.type` | conditional | see below |
//! | `network.protocol.version` | recommended | the request |
//! | `server.address`, `server.port` | recommended | a believed proxy; else `:authority`; else `Host` |
//! | `client.address` | recommended | a believed proxy; else the peer |
//! | `network.peer.address`, `network.peer.port` | recommended | axum's `ConnectInfo` (feature `axum`), or [`PeerAddress`](server::PeerAddress) |
//! | `user_agent.original` | recommended | the header |
//! | `http.request.header.*`, `http.response.header.*` | opt-in | [`with_captured_request_headers`](HttpServerLayer::with_captured_request_headers), [`with_captured_response_headers`](HttpServerLayer::with_captured_response_headers) |
//! | `http.request.body.size`, `http.response.body.size` | opt-in | [`with_body_sizes`](HttpServerLayer::with_body_sizes): the bytes that flowed |
//!
//! All but the status, the sizes, the response's headers, `error.type` and a route from
//! [`set_route`] are there when the span starts, for samplers to see. They come right after the
//! start instead, and only if the span records, where attributes are late
//! ([`with_late_attributes`](HttpServerLayer::with_late_attributes), or a global sampler that drops
//! most spans unseen) or a remote parent was not sampled.
//!
//! # The client's span
//!
//! Kind `CLIENT`, named by the method, or by method and template (`GET /users/{id}`).
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `http.request.method` | required | the method, or `_OTHER` |
//! | `http.request.method_original` | conditional | the method, where it is not a known one |
//! | `server.address`, `server.port` | required | the request's target or `Host`; the port of the scheme where none is written |
//! | `url.full` | required | the target, credentials and sensitive query values redacted |
//! | `http.response.status_code` | conditional | the response, if there is one |
//! | `error.type` | conditional | see below |
//! | `network.protocol.version` | recommended | the response |
//! | `network.peer.address`, `network.peer.port` | recommended | the connection of the response (feature `hyper-util`) |
//! | `http.request.resend_count` | recommended | [`ResendCountLayer`](client::ResendCountLayer) above the layer that retries, from the second attempt on |
//! | `url.template` | opt-in | [`UrlTemplate`](otelware::http::client::UrlTemplate) among the extensions, or [`with_url_template`](HttpClientLayer::with_url_template) |
//! | headers, body sizes | opt-in | as at the server |
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `http.server.request.duration` | `s` | recommended | method, scheme, route, status code, protocol version, `error.type` |
//! | `http.server.active_requests` | `{request}` | opt-in: [`with_active_requests`](HttpServerLayer::with_active_requests) | method, scheme |
//! | `http.server.request.body.size`, `http.server.response.body.size` | `By` | opt-in: [`with_body_sizes`](HttpServerLayer::with_body_sizes) | as the duration |
//! | `http.client.request.duration` | `s` | recommended | method, address, port, status code, protocol version, `error.type`, `url.template` |
//! | `http.client.active_requests` | `{request}` | opt-in: [`with_active_requests`](HttpClientLayer::with_active_requests) | method, address, port, `url.template` |
//! | `http.client.request.body.size`, `http.client.response.body.size` | `By` | opt-in: [`with_body_sizes`](HttpClientLayer::with_body_sizes) | as the duration |
//! | `otelware.http.server.active_streams` | `{stream}` | opt-in: [`Streaming::segments`](server::Streaming::segments) | method, scheme |
//!
//! The span lasts exactly as long as the duration says.
//!
//! # How a request ends
//!
//! | End | Status of the span | `error.type` |
//! |---|---|---|
//! | the body came to its end | error from status 500 (server) or 400 (client) upwards, else unset | the status code, in case of error |
//! | an [`ErrorType`](otelware::operation::ErrorType) among the response's extensions (server) | error | that one |
//! | the service or the body failed | error | the class of the error, never its text |
//! | the future or the body was dropped | unset; see [`with_cancellation`](HttpServerLayer::with_cancellation) | `cancelled` (server), none (client) |
//! | a panic | error | `panic` |
//!
//! The user's value, error, cancellation or panic passes through untouched.

pub mod client;
mod count;
pub mod server;

pub use client::HttpClientLayer;
pub use count::{CountBodies, PassBodies, RequestBodies};
pub use otelware;
pub use server::{HttpServer, HttpServerLayer, set_route};
