//! The contexts that messages carry.

use std::sync::{Arc, Mutex};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Sampler;

use super::sends::assert_nothing_seen;
use crate::suites::messaging::case::Case;
use crate::suites::messaging::{
    ExpectedOperation, Message, MessagingUnderTest, Parenting, Propagator,
};
use crate::{BAGGAGE, Capture, RemoteParent, TRACEPARENT, TRACESTATE};

fn message() -> Message {
    Message::new("3 pens")
}

/// A message of this sender.
fn by(sender: &RemoteParent) -> Message {
    let headers = sender.headers().into_iter();
    headers.fold(message(), |message, (name, value)| {
        message.header(name, value)
    })
}

/// Processes a message; tells the baggage that it sees.
async fn baggage<M: MessagingUnderTest>(case: &Case<M>, received: &M::Message) -> String {
    let seen = Arc::new(Mutex::new(None));
    let see = seen.clone();
    let work = async move {
        let baggage = Context::current().baggage().to_string();
        *see.lock().expect("no panic") = Some(baggage);
        Ok(())
    };
    case.client.process(received, work).await.expect("a result");
    let seen = seen.lock().expect("no panic").take();
    seen.expect("it was processed")
}

/// By an observed client, and by another one.
pub async fn processing_is_a_child_of_its_sender_and_linked<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let (sender, received) = case.sent(&message()).await;
    case.process(&received, Ok(())).await;
    let mut operations = vec![
        case.consumed(&received),
        case.processed(&received)
            .remote_child_of(&sender)
            .link_to(&sender),
    ];
    let sender = RemoteParent::sampled().with_trace_state("shop=edge");
    let received = case.unseen(&by(&sender)).await;
    case.process(&received, Ok(())).await;
    operations.extend([
        case.consumed(&received),
        case.processed(&received)
            .remote_child_of(&sender)
            .link_to(&sender),
    ]);
    case.finds(&operations);
    let states: Vec<String> = case
        .telemetry
        .spans()
        .into_iter()
        .map(|span| span.trace_state)
        .collect();
    assert_eq!(states, ["", "shop=edge"]);
}

/// With a span around it and without, whatever the policy; the link is there in any case.
pub async fn the_parent_is_chosen_by_policy_and_baggage_arrives<M: MessagingUnderTest>() {
    for (parenting, is_child_alone, is_child_within) in [
        (None, true, false),
        (Some(Parenting::Auto), true, false),
        (Some(Parenting::Link), false, false),
        (Some(Parenting::Parent), true, true),
    ] {
        let case = Case::<M>::told(|options| options.parenting = parenting).await;
        let tenant = Context::new().with_baggage([KeyValue::new("tenant", "7")]);
        let (sender, alone) = case.sent(&message()).with_context(tenant.clone()).await;
        assert_eq!(baggage(&case, &alone).await, "tenant=7", "{parenting:?}");
        let expected = case.processed(&alone).link_to(&sender);
        case.finds(&[
            case.consumed(&alone),
            match is_child_alone {
                true => expected.remote_child_of(&sender),
                false => expected,
            },
        ]);

        let (sender, within) = case.sent(&message()).with_context(tenant).await;
        let context = case.span("job");
        let seen = baggage(&case, &within).with_context(context.clone()).await;
        context.span().end();
        assert_eq!(seen, "tenant=7", "{parenting:?}");
        let job = case.telemetry.span("job");
        let expected = case.processed(&within).link_to(&sender);
        case.finds(&[
            case.consumed(&within),
            match is_child_within {
                true => expected.remote_child_of(&sender).link_to(&job),
                false => expected.child_of(&job),
            },
        ]);
    }
}

