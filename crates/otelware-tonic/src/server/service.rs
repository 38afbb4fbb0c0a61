use super::begin::begin;
use super::bodies::{PassBodies, RequestBodies};
use crate::call::{Call, ResponseBody};
use crate::future::ResponseFuture;
use crate::running::Shared;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service whose calls are observed; made by [`GrpcServerLayer`](super::GrpcServerLayer).
#[derive(Debug)]
pub struct GrpcServer<S, Bodies = PassBodies> {
    inner: S,
    shared: Arc<Shared>,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<S, Bodies> GrpcServer<S, Bodies> {
    pub(super) const fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            shared,
            bodies: PhantomData,
        }
    }

    /// The wrapped service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped service, to change.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The wrapped service, no longer observed.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, Bodies> Clone for GrpcServer<S, Bodies> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.shared.clone())
    }
}

impl<S: tonic::server::NamedService, Bodies> tonic::server::NamedService for GrpcServer<S, Bodies> {
    const NAME: &'static str = S::NAME;
}

impl<S, Bodies, Req, Res> Service<Request<Req>> for GrpcServer<S, Bodies>
where
    Bodies: RequestBodies<Req>,
    S: Service<Request<Bodies::Body>, Response = Response<Res>>,
    S::Error: Display + 'static,
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

    fn call(&mut self, mut request: Request<Req>) -> Self::Future {
        let Some(mut operation) = begin(&self.shared, &mut request) else {
            let request = Bodies::wrap(request, || None);
            return ResponseFuture::new(self.inner.call(request), None);
        };
        let request = Bodies::wrap(request, || Call::request_meter(&mut operation));
        let entered = operation.enter();
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(future, Some(operation))
    }
}
