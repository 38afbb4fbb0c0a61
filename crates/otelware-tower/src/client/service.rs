use super::ResponseBody;
use super::future::ResponseFuture;
use crate::count::{PassBodies, RequestBodies};
use http::{Request, Response};
use http_body::Body;
use otelware::http::client::{self, ClientRequest, UriTarget};
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A client whose requests are observed; made by [`HttpClientLayer`](crate::HttpClientLayer).
#[derive(Debug)]
pub struct HttpClient<S, Bodies = PassBodies> {
    inner: S,
    client: client::HttpClient,
    bodies: PhantomData<fn() -> Bodies>,
}

impl<S, Bodies> HttpClient<S, Bodies> {
    pub(super) fn new(inner: S, client: client::HttpClient) -> Self {
        Self {
            inner,
            client,
            bodies: PhantomData,
        }
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, to change.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, no longer observed.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, Bodies> Clone for HttpClient<S, Bodies> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.client.clone())
    }
}

impl<S, B, R, Bodies> Service<Request<B>> for HttpClient<S, Bodies>
where
    Bodies: RequestBodies<B>,
    S: Service<Request<Bodies::Body>, Response = Response<R>>,
    S::Error: Display + 'static,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let operation = self.client.begin(ClientRequest {
            method: &parts.method,
            target: UriTarget::new(&parts.uri, &parts.headers),
            headers: &mut parts.headers,
            extensions: &parts.extensions,
        });
        let request = Request::from_parts(parts, body);
        let Some(mut operation) = operation else {
            let request = Bodies::wrap(request, Arc::default);
            return ResponseFuture::new(self.inner.call(request), None);
        };
        let request = Bodies::wrap(request, || operation.describe_mut().count_request_bytes());
        let entered = operation.enter();
        let future = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(future, Some(operation))
    }
}
