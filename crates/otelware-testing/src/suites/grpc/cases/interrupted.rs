//! Calls that one side, the connection or a deadline ends.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::TraceContextExt;
use tokio::time::sleep;
use tonic::{Code, Status};

use crate::suites::grpc::GrpcUnderTest;
use crate::suites::grpc::call::Call;
use crate::suites::grpc::case::{Case, Setup};
use crate::suites::grpc::expected::{End, ExpectedCall};
use crate::suites::grpc::script::{Moment, Script};
use crate::suites::grpc::shapes::{Note, Shape};

/// Long enough for a call to reach its handler.
const TIMEOUT: Duration = Duration::from_millis(400);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// A call whose handler goes no further.
struct Hanging {
    context: Context,
    rest: LocalBoxFuture<'static, Result<Vec<Note>, Status>>,
}

/// Makes a call up to the moment at which its handler hangs; a response that precedes it is read.
async fn hang<G: GrpcUnderTest>(
    case: &Case<G>,
    shape: Shape,
    moment: Moment,
    change: impl FnOnce(Call) -> Call,
) -> Hanging {
    let context = case.test_span(&Context::new());
    let mut call = change(Call::new(Script::Hang(moment)));
    let answered = shape.streams_responses() && moment != Moment::Instead;
    if !answered {
        // Later on hyper keeps the call, response or not, until its stream of requests ends.
        call = call.open();
    }
    let calling = call.start(case.channel.clone(), shape);
    let mut calling = Box::pin(calling.with_context(context.clone()));
    if answered {
        let mut responses = calling.await.unwrap();
        if moment == Moment::First {
            assert!(responses.next().await.unwrap().is_some());
        }
        case.handlers.wait_for_hanging().await;
        let rest = Box::pin(responses.rest());
        return Hanging { context, rest };
    }
    tokio::select! {
        answer = &mut calling => panic!("no answer is expected: {answer:?}"),
        () = case.handlers.wait_for_hanging() => {}
    }
    let rest = Box::pin(async { calling.await?.rest().await });
    Hanging { context, rest }
}

/// The caller drops the call before its head has come.
pub async fn the_client_leaves_before_the_answer<G: GrpcUnderTest>(shape: Shape) {
    the_client_leaves::<G>(shape, Moment::Instead).await;
}

/// The caller drops the responses when it has the head.
pub async fn the_client_leaves_at_the_head<G: GrpcUnderTest>(shape: Shape) {
    the_client_leaves::<G>(shape, Moment::Head).await;
}

/// The caller drops the responses when it has one; where there is one only, it drops the call when
/// the handler has one of many requests.
pub async fn the_client_leaves_after_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    the_client_leaves::<G>(shape, Moment::First).await;
}

async fn the_client_leaves<G: GrpcUnderTest>(shape: Shape, moment: Moment) {
    let mut case = Case::<G>::new().await;
    let hanging = hang(&case, shape, moment, |call| call).await;
    drop(hanging.rest);
    hanging.context.span().end();
    let expected = ExpectedCall::new(shape, &hanging.context).both(End::Dropped);
    case.assert(&[expected]).await;
}

/// A call that is dropped long before its deadline.
pub async fn a_deadline_that_has_not_passed<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::new().await;
    let hanging = hang(&case, shape, Moment::Instead, |call| call.timeout(LONG)).await;
    drop(hanging.rest);
    hanging.context.span().end();
    let expected = ExpectedCall::new(shape, &hanging.context).both(End::Dropped);
    case.assert(&[expected]).await;
}

/// The connection breaks off before the head has come.
pub async fn the_server_dies_before_the_answer<G: GrpcUnderTest>(shape: Shape) {
    the_server_dies::<G>(shape, Moment::Instead).await;
}

/// The connection breaks off in the middle of the call.
pub async fn the_server_dies_after_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    the_server_dies::<G>(shape, Moment::First).await;
}

/// The client has the code that tonic makes of it.
async fn the_server_dies<G: GrpcUnderTest>(shape: Shape, moment: Moment) {
    let mut case = Case::<G>::new().await;
    let hanging = hang(&case, shape, moment, |call| call).await;
    case.link.as_ref().unwrap().cut();
    let status = hanging.rest.await.unwrap_err();
    hanging.context.span().end();
    let expected = ExpectedCall::new(shape, &hanging.context)
        .client(End::Code(status.code()))
        .server(End::Dropped);
    case.assert(&[expected]).await;
}

/// Each side's tonic ends the call, and tells its caller that it was cancelled.
pub async fn a_deadline_passes_before_the_answer<G: GrpcUnderTest>(shape: Shape) {
    a_deadline_passes::<G>(shape, Moment::Instead).await;
}

/// tonic looks at deadlines no more when the head has come: it is the caller who drops the call.
pub async fn a_deadline_passes_after_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    a_deadline_passes::<G>(shape, Moment::First).await;
}

async fn a_deadline_passes<G: GrpcUnderTest>(shape: Shape, moment: Moment) {
    let by_the_caller = shape.streams_responses() && moment != Moment::Instead;
    let mut case = Case::<G>::with(Setup {
        // A client's reset that comes first would look like a cancellation to the server, whose
        // clock began later.
        resets: by_the_caller,
        ..Setup::default()
    })
    .await;
    let hanging = hang(&case, shape, moment, |call| call.timeout(TIMEOUT)).await;
    if by_the_caller {
        // From here it is longer than the rest of the time on either side.
        sleep(TIMEOUT).await;
        drop(hanging.rest);
    } else {
        let status = hanging.rest.await.unwrap_err();
        assert_eq!(status.code(), Code::Cancelled);
    }
    hanging.context.span().end();
    let end = End::Code(Code::DeadlineExceeded);
    let expected = ExpectedCall::new(shape, &hanging.context).both(end);
    case.assert(&[expected]).await;
}

/// The endpoint's own timeout, of which the server knows nothing.
pub async fn the_timeout_of_the_endpoint_passes<G: GrpcUnderTest>(shape: Shape) {
    let mut case = Case::<G>::with(Setup {
        timeout: Some(TIMEOUT),
        ..Setup::default()
    })
    .await;
    let hanging = hang(&case, shape, Moment::Instead, |call| call).await;
    let status = hanging.rest.await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    hanging.context.span().end();
    let expected = ExpectedCall::new(shape, &hanging.context)
        .client(End::Code(Code::DeadlineExceeded))
        .server(End::Dropped);
    case.assert(&[expected]).await;
}