/// Be it that there are no headers, or such that mean nothing; within a span it is that one's child.
pub async fn a_message_without_a_context_is_processed_as_a_root<M: MessagingUnderTest>() {
    let sender = RemoteParent::sampled();
    let malformed = [
        "",
        "00",
        "no context",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
        "é0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ];
    let case = Case::<M>::new().await;
    let mut messages = vec![message(), message().header(TRACESTATE, "shop=edge")];
    messages.extend(malformed.map(|value| message().header(TRACEPARENT, value)));
    let long = format!("{}{}", sender.traceparent(), "0".repeat(9_000));
    messages.push(message().header(TRACEPARENT, long));
    messages.push(message().header(BAGGAGE, "=,;=\u{1}%zz,".repeat(40)));
    let mut operations = Vec::new();
    for message in &messages {
        let received = case.unseen(message).await;
        case.process(&received, Ok(())).await;
        operations.extend([case.consumed(&received), case.processed(&received)]);
    }
    case.finds(&operations);

    case.telemetry.reset();
    let received = case.unseen(&messages[4]).await;
    let context = case.span("job");
    let processing = case.process(&received, Ok(()));
    processing.with_context(context.clone()).await;
    context.span().end();
    let job = case.telemetry.span("job");
    let expected = case.processed(&received).child_of(&job);
    case.finds(&[case.consumed(&received), expected]);
}

/// Whatever their types.
pub async fn headers_of_other_clients_do_no_harm<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let count = case.client.send_foreign().await;
    assert!(count > 0, "there are none");
    let mut operations = Vec::new();
    for _ in 0..count {
        let received = case.receive().await;
        case.process(&received, Ok(())).await;
        operations.extend([case.consumed(&received), case.processed(&received)]);
    }
    case.finds(&operations);
}

/// There is no span, and the metrics are there. Nothing is made for a span.
pub async fn what_an_unsampled_sender_sent_is_measured<M: MessagingUnderTest>() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let telemetry = Capture::builder().sampler(sampler).build();
    let case = Case::<M>::capturing(telemetry, |_| {}).await;
    // A sender of this process, where the context is not sampled.
    let unsampled = RemoteParent::unsampled();
    let message = message();
    let sending = case.client.send(&message);
    sending.with_context(unsampled.context()).await;
    case.telemetry.reset();
    let first = case.receive().await;
    case.process(&first, Ok(())).await;
    let second = case.unseen(&by(&unsampled)).await;
    case.process(&second, Ok(())).await;
    assert_eq!(case.telemetry.started().len(), 2);
    assert_nothing_seen(&case.telemetry);
    let all: Vec<ExpectedOperation> = [first, second]
        .iter()
        .flat_map(|message| [case.consumed(message), case.processed(message).no_span()])
        .collect();
    case.finds(&all);
}

/// Neither are they parents, nor does their baggage arrive, nor do they decide on sampling.
pub async fn strangers_are_linked_only<M: MessagingUnderTest>() {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    for parenting in [None, Some(Parenting::Parent)] {
        let telemetry = Capture::builder().sampler(sampler.clone()).build();
        let case = Case::<M>::capturing(telemetry, |setup| {
            setup.options.public = true;
            setup.options.parenting = parenting;
        })
        .await;
        let mut operations = Vec::new();
        for sender in [RemoteParent::sampled(), RemoteParent::unsampled()] {
            let message = by(&sender).header(BAGGAGE, "tenant=7");
            let received = case.unseen(&message).await;
            assert_eq!(baggage(&case, &received).await, "", "{parenting:?}");
            let processed = case.processed(&received).link_to(&sender);
            operations.extend([case.consumed(&received), processed]);
        }
        case.finds(&operations);
    }
}

/// And no other, neither to write nor to read.
pub async fn the_propagator_that_is_given_is_used<M: MessagingUnderTest>() {
    let case = Case::<M>::with(|setup| setup.propagator = Some(Propagator::new("shop-"))).await;
    let (sender, received) = case.sent(&message()).await;
    let content = M::content(&received);
    let carried = vec![("shop-traceparent".to_owned(), sender.traceparent())];
    assert_eq!(content.headers, carried);
    case.process(&received, Ok(())).await;
    let mut operations = vec![
        case.consumed(&received),
        case.processed(&received)
            .remote_child_of(&sender)
            .link_to(&sender),
    ];
    let received = case.unseen(&by(&RemoteParent::sampled())).await;
    case.process(&received, Ok(())).await;
    operations.extend([case.consumed(&received), case.processed(&received)]);
    case.finds(&operations);
}
