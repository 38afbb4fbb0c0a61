//! What every instrumentation of a message broker's client must do, whatever carries the messages.
//!
//! An instrumentation implements [`MessagingUnderTest`] for its client and calls
//! [`messaging_suite!`](crate::messaging_suite!), in a module of its own: each case becomes a test of
//! its name. What a broker or its client lacks is not named there:
//!
//! ```ignore
//! otelware_testing::messaging_suite!(MyBroker);
//! otelware_testing::messaging_suite!(MyLog: sends, processing, contexts, batches);
//! ```
//!
//! | Group | Wanted of the client |
//! |---|---|
//! | `sends` | sending leaves spans and metrics |
//! | `late` | sending learns something of the message at its end, such as its number |
//! | `processing` | messages arrive, and are processed one by one |
//! | `counts` | headers of messages are known when they are counted |
//! | `contexts` | messages have headers, which carry contexts |
//! | `forwards` | both: what has a context is sent |
//! | `batches` | messages are processed several at once, and have headers |
//! | `settlements` | messages are settled one by one |
//!
//! Instrumentations whose options and guards are those of otelware take them from
//! [`messaging_options!`](crate::messaging_options!) and
//! [`messaging_processing!`](crate::messaging_processing!).

mod assertions;
mod case;
mod cases;
mod expected;
mod otelware;
mod propagator;
mod setup;

use std::future::Future;

use opentelemetry::{Context, KeyValue};

use crate::Attributes;

pub use assertions::{assert_all, assert_metrics, assert_spans};
pub use cases::*;
pub use expected::{Broker, Class, ExpectedOperation};
pub use propagator::Propagator;
pub use setup::{
    Cancellation, Hook, Message, Options, OutOfStock, Outbound, PATIENCE, Parenting, SECRET, Setup,
    Signals, View,
};

/// An instrumented client that sends to a destination and receives from it, and what its operations
/// must leave behind.
pub trait MessagingUnderTest: Send + Sync + 'static {
    /// What is known of a message that was sent.
    type Sent: Send + Sync;

    /// A message that was received.
    type Message: Send + Sync;

    /// Processing that was begun, and ends as it is told or is dropped.
    type Processing: Send;

    /// A client as `setup` has it, of a destination that no other test sees. What prepares it is
    /// forgotten before the test begins.
    fn connect(setup: &Setup) -> impl Future<Output = Self> + Send;

    /// What all spans and metrics say of the broker.
    fn broker(&self) -> Broker;

    /// Sends a message and waits until the broker has it.
    ///
    /// # Panics
    ///
    /// If it has not.
    fn send(&self, message: &Message) -> impl Future<Output = Self::Sent> + Send;

    /// What sending must leave behind.
    fn expected_send(&self, sent: &Self::Sent) -> ExpectedOperation;

    /// Sends a message that the broker, or its client, refuses. The client is the same thereafter.
    /// Tells the text of the error.
    ///
    /// # Panics
    ///
    /// If it does not.
    fn send_in_vain(&self, message: &Message) -> impl Future<Output = String> + Send;

    /// What that must leave behind.
    fn expected_send_in_vain(&self) -> ExpectedOperation;

    /// Sends a message by a client that is not observed.
    fn send_unseen(&self, message: &Message) -> impl Future<Output = ()> + Send;

    /// Sends, in the same way, a message for each kind of header that other clients may write, be it
    /// null, no text or no header at all, under the names of the context's. None of them is a
    /// context. Tells how many there are.
    fn send_foreign(&self) -> impl Future<Output = usize> + Send;

    /// Receives the next message, as soon as there is one.
    fn receive(&self) -> impl Future<Output = Self::Message> + Send;

    /// How the message that is handed over is counted, if it is by itself.
    fn expected_consume(&self, message: &Self::Message) -> ExpectedOperation;

    /// The headers and the body of a message that was received; only headers that are texts.
    fn content(message: &Self::Message) -> Message;

    /// The size of the body, as spans show it.
    fn body_size(message: &Message) -> usize {
        message.body.len()
    }

    /// Processes a message by a future.
    fn process(
        &self,
        message: &Self::Message,
        work: impl Future<Output = Result<(), OutOfStock>> + Send,
    ) -> impl Future<Output = Result<(), OutOfStock>> + Send;

    /// Processes a message by a closure.
    ///
    /// # Errors
    ///
    /// That of the closure.
    fn process_sync(
        &self,
        message: &Self::Message,
        work: impl FnOnce() -> Result<(), OutOfStock>,
    ) -> Result<(), OutOfStock>;

    /// Begins to process a message.
    fn start_process(&self, message: &Self::Message) -> Self::Processing;

    /// What processing must leave behind that succeeds.
    fn expected_process(&self, message: &Self::Message) -> ExpectedOperation;

    /// Begins to process several messages at once.
    fn start_batch(&self, messages: &[Self::Message]) -> Self::Processing;

    /// What that must leave behind, but for its links.
    fn expected_batch(&self, messages: &[Self::Message]) -> ExpectedOperation;

    /// What the link to the sender of a message of a batch has.
    fn link_attributes(message: &Self::Message) -> Attributes;

    /// Tells the broker that a message was processed.
    ///
    /// # Panics
    ///
    /// If that fails.
    fn settle(&self, message: &Self::Message) -> impl Future<Output = ()> + Send;

    /// What that must leave behind.
    fn expected_settle(&self, message: &Self::Message) -> ExpectedOperation;

    /// The context of processing.
    fn context(processing: &Self::Processing) -> Context;

    /// Sets an attribute of its span.
    fn set_attribute(processing: &Self::Processing, attribute: KeyValue);

    /// Runs a part of it.
    fn in_scope(processing: &mut Self::Processing, part: impl FnOnce());

    /// Runs a part of it.
    fn within(
        processing: &mut Self::Processing,
        part: impl Future<Output = ()> + Send,
    ) -> impl Future<Output = ()> + Send;

    /// The message was processed.
    fn finish(processing: Self::Processing);

    /// It was not, for a reason of this class.
    fn fail(processing: Self::Processing, class: &'static str);
}

