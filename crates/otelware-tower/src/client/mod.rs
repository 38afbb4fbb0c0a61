//! Middleware that observes an HTTP client: one span and one duration measurement for each
//! request, from its sending to the end of its response's body, and the trace context in its
//! headers.
//!
//! ```
//! use otelware_tower::HttpClientLayer;
//! use tower::ServiceBuilder;
//! # use tower::service_fn;
//! # type Body = http_body_util::Empty<bytes::Bytes>;
//! # let client = service_fn(async |_: http::Request<Body>| {
//! #     Ok::<_, std::convert::Infallible>(http::Response::new(Body::new()))
//! # });
//!
//! let client = ServiceBuilder::new()
//!     .layer(HttpClientLayer::new())
//!     .service(client);
//! # fn is_service<B>(_: impl tower::Service<http::Request<B>>) {}
//! # is_service(client);
//! ```
//!
//! The layer goes beneath those that send a request more than once, so that each sending has its
//! span. A [`ResendCountLayer`] above them makes it known which sending it is:
//!
//! ```
//! use otelware_tower::client::{HttpClientLayer, ResendCountLayer};
//! use tower::ServiceBuilder;
//! use tower_http::follow_redirect::FollowRedirectLayer;
//! # use tower::service_fn;
//! # type Body = http_body_util::Empty<bytes::Bytes>;
//! # let client = service_fn(async |_: http::Request<Body>| {
//! #     Ok::<_, std::convert::Infallible>(http::Response::new(Body::new()))
//! # });
//!
//! let client = ServiceBuilder::new()
//!     .layer(ResendCountLayer::new())
//!     .layer(FollowRedirectLayer::new())
//!     .layer(HttpClientLayer::new())
//!     .service(client);
//! # fn is_service(_: impl tower::Service<http::Request<Body>>) {}
//! # is_service(client);
//! ```
//!
//! # One request
//!
//! Extensions of a request tell of it alone:
//!
//! | Extension | Effect |
//! |---|---|
//! | [`UrlTemplate`] | `url.template` of span and metrics, and the target in the span's name |
//! | [`Outbound`](otelware::propagation::Outbound) | what of its context goes out, instead of what [`with_destinations`](HttpClientLayer::with_destinations) says |
//! | [`ResendCount`] | `http.request.resend_count` of the span, from the second sending on |
//!
//! # How a request ends
//!
//! | End | Span status | `error.type` |
//! |---|---|---|
//! | The response's body came to its end, or there can be none | error from status 400 upwards, else unset | the status code, from 400 upwards |
//! | The service or the response's body failed | error | the class of the error, such as `timeout` or `connection_refused`, else the name of its type |
//! | The future or the body was dropped | unset; see [`with_cancellation`](HttpClientLayer::with_cancellation) | none |
//! | The service panicked | error | `panic` |
//!
//! With the feature `hyper-util`, the errors of hyper and hyper-util are classed by their causes,
//! and `network.peer.address` and `network.peer.port` are those of the connection.

mod error;
mod future;
mod layer;
mod service;

pub use future::ResponseFuture;
pub use layer::HttpClientLayer;
pub use otelware::http::client::{RequestView, ResendCount, UrlTemplate};
pub use service::HttpClient;

/// Makes `http.request.resend_count` known to an [`HttpClientLayer`] beneath a layer that retries or
/// follows redirects. It goes above that layer, and puts a [`ResendCount`] into the extensions of
/// each request that has none.
pub type ResendCountLayer = otelware::http::ExtensionLayer<ResendCount>;

/// The body of a response, whose end is the end of the request.
pub type ResponseBody<B> = otelware::http::OperationBody<B, otelware::http::client::ClientCall>;
