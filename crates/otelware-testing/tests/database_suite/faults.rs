//! Faults of an instrumentation, and the cases that find them.

use std::panic::resume_unwind;

use otelware_testing::suites::database;

use crate::store::Store;

/// The instrumentation is sound.
pub const NONE: usize = 0;

/// Asserts that the case fails, for this reason.
async fn finds(reason: &str, case: impl Future<Output = ()> + Send + 'static) {
    let Err(error) = tokio::spawn(case).await else {
        panic!("the case must fail: {reason}");
    };
    let message = match error.into_panic().downcast::<String>() {
        Ok(message) => message,
        Err(other) => resume_unwind(other),
    };
    assert!(message.contains(reason), "{message}");
}

macro_rules! faults {
    ($($fault:ident = $number:literal: $name:ident is found by $case:ident for $reason:literal,)*) => {
        $(
            pub const $fault: usize = $number;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                finds($reason, database::$case::<Store<$fault>>()).await;
            }
        )*
    };
}

faults! {
    NO_ERROR_TYPE = 1: an_error_without_a_type
        is found by an_operation_fails for "attribute error.type",
    NOTHING_IS_AN_ERROR = 2: an_error_where_nothing_was_found
        is found by nothing_is_found for "status",
    DROPPED_NOT_MEASURED = 3: a_dropped_operation_without_metric
        is found by a_dropped_operation for "expected one metric",
    NO_PARENT = 4: an_operation_that_ignores_its_parent
        is found by an_operation_is_a_child_of_the_current_span for "parent",
    UNSAMPLED_NOT_MEASURED = 5: an_unsampled_operation_without_metric
        is found by an_unsampled_parent_is_measured for "expected one metric",
    FILTER_IGNORED = 6: a_filter_that_is_ignored
        is found by a_filter_decides_by_signal for "the number of spans",
    PARENT_ONLY_IGNORED = 7: a_span_without_parent
        is found by spans_only_within_others for "the number of spans",
    MINIMUM_IGNORED = 8: a_span_that_is_too_short
        is found by spans_of_what_takes_some_time_or_fails for "the number of spans",
    MESSAGES_SHOWN = 9: a_message_that_was_not_asked_for
        is found by an_operation_fails for "status",
    MESSAGES_HIDDEN = 10: a_message_that_was_asked_for
        is found by messages_of_errors_are_shown_if_asked_for for "status",
    RESERVED_REPLACED = 11: a_hook_that_replaces_a_reserved_key
        is found by hooks_add_attributes_and_replace_none_of_the_reserved for "more than once",
    LATE_IGNORED = 12: attributes_that_are_not_late
        is found by late_attributes_are_not_for_samplers for "db.system.name",
    GIVEN_PROVIDERS_IGNORED = 13: providers_that_are_ignored
        is found by the_global_providers_are_the_default for "the number of spans",
    SECRET_IN_TEXT = 14: a_secret_in_a_text
        is found by no_secret_is_told for "s3cr3t",
    PENDING_FOR_EVER = 15: a_request_that_is_pending_for_ever
        is found by a_dropped_wait_for_a_connection for "pending requests",
    NO_TIMEOUTS = 16: timeouts_that_are_not_counted
        is found by a_connection_that_is_waited_for_in_vain for "db.client.connection.timeouts",
    USED_FOR_EVER = 17: a_use_that_is_not_measured
        is found by operations_on_a_connection for "db.client.connection.use_time",
    OBSERVED_FOR_EVER = 18: a_pool_that_is_kept_alive
        is found by a_pool_that_is_dropped_is_observed_no_more for "it is not observed",
    POOL_NAME_IGNORED = 19: a_name_of_a_pool_that_is_ignored
        is found by the_pool_has_the_name_it_is_given for "orders",
    CANCELLATION_IGNORED = 20: a_cancellation_that_is_ignored
        is found by a_dropped_operation for "attribute error.type",
    ANOTHER_CLOCK = 21: a_metric_of_another_clock
        is found by an_operation_succeeds for "db.client.operation.duration",
    OTHER_VERSION = 22: a_scope_of_another_version
        is found by an_operation_succeeds for "scope",
}
