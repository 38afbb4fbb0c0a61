//! OpenTelemetry for [`reqwest`]: one span and one duration measurement for each request, from its
//! sending to the end of its response's body, and the trace context in its headers.
//!
//! ```no_run
//! use otelware_reqwest::ClientExt;
//!
//! # async fn example() -> Result<(), reqwest_middleware::Error> {
//! let client = reqwest::Client::new().instrumented();
//! let orders = client.get("https://shop.example/orders").send().await?.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With options, and with other middlewares of [`reqwest_middleware`]:
//!
//! ```
//! use otelware_reqwest::HttpClientMiddleware;
//! use otelware::propagation::{Destinations, Outbound};
//! use reqwest_middleware::ClientBuilder;
//!
//! let internal_only = Destinations::everywhere(Outbound::Nothing)
//!     .except("*.internal", Outbound::Everything);
//! let client = ClientBuilder::new(reqwest::Client::new())
//!     // Middlewares that retry go here, before it, so that each attempt has its span.
//!     .with(HttpClientMiddleware::new().with_destinations(internal_only))
//!     .build();
//! ```
//!
//! Destinations are asked about the URL that is requested. reqwest follows redirects by itself and
//! carries `traceparent` and `baggage` along, to another host too: see [Redirects](#redirects).
//!
//! # One request
//!
//! Extensions of a request tell of it alone:
//!
//! | Extension | Effect |
//! |---|---|
//! | [`UrlTemplate`] | `url.template` of span and metrics, and the target in the span's name |
//! | [`Outbound`](otelware::propagation::Outbound) | what of its context goes out, instead of what [`with_destinations`](HttpClientMiddleware::with_destinations) says |
//!
//! ```no_run
//! use otelware::propagation::Outbound;
//! use otelware_reqwest::{ClientExt, UrlTemplate};
//!
//! # async fn example() -> Result<(), reqwest_middleware::Error> {
//! let client = reqwest::Client::new().instrumented();
//! let response = client
//!     .get("https://weather.example/cities/7")
//!     .with_extension(UrlTemplate::new("/cities/{id}"))
//!     .with_extension(Outbound::Nothing)
//!     .send()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Spans
//!
//! Kind `CLIENT`, named by the method, or by the method and the template: `GET /cities/{id}`.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `http.request.method` | required | the method, or `_OTHER` |
//! | `http.request.method_original` | conditional | the method, where it is not a known one |
//! | `server.address`, `server.port` | required | the URL; the port of the scheme where none is written |
//! | `url.full` | required | the URL as requested, credentials and sensitive query values redacted |
//! | `http.response.status_code` | conditional | the response, if there is one |
//! | `network.protocol.version` | recommended | the response |
//! | `network.peer.address`, `network.peer.port` | recommended | the connection of the response |
//! | `http.request.resend_count` | recommended | which attempt it is of a middleware that retries, from the second on |
//! | `error.type` | conditional | the status code from 400 upwards; the class of the error |
//! | `url.template` | opt-in | [`UrlTemplate`] or [`with_url_template`](HttpClientMiddleware::with_url_template) |
//! | `http.request.header.*`, `http.response.header.*` | opt-in | [`with_captured_request_headers`](HttpClientMiddleware::with_captured_request_headers), [`with_captured_response_headers`](HttpClientMiddleware::with_captured_response_headers) |
//! | `http.request.body.size`, `http.response.body.size` | opt-in | [`with_body_sizes`](HttpClientMiddleware::with_body_sizes) |
//!
//! Redirects are followed within reqwest, where no middleware sees them: a redirected request is
//! one span, whose URL is the one that was requested and whose status code is the last one.
//!
//! # Redirects
//!
//! To another host reqwest takes a redirected request's `traceparent`, `tracestate` and `baggage`
//! along, whatever [`with_destinations`](HttpClientMiddleware::with_destinations) says of that host:
//! it drops only headers of credentials such as `Authorization`. Where context must not leave, stop
//! there by reqwest's [`redirect::Policy`](reqwest::redirect::Policy), and request the next URL
//! anew:
//!
//! ```
//! use otelware_reqwest::ClientExt;
//! use reqwest::redirect::Policy;
//!
//! # fn example() -> Result<(), reqwest::Error> {
//! let same_host_only = Policy::custom(|attempt| {
//!     let same = attempt.previous().first().is_some_and(|first| first.host() == attempt.url().host());
//!     match same && attempt.previous().len() <= 10 {
//!         true => attempt.follow(),
//!         false => attempt.stop(),
//!     }
//! });
//! let client = reqwest::Client::builder().redirect(same_host_only).build()?.instrumented();
//! # Ok(())
//! # }
//! ```
//!
//! # Metrics
//!
//! | Metric | Unit | Level |
//! |---|---|---|
//! | `http.client.request.duration` | `s` | recommended |
//! | `http.client.active_requests` | `{request}` | opt-in: [`with_active_requests`](HttpClientMiddleware::with_active_requests) |
//! | `http.client.request.body.size`, `http.client.response.body.size` | `By` | opt-in: [`with_body_sizes`](HttpClientMiddleware::with_body_sizes) |
//!
//! Their attributes are `http.request.method`, `server.address`, `server.port`, and `url.template`
//! where it is known; but for the count of active requests also `http.response.status_code`,
//! `network.protocol.version` and `error.type`.
//!
//! # How a request ends
//!
//! | End | Span status | `error.type` |
//! |---|---|---|
//! | The response's body came to its end, or there can be none | error from status 400 upwards, else unset | the status code, from 400 upwards |
//! | The client or the response's body failed | error | the class of the error: `timeout`, `connection_refused`, `name_resolution_error`, …, else `connect`, `builder`, `redirect`, `request`, `body`, `decode` |
//! | The future or the response was dropped | unset; see [`with_cancellation`](HttpClientMiddleware::with_cancellation) | none |
//! | A middleware beneath panicked | error | `panic` |

mod body;
mod client;
mod error;
mod middleware;
mod target;

pub use client::ClientExt;
pub use middleware::HttpClientMiddleware;
pub use otelware;
pub use otelware::http::client::{RequestView, UrlTemplate};
pub use reqwest;
pub use reqwest_middleware;
