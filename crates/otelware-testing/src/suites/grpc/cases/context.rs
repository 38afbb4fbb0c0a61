//! The context that is current where user code runs.

use futures_util::future::join_all;
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::baggage::BaggageExt;

use crate::suites::grpc::GrpcUnderTest;
use crate::suites::grpc::call::{Call, REQUEST_SPAN, line};
use crate::suites::grpc::case::{Case, Spans};
use crate::suites::grpc::expected::ExpectedCall;
use crate::suites::grpc::handlers::{INNER_SPAN, SPAWNED_SPAN, STREAMED_SPAN};
use crate::suites::grpc::script::Script;
use crate::suites::grpc::shapes::{Note, Shape};
use crate::{BAGGAGE, Span, TRACEPARENT, expect_span};

/// A context with one entry of baggage.
fn with_baggage(value: i64) -> Context {
    Context::new().with_baggage([KeyValue::new("call", value)])
}

/// These spans of user code are all there are, and are children of `parent`.
fn assert_children(spans: &Spans, names: &[&str], parent: &Span) {
    let found: Vec<&str> = spans.others.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(found, names);
    for span in &spans.others {
        span.assert(expect_span(&span.name).child_of(parent));
    }
}

/// The note says that the server's span and the baggage are current where it was made.
fn assert_carried(note: &Note, place: &str, server: &Span, baggage: &str) {
    let traceparent = server.traceparent();
    let found = line(note, &format!("{place}{TRACEPARENT}"));
    assert_eq!(found, Some(traceparent.as_str()), "{note:?}");
    let found = line(note, &format!("{place}{BAGGAGE}"));
    assert_eq!(found, Some(baggage), "{note:?}");
}

/// What a call with [`Script::Context`] and two responses, where there may be many, has left behind
/// on the server.
fn assert_context(shape: Shape, spans: &Spans, notes: &[Note], baggage: &str) {
    let server = spans.server.as_ref().unwrap();
    let first = &notes[0];
    assert_carried(first, "", server, baggage);
    assert_carried(first, "spawned ", server, baggage);
    if shape.streams_responses() {
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert_carried(&notes[1], "", server, baggage);
        assert_children(spans, &[INNER_SPAN, SPAWNED_SPAN, STREAMED_SPAN], server);
    } else {
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_children(spans, &[INNER_SPAN, SPAWNED_SPAN], server);
    }
}

/// Span and baggage are current in the handler, in a task that it spawns, and where its stream of
/// responses is polled.
pub async fn the_context_reaches_the_server<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let call = Call::new(Script::Context).messages(2);
    let (context, notes) = case.call_with(&with_baggage(42), shape, call).await;
    let spans = case.assert(&[ExpectedCall::new(shape, &context)]).await;
    assert_context(shape, &spans[0], &notes.unwrap(), "call=42");
}

/// The client's span is current where the caller's stream of requests is polled.
pub async fn the_context_reaches_the_requests<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let call = Call::new(Script::Answer).spans(&case.telemetry);
    let (context, notes) = case.call(shape, call).await;
    notes.unwrap();
    let spans = case.assert(&[ExpectedCall::new(shape, &context)]).await;
    let client = spans[0].client.as_ref().unwrap();
    assert_children(&spans[0], &[REQUEST_SPAN; 3], client);
}

/// Many calls at once on one channel, of all shapes, each with a trace and baggage of its own.
pub async fn concurrent_calls_keep_apart<G: GrpcUnderTest>() {
    const COUNT: i64 = 40;
    let mut case = Case::<G>::new().await;
    let calls = Shape::ALL.iter().cycle().zip(0..COUNT);
    let calls = calls.map(|(shape, number)| {
        let call = Call::new(Script::Context).messages(2);
        let case = &case;
        async move {
            let base = with_baggage(number);
            let (context, notes) = case.call_with(&base, *shape, call).await;
            (*shape, number, context, notes.unwrap())
        }
    });
    let made = join_all(calls).await;
    let expected: Vec<ExpectedCall> = made
        .iter()
        .map(|(shape, _, context, _)| ExpectedCall::new(*shape, context))
        .collect();
    let spans = case.assert(&expected).await;
    for ((shape, number, _, notes), spans) in made.iter().zip(&spans) {
        assert_context(*shape, spans, notes, &format!("call={number}"));
    }
}
