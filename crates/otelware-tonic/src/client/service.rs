use super::begin::begin;
use crate::call::{Call, ResponseBody};
use crate::future::ResponseFuture;
use crate::message::RequestBody;
use crate::running::Shared;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A client whose calls are observed; made by [`GrpcClientLayer`](super::GrpcClientLayer).
#[derive(Clone, Debug)]
pub struct GrpcClient<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> GrpcClient<S> {
    pub(super) const fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// The wrapped client.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped client, to change.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The wrapped client, no longer observed.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, Req, Res> Service<Request<Req>> for GrpcClient<S>
where
    S: Service<Request<tonic::body::Body>, Response = Response<Res>>,
    S::Error: Display + 'static,
    Req: Body<Data = Bytes> + Send + 'static,
    Req::Error: Into<Box<dyn Error + Send + Sync>>,
    Res: Body<Data = Bytes>,
    Res::Error: Display + 'static,
{
    type Response = Response<ResponseBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let Some(mut operation) = begin(&self.shared, &mut parts) else {
            let request = Request::from_parts(parts, tonic::body::Body::new(body));
            return ResponseFuture::new(self.inner.call(request), None);
        };
        let meter = Call::request_meter(&mut operation);
        let body = RequestBody::of_client(body, operation.context().clone(), meter);
        let request = Request::from_parts(parts, tonic::body::Body::new(body));
        let entered = operation.enter();
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(future, Some(operation))
    }
}