/// Stands for an operation that the client has not.
///
/// # Panics
///
/// Always: no case of the groups that the client names asks for it.
pub fn not_there(operation: &str) -> ! {
    panic!("the client has no {operation}, and no case of its groups may ask for it")
}

/// Makes a test of each case of the suite for a type that implements
/// [`MessagingUnderTest`](crate::suites::messaging::MessagingUnderTest), or of each case of the groups
/// that are named. The crate needs `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! messaging_suite {
    ($client:ty) => {
        $crate::messaging_suite! { $client:
            sends, late, processing, counts, contexts, forwards, batches, settlements
        }
    };
    ($client:ty: $($group:ident),+) => {
        $( $crate::messaging_suite! { @$group $client } )+
    };
    (@sends $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            a_message_is_sent,
            a_message_is_not_sent,
            sending_is_a_child_of_the_current_span,
            a_filter_decides_by_signal_on_sending,
            hooks_add_attributes_to_sending_and_replace_none_of_the_reserved,
            samplers_see_all_of_sending_but_its_end,
            sending_shows_headers_sizes_and_templates_if_asked_for,
            an_unsampled_send_is_measured,
            a_refusal_is_an_event_where_a_logger_provider_is_given,
            the_global_providers_are_the_default_for_sending,
            no_secret_is_told_of_sending
        }
    };
    (@late $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            hooks_do_not_set_what_sending_learns_at_its_end
        }
    };
    (@processing $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            a_message_is_processed_in_each_way,
            the_context_is_current_while_a_message_is_processed,
            processing_fails,
            processing_panics,
            processing_is_dropped,
            messages_are_counted_once,
            messages_are_processed_side_by_side,
            a_failure_is_an_event_where_a_logger_provider_is_given,
            a_filter_decides_by_signal_on_processing,
            a_filter_is_shown_each_operation,
            a_hook_adds_attributes_to_the_count_of_messages,
            hooks_add_attributes_to_processing_and_replace_none_of_the_reserved,
            samplers_see_all_of_processing_but_its_end,
            late_attributes_are_not_for_samplers,
            processing_shows_headers_sizes_and_templates_if_asked_for,
            the_global_providers_are_the_default_for_processing,
            no_secret_is_told_of_processing
        }
    };
    (@counts $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            what_is_counted_is_shown_with_its_headers
        }
    };
    (@contexts $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            processing_is_a_child_of_its_sender_and_linked,
            the_parent_is_chosen_by_policy_and_baggage_arrives,
            a_message_without_a_context_is_processed_as_a_root,
            headers_of_other_clients_do_no_harm,
            what_an_unsampled_sender_sent_is_measured,
            strangers_are_linked_only,
            the_propagator_that_is_given_is_used
        }
    };
    (@forwards $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            a_message_that_is_sent_on_has_the_new_context,
            a_message_that_is_sent_on_keeps_its_context_if_so_told,
            what_leaves_is_an_option,
            the_context_leaves_whatever_the_filter_says
        }
    };
    (@batches $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            a_batch_is_linked_to_its_senders,
            a_batch_has_no_more_links_than_a_span_can_have,
            a_batch_fails_or_is_dropped
        }
    };
    (@settlements $client:ty) => {
        $crate::messaging_suite! { @cases $client:
            a_message_is_settled,
            settlements_have_no_spans_if_so_told
        }
    };
    (@cases $client:ty: $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suites::messaging::$case::<$client>().await;
            }
        )*
    };
}
