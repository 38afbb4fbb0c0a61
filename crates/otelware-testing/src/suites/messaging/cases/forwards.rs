//! Messages that have a context already when they are sent.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};

use crate::suites::messaging::case::{Case, OWN_HEADER};
use crate::suites::messaging::{Hook, Message, MessagingUnderTest, Outbound, Signals};
use crate::{BAGGAGE, RemoteParent, Span, TRACEPARENT, TRACESTATE};

fn message() -> Message {
    Message::new("3 pens").header(OWN_HEADER.0, OWN_HEADER.1)
}

/// It is linked to the one that it had. Nothing of that is left.
pub async fn a_message_that_is_sent_on_has_the_new_context<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let first = RemoteParent::sampled().with_trace_state("shop=edge");
    let mut sent = message().header(BAGGAGE, "tenant=7");
    for (name, value) in first.headers() {
        sent = sent.header(name, value);
    }
    let forwarded = case.send(&sent).await;
    case.finds(&[forwarded.link_to(&first)]);
    let span = case.telemetry.spans().remove(0);
    let received = case.receive().await;
    assert_carries::<M>(&received, &span);

    // While it is processed, and with baggage of its own.
    case.telemetry.reset();
    let again = M::content(&received);
    let mut processing = case.client.start_process(&received);
    let mut forwarded = None;
    M::within(&mut processing, async {
        forwarded = Some(case.send(&again).await);
    })
    .await;
    M::finish(processing);
    let spans = case.telemetry.spans();
    let process = spans.last().expect("a span that processes");
    let forwarded = forwarded.expect("it was sent");
    let operations = [
        case.processed(&received)
            .remote_child_of(&span)
            .link_to(&span),
        forwarded.child_of(process).link_to(&span),
    ];
    crate::suites::messaging::assert_spans(&case.telemetry, &case.broker(), &operations);
    assert_carries::<M>(&case.receive().await, &spans[0]);
}

/// It has this span's context, and its own header.
#[track_caller]
fn assert_carries<M: MessagingUnderTest>(received: &M::Message, span: &Span) {
    let content = M::content(received);
    let traceparent = span.traceparent();
    assert_eq!(content.values(TRACEPARENT), [traceparent.as_str()]);
    assert_eq!(content.values(OWN_HEADER.0), [OWN_HEADER.1]);
    assert_eq!(content.values(TRACESTATE), Vec::<&str>::new());
}

/// The span is a client's then, and linked.
pub async fn a_message_that_is_sent_on_keeps_its_context_if_so_told<M: MessagingUnderTest>() {
    let case = Case::<M>::told(|options| options.preserve_context = true).await;
    let first = RemoteParent::sampled();
    let sent = message()
        .header(TRACEPARENT, first.traceparent())
        .header(BAGGAGE, "tenant=7");
    let context = case.span("job");
    let sending = case.send(&sent).with_context(context.clone());
    let kept = sending.await.by_client().link_to(&first);
    context.span().end();
    let job = case.telemetry.span("job");
    // One that has none gets one.
    let new = case.send(&message()).await;
    case.finds(&[kept.child_of(&job), new]);
    assert_eq!(M::content(&case.receive().await).headers, sent.headers);
    let span = case.telemetry.spans().pop().expect("a span that sends");
    assert_carries::<M>(&case.receive().await, &span);
}

/// The span is there in any case.
pub async fn what_leaves_is_an_option<M: MessagingUnderTest>() {
    for (outbound, has_context, has_baggage) in [
        (None, true, true),
        (Some(Outbound::Everything), true, true),
        (Some(Outbound::TraceContextOnly), true, false),
        (Some(Outbound::Nothing), false, false),
    ] {
        let case = Case::<M>::told(|options| options.outbound = outbound).await;
        let tenant = Context::new().with_baggage([KeyValue::new("tenant", "7")]);
        let sent = case.send(&message()).with_context(tenant).await;
        case.finds(&[sent]);
        let span = case.telemetry.spans().remove(0);
        let mut expected = message();
        if has_context {
            expected = expected.header(TRACEPARENT, span.traceparent());
        }
        if has_baggage {
            expected = expected.header(BAGGAGE, "tenant=7");
        }
        let received = M::content(&case.receive().await);
        assert_eq!(received.headers, expected.headers, "{outbound:?}");
    }
}

/// That of the span around it, as far as there is one.
pub async fn the_context_leaves_whatever_the_filter_says<M: MessagingUnderTest>() {
    let filter = Hook::new(|_| Signals::None);
    let case = Case::<M>::told(|options| options.filter = Some(filter)).await;
    let context = case.span("job");
    let message = message();
    let sending = case.client.send(&message);
    sending.with_context(context.clone()).await;
    context.span().end();
    let job = case.telemetry.span("job");
    let received = case.receive().await;
    assert_carries::<M>(&received, &job);
    // And so it arrives.
    let processing = case.client.start_process(&received);
    let current = M::context(&processing).span().span_context().span_id();
    assert_eq!(current, job.span_id);
    M::finish(processing);
    assert_eq!(case.telemetry.spans(), [job]);
}
