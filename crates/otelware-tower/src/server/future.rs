use super::call::ServerCall;
use super::route::OpenSlot;
use super::streaming::ResponseBody;
use http::Response;
use http_body::Body;
use otelware::operation::{Operation, Outcome};
use pin_project_lite::pin_project;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The response to come; the request is observed until the end of its body.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        operation: Option<Operation<ServerCall>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(inner: F, operation: Option<Operation<ServerCall>>) -> Self {
        Self { inner, operation }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    B::Error: Display + 'static,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = {
            // Left in this order: the operation looks into the slot when it is left.
            let _entered = this
                .operation
                .as_mut()
                .map(|operation| (operation.enter(), OpenSlot::new()));
            ready!(this.inner.poll(cx))
        };
        let Some(operation) = this.operation.take() else {
            return Poll::Ready(result.map(|response| response.map(ResponseBody::unobserved)));
        };
        Poll::Ready(match result {
            Ok(response) => Ok(ServerCall::respond(operation, response)),
            Err(error) => {
                let class = otelware::http::error_type(&error);
                operation
                    .describe()
                    .exception(operation.context(), &class, &error);
                operation.finish(&Outcome::Error(class));
                Err(error)
            }
        })
    }
}
