use super::ResponseBody;
use http::Response;
use http_body::Body;
use otelware::http::OperationBody;
use otelware::http::client::ClientCall;
use otelware::operation::Operation;
use pin_project_lite::pin_project;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The future of a response; made by [`HttpClient`](super::HttpClient).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        operation: Option<Operation<ClientCall>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(inner: F, operation: Option<Operation<ClientCall>>) -> Self {
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
                result.map(|response| response.map(|body| OperationBody::new(body, None))),
            );
        };
        Poll::Ready(match result {
            Ok(response) => {
                #[cfg(feature = "hyper-util")]
                if let Some(info) = response
                    .extensions()
                    .get::<hyper_util::client::legacy::connect::HttpInfo>()
                {
                    ClientCall::peer(&operation, info.remote_addr());
                }
                Ok(ClientCall::respond(operation, response))
            }
            Err(error) => {
                let class = operation.describe().class(&error);
                ClientCall::fail(operation, class, &error);
                Err(error)
            }
        })
    }
}
