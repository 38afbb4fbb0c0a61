//! Every code that is an error, at every moment.

use tonic::Code;

use crate::suites::grpc::GrpcUnderTest;
use crate::suites::grpc::call::Call;
use crate::suites::grpc::case::{Case, Doing};
use crate::suites::grpc::expected::{End, ExpectedCall};
use crate::suites::grpc::script::{Moment, Script};
use crate::suites::grpc::shapes::Shape;

const ERRORS: [Code; 16] = [
    Code::Cancelled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];

/// Each code, in a head without messages.
pub async fn fails_instead_of_answering<G: GrpcUnderTest>(shape: Shape) {
    fails::<G>(shape, Moment::Instead, 0).await;
}

/// Each code, in trailers that follow a head of success.
pub async fn fails_before_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    fails::<G>(shape, Moment::Head, 0).await;
}

/// Each code, after a response; where there is one response only, after one of many requests.
pub async fn fails_after_the_first_message<G: GrpcUnderTest>(shape: Shape) {
    let answers = usize::from(shape.streams_responses());
    fails::<G>(shape, Moment::First, answers).await;
}

/// All of the status and the responses before it reach the caller.
async fn fails<G: GrpcUnderTest>(shape: Shape, moment: Moment, answers: usize) {
    let mut case = Case::<G>::new().await;
    for code in ERRORS {
        let _doing = Doing(format!("{shape:?}, {moment:?}, {code:?}"));
        let call = Call::new(Script::Fail(moment, code));
        let channel = case.channel.clone();
        let calling = async {
            let mut responses = call.start(channel, shape).await?;
            for _ in 0..answers {
                assert!(responses.next().await?.is_some());
            }
            responses.next().await
        };
        let (context, end) = case.within(calling).await;
        let status = end.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "as told"));
        let expected = ExpectedCall::new(shape, &context).both(End::Code(code));
        case.assert(&[expected]).await;
    }
}
