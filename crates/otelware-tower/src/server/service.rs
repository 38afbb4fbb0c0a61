use super::call::ServerCall;
use super::future::ResponseFuture;
use super::route::OpenSlot;
use super::running::Server;
use crate::count::{PassBodies, RequestBodies};
use http::{Request, Response};
use http_body::Body;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service whose requests are observed; made by [`HttpServerLayer`](super::HttpServerLayer).
#[derive(Debug)]
pub struct HttpServer<S, Bodies = PassBodies> {
    inner: S,
    server: Arc<Server>,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<S, Bodies> HttpServer<S, Bodies> {
    pub(super) const fn new(inner: S, server: Arc<Server>) -> Self {
        Self {
            inner,
            server,
            bodies: PhantomData,
        }
    }

    /// The wrapped service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The wrapped service.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The wrapped service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, Bodies> Clone for HttpServer<S, Bodies> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.server.clone())
    }
}

impl<S, Bodies, Req, Res> Service<Request<Req>> for HttpServer<S, Bodies>
where
    Bodies: RequestBodies<Req>,
    S: Service<Request<Bodies::Body>, Response = Response<Res>>,
    S::Error: Display + 'static,
    Res: Body,
    Res::Error: Display + 'static,
{
    type Response = Response<super::ResponseBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let Some(mut operation) = ServerCall::begin(&self.server, &request) else {
            let request = Bodies::wrap(request, Arc::default);
            return ResponseFuture::new(self.inner.call(request), None);
        };
        let request = Bodies::wrap(request, || operation.describe_mut().count_request_bytes());
        let _slot = OpenSlot::new();
        let entered = operation.enter();
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(future, Some(operation))
    }
}
