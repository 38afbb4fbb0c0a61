//! What every instrumentation of an HTTP server must do.
//!
//! An instrumentation implements [`HttpServerUnderTest`] for its server and calls
//! [`http_server_suite!`](crate::http_server_suite), which makes a test of each case:
//!
//! ```ignore
//! otelware_testing::http_server_suite!(MyServer);
//! ```
//!
//! The cases' own servers, requests and expectations ([`TestServer`], [`Wire`],
//! [`ExpectedRequest`]) serve for an instrumentation's further tests as well.

mod cases;
mod expected;
mod routes;
mod server;
mod wire;

use std::future::Future;

use opentelemetry::propagation::TextMapPropagator;
use tokio::net::TcpListener;

pub use cases::*;
pub use expected::ExpectedRequest;
pub use routes::{Handler, INNER_SPAN, ROUTES, ResponseBody};
pub use server::TestServer;
pub use wire::{Answer, Wire};

use crate::{Capture, Scope};

/// An instrumented HTTP server.
pub trait HttpServerUnderTest: Send + Sync + 'static {
    /// Whether the instrumentation knows which template a path matched.
    const KNOWS_ROUTES: bool;

    /// The instrumentation scope of its telemetry.
    fn scope() -> Scope;

    /// W3C trace context and baggage, as the instrumentation and the handlers are to use it.
    fn propagator() -> impl TextMapPropagator + Send + Sync + 'static;

    /// Serves [`ROUTES`] over HTTP/1 and HTTP/2 with prior knowledge: every method of every route
    /// leads to [`Handler::respond`], every other path to 404.
    ///
    /// The instrumentation sends traces and metrics to `telemetry` with its defaults, besides that
    /// it counts requests in flight. A panic of a handler reaches the server.
    fn serve(
        listener: TcpListener,
        telemetry: Capture,
        handler: Handler,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// Makes a test of each case of the suite against a server: a type that implements
/// [`HttpServerUnderTest`](crate::suites::http_server::HttpServerUnderTest).
#[macro_export]
macro_rules! http_server_suite {
    ($server:ty) => {
        $crate::http_server_suite! {
            $server:
            success,
            route_parameters_do_not_show,
            client_errors_are_no_errors_of_the_server,
            server_errors,
            an_unknown_path_has_no_route,
            an_unknown_method_is_folded,
            a_method_is_case_sensitive,
            sensitive_queries_are_redacted,
            head_has_no_body,
            statuses_without_body,
            an_empty_body,
            a_body_of_unknown_length,
            the_end_of_an_announced_body_is_success,
            trailers_pass,
            request_bodies_pass,
            a_body_that_fails_is_an_error,
            a_client_that_leaves_the_handler,
            a_client_that_leaves_the_body,
            a_panic,
            concurrent_requests,
            pipelined_requests,
            http_1_0,
            http_2,
            http_2_reset,
            an_ipv6_host,
            no_usable_host,
            foreign_bytes,
            a_sampled_parent,
            an_unsampled_parent,
            a_malformed_parent,
            state_and_baggage_reach_the_next_service,
            samplers_see_the_request
        }
    };
    ($server:ty: $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suites::http_server::$case::<$server>().await;
            }
        )*
    };
}
