//! Where a trace comes from.

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::Sampler;

use crate::suites::grpc::GrpcUnderTest;
use crate::suites::grpc::call::{Call, line};
use crate::suites::grpc::case::{Case, Doing, Setup};
use crate::suites::grpc::expected::ExpectedCall;
use crate::suites::grpc::script::Script;
use crate::suites::grpc::shapes::{Note, Shape};
use crate::{
    Attributes, BAGGAGE, Capture, RemoteParent, TRACEPARENT, TRACESTATE, Value, attributes,
};

/// A case with a sampler as services usually have it: as the caller says, else always.
async fn parent_based<G: GrpcUnderTest>() -> Case<G> {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let telemetry = Capture::builder().sampler(sampler).build();
    Case::with(Setup {
        telemetry,
        ..Setup::default()
    })
    .await
}

/// Makes a call that succeeds with a client that is not under test.
async fn call_of_others<G: GrpcUnderTest>(case: &Case<G>, call: Call) -> Vec<Note> {
    let channel = case.endpoint.connect_lazy();
    let answers = call.start(channel, Shape::Unary).await.unwrap();
    answers.rest().await.unwrap()
}

/// A client's call in no span begins a trace.
pub async fn a_call_without_a_parent_is_a_root<G: GrpcUnderTest>() {
    let mut case = Case::<G>::new().await;
    let calling = Call::new(Script::Answer).start(case.channel.clone(), Shape::Unary);
    calling.with_context(Context::new()).await.unwrap();
    case.assert(&[ExpectedCall::new(Shape::Unary, &Context::new()).root()])
        .await;
}

/// Tracing metadata that comes with the call itself is replaced.
pub async fn stale_tracing_metadata_is_replaced<G: GrpcUnderTest>() {
    let mut case = Case::<G>::new().await;
    let stale = RemoteParent::sampled();
    let call = Call::new(Script::Context)
        .metadata(TRACEPARENT, stale.traceparent())
        .metadata(TRACEPARENT, stale.traceparent());
    let (context, notes) = case.call(Shape::Unary, call).await;
    let expected = ExpectedCall::new(Shape::Unary, &context);
    let spans = case.assert(&[expected]).await;
    let traceparent = spans[0].server.as_ref().unwrap().traceparent();
    let notes = notes.unwrap();
    assert_eq!(line(&notes[0], TRACEPARENT), Some(traceparent.as_str()));
}

/// The span of a client elsewhere is the parent of the server's. What came in goes out again from
/// inside the handler: both flags, all of `tracestate` and of the baggage although they are split.
pub async fn a_sampled_parent<G: GrpcUnderTest>() {
    let mut case = parent_based::<G>().await;
    let parent = RemoteParent::sampled().with_random_flag();
    let call = Call::new(Script::Context)
        .metadata(TRACEPARENT, parent.traceparent())
        .metadata(TRACESTATE, "a=1,b=2")
        .metadata(TRACESTATE, "c=3")
        .metadata(BAGGAGE, "user=42")
        .metadata(BAGGAGE, "tier=gold");
    let notes = call_of_others(&case, call).await;
    let parent = parent.with_trace_state("a=1,b=2,c=3");
    let expected = ExpectedCall::of_others(Shape::Unary).child_of_remote(&parent);
    let spans = case.assert(&[expected]).await;
    let server = spans[0].server.as_ref().unwrap();
    assert_eq!(
        (server.flags, server.trace_state.as_str()),
        (3, "a=1,b=2,c=3")
    );
    let traceparent = server.traceparent();
    assert_eq!(line(&notes[0], TRACEPARENT), Some(traceparent.as_str()));
    assert_eq!(line(&notes[0], TRACESTATE), Some("a=1,b=2,c=3"));
    let mut baggage: Vec<&str> = line(&notes[0], BAGGAGE).unwrap().split(',').collect();
    baggage.sort_unstable();
    assert_eq!(baggage, ["tier=gold", "user=42"]);
}

/// A client elsewhere that does not sample: no span, the metrics, and the context flows.
pub async fn an_unsampled_parent_of_the_server<G: GrpcUnderTest>() {
    let mut case = parent_based::<G>().await;
    let parent = RemoteParent::unsampled();
    let call = Call::new(Script::Context).metadata(TRACEPARENT, parent.traceparent());
    let notes = call_of_others(&case, call).await;
    assert_unsampled(&notes[0], &parent);
    let expected = ExpectedCall::of_others(Shape::Unary).child_of_remote(&parent);
    case.assert(&[expected.without_spans()]).await;
}

/// The same, at a client and by it at its server.
pub async fn an_unsampled_parent_of_the_client<G: GrpcUnderTest>() {
    let mut case = parent_based::<G>().await;
    let parent = RemoteParent::unsampled();
    let calling = Call::new(Script::Context).start(case.channel.clone(), Shape::Bidi);
    let responses = calling.with_context(parent.context()).await.unwrap();
    let notes = responses.rest().await.unwrap();
    assert_unsampled(&notes[0], &parent);
    let expected = ExpectedCall::new(Shape::Bidi, &parent);
    case.assert(&[expected.without_spans()]).await;
}

/// The trace goes on unsampled, in a span of its own.
fn assert_unsampled(note: &Note, parent: &RemoteParent) {
    let traceparent = parent.traceparent();
    let carried = line(note, TRACEPARENT).unwrap();
    assert_eq!(carried.get(..36), traceparent.get(..36));
    assert_ne!(carried.get(36..52), traceparent.get(36..52));
    assert_eq!(carried.get(52..), Some("-00"));
}

/// A parent that can't be read begins a new trace.
pub async fn a_malformed_parent<G: GrpcUnderTest>() {
    let mut case = parent_based::<G>().await;
    let malformed: [&[u8]; 8] = [
        b"",
        b"x",
        b"\xff",
        b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
    ];
    for traceparent in malformed {
        let _doing = Doing(String::from_utf8_lossy(traceparent).into_owned());
        let call = Call::new(Script::Answer)
            .metadata(TRACEPARENT, traceparent)
            .metadata(TRACESTATE, b"\xff=1")
            .metadata(BAGGAGE, b"\xff");
        call_of_others(&case, call).await;
        case.assert(&[ExpectedCall::of_others(Shape::Unary)]).await;
    }
}

/// All that the conventions want samplers to see is there when the span starts.
pub async fn samplers_see_the_call<G: GrpcUnderTest>() {
    let mut case = Case::<G>::new().await;
    let (context, notes) = case.call(Shape::Unary, Call::new(Script::Answer)).await;
    notes.unwrap();
    let expected = attributes! {
        "rpc.system.name" => "grpc",
        "rpc.method" => Shape::Unary.method(),
        "server.address" => "127.0.0.1",
        "server.port" => case.port(),
    };
    let started = case.telemetry.started();
    for kind in [SpanKind::Client, SpanKind::Server] {
        let mut started = started.iter().filter(|span| span.kind == kind);
        let (Some(span), None) = (started.next(), started.next()) else {
            panic!("one span of kind {kind:?} is expected");
        };
        assert_eq!(span.name, Shape::Unary.method());
        let seen: Attributes = span
            .attributes
            .iter()
            .filter(|(key, _)| !key.starts_with("network.peer."))
            .map(|(key, value)| (key.clone(), Value::clone(value)))
            .collect();
        assert_eq!(seen, expected, "{kind:?}");
    }
    case.assert(&[ExpectedCall::new(Shape::Unary, &context)])
        .await;
}
