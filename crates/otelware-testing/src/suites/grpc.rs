//! What every instrumentation of gRPC with tonic must do, at the client and at the server.
//!
//! An instrumentation implements [`GrpcUnderTest`] for its layers and calls
//! [`grpc_suite!`](crate::grpc_suite!), which makes a test of each case:
//!
//! ```ignore
//! otelware_testing::grpc_suite!(MyLayers);
//! ```
//!
//! The service that the cases call ([`shapes`], [`Handlers`], [`Script`]) and the [`Link`] to it
//! serve for an instrumentation's further tests as well.

mod call;
mod case;
mod cases;
mod expected;
mod handlers;
mod link;
mod script;
pub mod shapes;

use std::future::Future;

use opentelemetry::propagation::TextMapPropagator;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Bytes, StdError};
use tonic::transport::Endpoint;

pub use cases::*;
pub use handlers::{Handlers, INNER_SPAN, SPAWNED_SPAN, STREAMED_SPAN};
pub use link::Link;
pub use script::{Moment, Script};
pub use shapes::Shape;
use shapes::shapes_server::ShapesServer;

use crate::{Capture, Scope};

/// What generated clients make their calls with; clones share its connection.
pub trait Channel:
    GrpcService<
        Body,
        Error: Into<StdError>,
        ResponseBody: http_body::Body<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
    > + Clone
    + 'static
{
}

impl<T> Channel for T
where
    T: GrpcService<Body> + Clone + 'static,
    T::Error: Into<StdError>,
    T::ResponseBody: http_body::Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as http_body::Body>::Error: Into<StdError> + Send,
{
}

/// Instrumented gRPC, client and server.
///
/// Both sides send traces and metrics to the telemetry that they are given, with their defaults,
/// besides that they count calls in flight.
pub trait GrpcUnderTest: Send + Sync + 'static {
    /// An instrumented channel.
    type Channel: Channel;

    /// Whether the server's instrumentation is told the methods of [`Shape::ALL`]. One that is not
    /// told is shown each method once before a case begins.
    const KNOWS_METHODS: bool;

    /// The instrumentation scope of the telemetry.
    fn scope() -> Scope;

    /// W3C trace context and baggage, as the instrumentation and the handlers are to use it.
    fn propagator() -> impl TextMapPropagator + Send + Sync + 'static;

    /// Serves the service and no other, until it is dropped. A panic of a handler reaches the
    /// server.
    fn serve(
        listener: TcpListener,
        telemetry: Capture,
        shapes: ShapesServer<Handlers>,
    ) -> impl Future<Output = ()> + Send + 'static;

    /// A channel to this endpoint that connects when it is used first.
    fn channel(endpoint: &Endpoint, telemetry: Capture) -> Self::Channel;
}

/// Makes a test of each case of the suite for a type that implements
/// [`GrpcUnderTest`](crate::suites::grpc::GrpcUnderTest), those of one shape of methods in a module
/// of its name. The crate needs `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! grpc_suite {
    ($grpc:ty) => {
        $crate::grpc_suite! { $grpc, unary, Unary:
            succeeds,
            fails_instead_of_answering,
            panics_instead_of_answering,
            the_client_leaves_before_the_answer,
            the_server_dies_before_the_answer,
            a_deadline_passes_before_the_answer,
            a_deadline_that_has_not_passed,
            the_timeout_of_the_endpoint_passes,
            an_unimplemented_method,
            an_unknown_service,
            a_refused_connection,
            the_context_reaches_the_server
        }
        $crate::grpc_suite! { $grpc, client_stream, ClientStream:
            succeeds,
            an_empty_stream,
            fails_instead_of_answering,
            fails_after_the_first_message,
            panics_instead_of_answering,
            panics_after_the_first_message,
            the_client_leaves_before_the_answer,
            the_client_leaves_after_the_first_message,
            the_server_dies_before_the_answer,
            the_server_dies_after_the_first_message,
            the_server_ends_early,
            a_deadline_passes_before_the_answer,
            a_deadline_passes_after_the_first_message,
            a_deadline_that_has_not_passed,
            the_timeout_of_the_endpoint_passes,
            an_unimplemented_method,
            an_unknown_service,
            a_refused_connection,
            the_context_reaches_the_server,
            the_context_reaches_the_requests
        }
        $crate::grpc_suite! { $grpc, server_stream, ServerStream:
            succeeds,
            an_empty_stream,
            fails_instead_of_answering,
            fails_before_the_first_message,
            fails_after_the_first_message,
            panics_instead_of_answering,
            panics_after_the_first_message,
            the_client_leaves_before_the_answer,
            the_client_leaves_at_the_head,
            the_client_leaves_after_the_first_message,
            the_server_dies_before_the_answer,
            the_server_dies_after_the_first_message,
            a_deadline_passes_before_the_answer,
            a_deadline_passes_after_the_first_message,
            a_deadline_that_has_not_passed,
            the_timeout_of_the_endpoint_passes,
            an_unimplemented_method,
            an_unknown_service,
            a_refused_connection,
            the_context_reaches_the_server
        }
        $crate::grpc_suite! { $grpc, bidi, Bidi:
            succeeds,
            an_empty_stream,
            fails_instead_of_answering,
            fails_before_the_first_message,
            fails_after_the_first_message,
            panics_instead_of_answering,
            panics_after_the_first_message,
            the_client_leaves_before_the_answer,
            the_client_leaves_at_the_head,
            the_client_leaves_after_the_first_message,
            the_server_dies_before_the_answer,
            the_server_dies_after_the_first_message,
            the_server_ends_early,
            a_deadline_passes_before_the_answer,
            a_deadline_passes_after_the_first_message,
            a_deadline_that_has_not_passed,
            the_timeout_of_the_endpoint_passes,
            an_unimplemented_method,
            an_unknown_service,
            a_refused_connection,
            the_context_reaches_the_server,
            the_context_reaches_the_requests
        }
        $crate::grpc_suite! { $grpc:
            concurrent_calls_keep_apart,
            a_call_without_a_parent_is_a_root,
            stale_tracing_metadata_is_replaced,
            a_sampled_parent,
            an_unsampled_parent_of_the_server,
            an_unsampled_parent_of_the_client,
            a_malformed_parent,
            samplers_see_the_call
        }
    };
    ($grpc:ty, $module:ident, $shape:ident: $($case:ident),*) => {
        mod $module {
            #[allow(unused_imports, reason = "the type may have a path from the root")]
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let shape = $crate::suites::grpc::Shape::$shape;
                    $crate::suites::grpc::$case::<$grpc>(shape).await;
                }
            )*
        }
    };
    ($grpc:ty: $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suites::grpc::$case::<$grpc>().await;
            }
        )*
    };
}
