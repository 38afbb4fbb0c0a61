//! Messages that are processed at once.

use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanId, TraceContextExt};

use crate::suites::messaging::case::Case;
use crate::suites::messaging::{Cancellation, ExpectedOperation, Message, MessagingUnderTest};
use crate::{RemoteParent, TRACEPARENT};

/// The most links of a span.
const MOST: usize = 128;

/// A sender of its own.
fn sender(number: usize) -> RemoteParent {
    let mut sender = RemoteParent::sampled();
    sender.span_id = SpanId::from(u64::try_from(number + 1).expect("a small number"));
    sender
}

/// Receives so many messages, each of a sender of its own.
async fn received<M: MessagingUnderTest>(case: &Case<M>, count: usize) -> Vec<M::Message> {
    let mut messages = Vec::with_capacity(count);
    for number in 0..count {
        let traceparent = sender(number).traceparent();
        let message = Message::new("3 pens").header(TRACEPARENT, traceparent);
        case.client.send_unseen(&message).await;
    }
    for _ in 0..count {
        messages.push(case.receive().await);
    }
    messages
}

/// What the batch must leave behind, with its links.
fn expected<M: MessagingUnderTest>(case: &Case<M>, batch: &[M::Message]) -> ExpectedOperation {
    let mut expected = case.client.expected_batch(batch);
    for (number, message) in batch.iter().take(MOST).enumerate() {
        expected = expected.link_with(&sender(number), M::link_attributes(message));
    }
    expected
}

fn consumed<M: MessagingUnderTest>(
    case: &Case<M>,
    batch: &[M::Message],
) -> impl Iterator<Item = ExpectedOperation> {
    batch.iter().map(|message| case.consumed(message))
}

/// And the child of none of them. Messages without a context have no link.
pub async fn a_batch_is_linked_to_its_senders<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut batch = received(&case, 3).await;
    let mut processing = case.client.start_batch(&batch);
    let mut seen = None;
    M::in_scope(&mut processing, || {
        let current = opentelemetry::Context::current();
        seen = Some(current.span().span_context().span_id());
    });
    M::finish(processing);
    let mut operations: Vec<_> = consumed(&case, &batch).collect();
    operations.push(expected(&case, &batch));
    case.finds(&operations);
    assert_eq!(seen, Some(case.telemetry.spans()[0].span_id));

    case.telemetry.reset();
    let mut next = received(&case, 1).await;
    next.push(case.unseen(&Message::new("3 pens")).await);
    let context = case.span("job");
    let begun = async { case.client.start_batch(&next) };
    M::finish(begun.with_context(context.clone()).await);
    context.span().end();
    let job = case.telemetry.span("job");
    let mut operations: Vec<_> = consumed(&case, &next).collect();
    let link = M::link_attributes(&next[0]);
    let whole = case
        .client
        .expected_batch(&next)
        .link_with(&sender(0), link);
    operations.push(whole.child_of(&job));
    case.finds(&operations);

    // One is a batch as well.
    case.telemetry.reset();
    batch = received(&case, 1).await;
    M::finish(case.client.start_batch(&batch));
    let mut operations: Vec<_> = consumed(&case, &batch).collect();
    operations.push(expected(&case, &batch));
    case.finds(&operations);
}

/// Those that there is no room for are counted.
pub async fn a_batch_has_no_more_links_than_a_span_can_have<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let batch = received(&case, MOST + 2).await;
    M::finish(case.client.start_batch(&batch));
    let mut operations: Vec<_> = consumed(&case, &batch).collect();
    operations.push(expected(&case, &batch).on_span("otelware.messaging.unlinked_messages", 2));
    case.finds(&operations);
}

/// It is one operation, however it ends.
pub async fn a_batch_fails_or_is_dropped<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let batch = received(&case, 2).await;
    let mut operations: Vec<_> = consumed(&case, &batch).collect();
    M::fail(case.client.start_batch(&batch), "sold_out");
    operations.push(expected(&case, &batch).fails("sold_out"));
    let batch = received(&case, 2).await;
    operations.extend(consumed(&case, &batch));
    drop(case.client.start_batch(&batch));
    operations.push(expected(&case, &batch).dropped(Cancellation::Mark));
    case.finds(&operations);
}
