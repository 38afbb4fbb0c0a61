//! What the broker is told of messages.

use opentelemetry::trace::TraceContextExt;

use crate::suites::messaging::case::Case;
use crate::suites::messaging::{Message, MessagingUnderTest};

/// While it is processed, within that, and thereafter.
pub async fn a_message_is_settled<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let within = case.unseen(&Message::new("3 pens")).await;
    let mut processing = case.client.start_process(&within);
    let process = M::context(&processing).span().span_context().clone();
    M::within(&mut processing, case.client.settle(&within)).await;
    M::finish(processing);
    let after = case.unseen(&Message::new("2 pens")).await;
    case.client.settle(&after).await;
    case.finds(&[
        case.consumed(&within),
        case.processed(&within),
        case.client.expected_settle(&within).child_of(&process),
        case.consumed(&after),
        case.client.expected_settle(&after),
    ]);
}

/// Metrics are measured all the same.
pub async fn settlements_have_no_spans_if_so_told<M: MessagingUnderTest>() {
    let case = Case::<M>::told(|options| options.without_settle_spans = true).await;
    let message = case.unseen(&Message::new("3 pens")).await;
    case.client.settle(&message).await;
    let settled = case.client.expected_settle(&message);
    case.finds(&[case.consumed(&message), settled.no_span()]);
}
