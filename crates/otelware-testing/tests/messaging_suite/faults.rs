//! Faults of an instrumentation, and the cases that find them.

use std::panic::resume_unwind;

use otelware_testing::suites::messaging;

use crate::post::Post;

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
                finds($reason, messaging::$case::<Post<$fault>>()).await;
            }
        )*
    };
}

faults! {
    NO_ERROR_TYPE = 1: an_error_without_a_type
        is found by a_message_is_not_sent for "attribute error.type",
    OTHER_CONTEXT = 2: a_message_with_another_context
        is found by a_message_is_sent for "left == right",
    REFUSED_NOT_COUNTED = 3: a_refused_message_that_is_not_counted
        is found by a_message_is_not_sent for "messaging.client.sent.messages",
    CONTEXT_APPENDED = 4: a_context_beside_the_one_that_was_there
        is found by a_message_that_is_sent_on_has_the_new_context for "left == right",
    NO_LINK = 5: processing_without_a_link
        is found by processing_is_a_child_of_its_sender_and_linked for "link 1",
    ALWAYS_PARENT = 6: a_policy_that_is_ignored
        is found by the_parent_is_chosen_by_policy_and_baggage_arrives for "parent",
    BAGGAGE_LOST = 7: baggage_that_is_lost
        is found by the_parent_is_chosen_by_policy_and_baggage_arrives for "tenant=7",
    STRANGERS_TRUSTED = 8: strangers_that_are_trusted
        is found by strangers_are_linked_only for "tenant=7",
    UNSAMPLED_NOT_MEASURED = 9: an_unsampled_message_without_metrics
        is found by what_an_unsampled_sender_sent_is_measured for "the metrics",
    DROPPED_NOT_MEASURED = 10: dropped_processing_without_metrics
        is found by processing_is_dropped for "the metrics",
    CANCELLATION_IGNORED = 11: a_cancellation_that_is_ignored
        is found by processing_is_dropped for "attribute error.type",
    PANIC_IS_DROPPED = 12: a_panic_that_counts_as_dropped
        is found by processing_panics for "panic",
    COUNTED_TWICE = 13: a_message_that_is_counted_twice
        is found by messages_are_counted_once for "messaging.client.consumed.messages",
    FILTER_IGNORED = 14: a_filter_that_is_ignored
        is found by a_filter_decides_by_signal_on_processing for "the number of spans",
    FILTER_STOPS_CONTEXT = 15: a_filter_that_stops_the_context
        is found by the_context_leaves_whatever_the_filter_says for "left == right",
    RESERVED_REPLACED = 16: a_hook_that_replaces_a_reserved_key
        is found by hooks_add_attributes_to_processing_and_replace_none_of_the_reserved
        for "more than once",
    LATE_REPLACED = 17: a_hook_that_sets_what_is_known_at_the_end
        is found by hooks_do_not_set_what_sending_learns_at_its_end for "more than once",
    LATE_IGNORED = 18: attributes_that_are_not_late
        is found by late_attributes_are_not_for_samplers for "messaging.system.name",
    NOT_REDACTED = 19: a_header_that_is_not_redacted
        is found by no_secret_is_told_of_sending for "s3cr3t",
    SIZES_ALWAYS = 20: a_size_that_nobody_asked_for
        is found by a_message_is_sent for "messaging.message.body.size",
    NAME_ON_METRICS = 21: a_name_on_metrics_beside_its_template
        is found by processing_shows_headers_sizes_and_templates_if_asked_for
        for "messaging.destination.name",
    PRESERVE_IGNORED = 22: a_context_that_does_not_stay
        is found by a_message_that_is_sent_on_keeps_its_context_if_so_told for "kind",
    OUTBOUND_IGNORED = 23: baggage_that_must_not_leave
        is found by what_leaves_is_an_option for "TraceContextOnly",
    PROPAGATOR_IGNORED = 24: a_propagator_that_is_ignored
        is found by the_propagator_that_is_given_is_used for "shop-traceparent",
    PROVIDERS_IGNORED = 25: providers_that_are_ignored
        is found by the_global_providers_are_the_default_for_processing for "the number of spans",
    BATCH_IS_CHILD = 26: a_batch_that_is_the_child_of_a_sender
        is found by a_batch_is_linked_to_its_senders for "parent",
    MORE_LINKS = 27: links_that_the_sdk_drops
        is found by a_batch_has_no_more_links_than_a_span_can_have for "dropped links",
    UNLINKED_NOT_TOLD = 28: messages_without_links_that_are_not_told_of
        is found by a_batch_has_no_more_links_than_a_span_can_have
        for "otelware.messaging.unlinked_messages",
    SETTLED_WITH_SPANS = 29: a_settlement_with_a_span
        is found by settlements_have_no_spans_if_so_told for "the number of spans",
    OTHER_VERSION = 30: a_scope_of_another_version
        is found by a_message_is_sent for "scope",
    ANOTHER_CLOCK = 31: a_metric_of_another_clock
        is found by a_message_is_processed_in_each_way for "messaging.process.duration",
    TEXTS_SHOWN = 32: a_text_that_nobody_asked_for
        is found by a_message_is_not_sent for "status",
    BODY_SHOWN = 33: a_body_that_is_shown
        is found by no_secret_is_told_of_processing for "s3cr3t",
    NO_PARENT = 34: a_settlement_that_ignores_its_parent
        is found by a_message_is_settled for "parent",
    NOT_CURRENT = 35: a_context_that_is_not_current
        is found by messages_are_processed_side_by_side for "left == right",
    COUNTER_NOT_FILTERED = 36: a_counter_that_is_not_filtered
        is found by a_filter_is_shown_each_operation for "left == right",
    FAILURES_TOLD = 37: a_text_of_processing_that_is_told
        is found by processing_fails for "status",
    COUNTER_NOT_HOOKED = 38: a_counter_without_the_hook_s_attributes
        is found by a_hook_adds_attributes_to_the_count_of_messages
        for "messaging.client.consumed.messages",
    COUNTED_UNSEEN = 39: a_message_that_is_counted_without_its_headers
        is found by what_is_counted_is_shown_with_its_headers for "shop.tenant",
}
