//! What every instrumentation of an HTTP client must do.
//!
//! Implement [`HttpClientUnderTest`] and name it to [`http_client_suite!`](crate::http_client_suite!),
//! in a test file of its own: each case becomes a test of its name.

mod case;
mod cases;
mod expected;
mod subject;

pub use cases::*;
pub use subject::{BoxError, Capabilities, HttpClientUnderTest, Policy, ResponseBody, Setup};

/// Makes a test of each case of the suite for a type that implements
/// [`HttpClientUnderTest`](crate::suites::http_client::HttpClientUnderTest). The crate needs
/// `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! http_client_suite {
    ($client:ty) => {
        $crate::http_client_suite! { $client:
            a_get_is_a_span_and_a_duration,
            a_post_and_a_put_are_told_apart,
            a_head_ends_with_its_head,
            a_response_that_has_no_body_ends_with_its_head,
            error_statuses_are_errors,
            other_statuses_are_no_errors,
            an_unknown_method_is_other,
            sensitive_query_values_are_redacted,
            credentials_are_redacted,
            a_refused_connection_is_an_error,
            errors_are_events_where_a_logger_provider_is_given,
            a_timeout_is_an_error,
            a_request_dropped_before_its_head_is_cancelled,
            a_response_dropped_midway_is_cancelled,
            a_response_ends_with_its_body,
            a_response_that_breaks_off_is_an_error,
            a_panic_is_recorded_and_passed_on,
            redirects_are_as_the_client_has_them,
            resent_requests_are_counted,
            stale_tracing_headers_are_replaced,
            a_request_without_a_parent_is_a_root,
            a_request_is_a_child_of_the_current_span,
            an_unsampled_parent_goes_on_and_is_measured,
            baggage_goes_on,
            trace_context_alone_goes_to_those_that_are_told_no_more,
            nothing_goes_to_those_that_are_told_nothing,
            an_instrumentation_within_itself_is_one,
            concurrent_requests_keep_their_parents,
            an_ipv6_address_has_no_brackets,
            the_port_of_the_scheme_is_known,
            samplers_see_what_is_known_at_the_start,
            headers_are_captured_and_secrets_are_not,
            a_url_template_names_the_request,
            body_sizes_are_measured,
            a_streamed_body_is_measured,
            a_filtered_request_goes_on_without_telemetry,
        }
    };
    ($client:ty: $($case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suites::http_client::$case::<$client>().await;
            }
        )*
    };
}
