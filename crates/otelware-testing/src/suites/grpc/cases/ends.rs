//! Calls that come to their end by themselves.

use tonic::Code;

use crate::suites::grpc::GrpcUnderTest;
use crate::suites::grpc::call::Call;
use crate::suites::grpc::case::{Case, Doing, Setup};
use crate::suites::grpc::expected::{End, ExpectedCall};
use crate::suites::grpc::script::{Moment, Script};
use crate::suites::grpc::shapes::Shape;

/// A call that is answered, three messages each way where there may be many.
pub async fn succeeds<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let (context, notes) = case.call(shape, Call::new(Script::Answer)).await;
    let numbers: Vec<u64> = notes.unwrap().iter().map(|note| note.number).collect();
    let expected: &[u64] = match shape {
        Shape::Unary | Shape::ClientStream => &[3],
        Shape::ServerStream | Shape::Bidi => &[0, 1, 2],
    };
    assert_eq!(numbers, expected);
    case.assert(&[ExpectedCall::new(shape, &context)]).await;
}

/// Streams of no messages.
pub async fn an_empty_stream<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let call = Call::new(Script::Answer).messages(0);
    let (context, notes) = case.call(shape, call).await;
    let numbers: Vec<u64> = notes.unwrap().iter().map(|note| note.number).collect();
    let expected: &[u64] = if shape.streams_responses() { &[] } else { &[0] };
    assert_eq!(numbers, expected);
    case.assert(&[ExpectedCall::new(shape, &context)]).await;
}

/// A server that answers, or refuses, while its client still has requests to send.
pub async fn the_server_ends_early<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let call = Call::new(Script::AnswerAtOnce).open();
    let (context, notes) = case.call(shape, call).await;
    let expected = usize::from(!shape.streams_responses());
    assert_eq!(notes.unwrap().len(), expected);
    case.assert(&[ExpectedCall::new(shape, &context)]).await;

    let script = Script::Fail(Moment::Instead, Code::NotFound);
    let (context, notes) = case.call(shape, Call::new(script).open()).await;
    assert_eq!(notes.unwrap_err().code(), Code::NotFound);
    let expected = ExpectedCall::new(shape, &context).both(End::Code(Code::NotFound));
    case.assert(&[expected]).await;
}

/// A method that the server's service does not have, asked for twice.
pub async fn an_unimplemented_method<G: GrpcUnderTest>(shape: Shape) {
    is_unimplemented::<G>(shape, "/otelware.test.Shapes/Other").await;
}

/// A service that the server does not have, asked for twice.
pub async fn an_unknown_service<G: GrpcUnderTest>(shape: Shape) {
    is_unimplemented::<G>(shape, "/otelware.test.Other/Unary").await;
}

async fn is_unimplemented<G: GrpcUnderTest>(shape: Shape, path: &'static str) {
    let mut case = Case::<G>::new().await;
    for _ in 0..2 {
        let call = Call::new(Script::Answer).path(path);
        let (context, notes) = case.call(shape, call).await;
        assert_eq!(notes.unwrap_err().code(), Code::Unimplemented);
        let expected = ExpectedCall::new(shape, &context).unimplemented(path);
        case.assert(&[expected]).await;
    }
}

/// Nobody listens.
pub async fn a_refused_connection<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::with(Setup {
        server: false,
        ..Setup::default()
    })
    .await;
    let (context, notes) = case.call(shape, Call::new(Script::Answer)).await;
    assert_eq!(notes.unwrap_err().code(), Code::Unavailable);
    let expected = ExpectedCall::new(shape, &context)
        .client(End::Code(Code::Unavailable))
        .no_server();
    case.assert(&[expected]).await;
}

/// An error of the server at once.
pub async fn panics_instead_of_answering<G: GrpcUnderTest>(shape: Shape) {
    panics::<G>(shape, Moment::Instead).await;
}

/// An error of the server in the middle of the call.
pub async fn panics_after_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    panics::<G>(shape, Moment::First).await;
}

/// The client has the code that tonic makes of it, and the connection goes on.
async fn panics<G: GrpcUnderTest>(shape: Shape, moment: Moment) {
    let mut case = Case::<G>::new().await;
    let call = Call::new(Script::Panic(moment));
    let (context, notes) = case.call(shape, call).await;
    let status = notes.unwrap_err();
    let expected = ExpectedCall::new(shape, &context)
        .client(End::Code(status.code()))
        .server(End::Panicked);
    case.assert(&[expected]).await;

    let _doing = Doing("a call after the panic".to_owned());
    let (context, notes) = case.call(shape, Call::new(Script::Answer)).await;
    notes.unwrap();
    case.assert(&[ExpectedCall::new(shape, &context)]).await;
}
