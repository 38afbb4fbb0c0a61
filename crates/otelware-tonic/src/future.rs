use crate::call::{Call, ResponseBody};
use http::Response;
use http_body::Body;
use otelware::operation::Operation;
use pin_project_lite::pin_project;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The response to come; the call is observed until the end of its body.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        operation: Option<Operation<Call>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn new(inner: F, operation: Option<Operation<Call>>) -> Self {
        Self { inner, operation }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = {
            let _entered = this.operation.as_mut().map(Operation::enter);
            ready!(this.inner.poll(cx))
        };
        let Some(operation) = this.operation.take() else {
            return Poll::Ready(
                result.map(|response| response.map(|body| ResponseBody::new(body, None))),
            );
        };
        Poll::Ready(match result {
            Ok(response) => Ok(Call::respond(operation, response)),
            Err(error) => {
                Call::fail(operation, &error);
                Err(error)
            }
        })
    }
}
