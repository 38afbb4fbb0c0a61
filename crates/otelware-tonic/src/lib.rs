//! OpenTelemetry for gRPC with tonic: layers for servers and clients that see the whole of a call,
//! and interceptors where no layer can be added.
//!
//! ```
//! # #[cfg(all(feature = "channel", feature = "server"))]
//! # async fn example() -> Result<(), tonic::transport::Error> {
//! use otelware_tonic::{GrpcClientLayer, GrpcServerLayer};
//! use tonic::transport::{Endpoint, Server};
//!
//! let mut server = Server::builder().layer(GrpcServerLayer::new());
//! // server.add_service(OrdersServer::new(orders)).serve(address).await?;
//!
//! let endpoint = Endpoint::from_static("http://orders:50051");
//! let channel = GrpcClientLayer::new().connect(&endpoint).await?;
//! // let mut orders = OrdersClient::new(channel);
//! # let _ = server.add_routes(tonic::service::Routes::default());
//! # drop(channel);
//! # Ok(())
//! # }
//! ```
//!
//! Providers and propagator are the global ones, which `otelware::init` sets, unless a layer is
//! handed others. A call lasts from its request's head to the end of its response's stream, whose
//! trailers say how it ended.
//!
//! # Spans
//!
//! Kind `SERVER` or `CLIENT`, named by the method (`shop.v1.Orders/PlaceOrder`), or `grpc` where
//! that is not a known one.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `rpc.system.name` | required | `grpc` |
//! | `rpc.method` | required | the method, or `_OTHER`; see below |
//! | `rpc.method_original` | conditional | the method, where it is not a known one |
//! | `rpc.status_code` | required | the status of the call, also `OK`; none after a panic, or an error that is no status |
//! | `error.type` | conditional | see below |
//! | `server.address`, `server.port` | required (client), recommended (server) | client: [`connect`](GrpcClientLayer::connect), [`with_endpoint`](GrpcClientLayer::with_endpoint), [`with_server_address`](GrpcClientLayer::with_server_address), or the target; server: `:authority` or `Host` |
//! | `network.peer.address`, `network.peer.port` | recommended | server: the connection of tonic's server (features `server`, `tls`), or axum's `ConnectInfo` (feature `axum`) |
//! | `rpc.request.metadata.*`, `rpc.response.metadata.*` | opt-in | `with_captured_request_metadata`, `with_captured_response_metadata` |
//! | `otelware.rpc.previous_attempts` | own | client: [`AttemptCountLayer`](client::AttemptCountLayer); server: the metadata `grpc-previous-rpc-attempts` |
//! | `otelware.rpc.request.messages`, `.size`, `otelware.rpc.response.messages`, `.size` | own, opt-in | `with_message_counts`: the messages that flowed, and their bytes as sent, without the prefixes |
//!
//! System, method, server, peer, attempts and the request's metadata are there when the span
//! starts, for samplers to see, except under an unsampled remote parent, with
//! [`with_late_attributes`](GrpcServerLayer::with_late_attributes), and for methods that a server
//! has yet to learn.
//!
//! `with_message_events` adds an event `rpc.message` for each message, with `rpc.message.type`
//! (`SENT` or `RECEIVED`), `rpc.message.id` (from 1, in each direction) and
//! `rpc.message.uncompressed_size`, or `rpc.message.compressed_size` where the message is
//! compressed. Version 1.45 of the conventions has no event of messages; this is the one of their
//! older versions.
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `rpc.server.call.duration` | `s` | recommended | system, method, status code, `error.type` |
//! | `rpc.client.call.duration` | `s` | recommended | system, method, status code, `error.type`, server's address and port |
//! | `otelware.rpc.server.active_calls` | `{call}` | own, opt-in: [`with_active_calls`](GrpcServerLayer::with_active_calls) | system, method |
//! | `otelware.rpc.client.active_calls` | `{call}` | own, opt-in: [`with_active_calls`](GrpcClientLayer::with_active_calls) | system, method, server's address and port |
//! | `otelware.rpc.*.request.messages`, `otelware.rpc.*.response.messages` | `{message}` | own, opt-in: `with_message_counts` | as the duration |
//! | `otelware.rpc.*.request.size`, `otelware.rpc.*.response.size` | `By` | own, opt-in: `with_message_counts` | as the duration |
//!
//! The span lasts exactly as long as the duration says.
//!
//! # How a call ends
//!
//! | End | `rpc.status_code` | Error |
//! |---|---|---|
//! | a status in trailers, or in a head without a body | that one | client: all but `OK`; server: `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS` |
//! | no status at all | the one that clients infer from the HTTP status | as above |
//! | the client failed to reach the server, or lost it | the one that tonic tells the caller | yes |
//! | its deadline (`grpc-timeout`, or the endpoint's timeout) passed | `DEADLINE_EXCEEDED`, also where tonic says `CANCELLED` | yes |
//! | the call was dropped before its end, also since its client could not decode the response | `CANCELLED` | no; see [`with_cancellation`](GrpcServerLayer::with_cancellation) |
//! | a panic | none | yes: `error.type` is `panic` |
//!
//! `error.type` of an error is its status code. The user's value, error, cancellation or panic
//! passes through untouched.
//!
//! # Known methods
//!
//! Anyone can call methods that do not exist, so a server tells a bounded set apart: those that it
//! is told ([`with_file_descriptor_set`](GrpcServerLayer::with_file_descriptor_set),
//! [`with_known_methods_of`](GrpcServerLayer::with_known_methods_of),
//! [`with_known_methods`](GrpcServerLayer::with_known_methods)), or else up to 1,024 that it learns
//! by how it answers. A client's code calls a fixed set of methods, of which a layer keeps 1,024.
//!
//! # What is observed
//!
//! A server's layer observes `POST` requests to its known methods, and others with the content type
//! `application/grpc`. Everything else passes it unobserved, gRPC-Web too: it goes beneath
//! tonic-web's layer, which turns that into gRPC. What tonic's `Server` does itself lies outside
//! its layers: calls that its `load_shed` turns away are not seen, and its `timeout` is seen as a
//! dropped call.
//!
//! Under the `HttpServerLayer` of `otelware-tower` on an axum router (`Router::layer`, feature
//! `axum`) with services of tonic's, calls have the gRPC layer's span alone, from the second call of
//! each service on.

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
mod observed;
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
