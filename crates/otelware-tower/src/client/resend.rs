use http::Request;
use otelware::http::client::ResendCount;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Makes `http.request.resend_count` known to an [`HttpClientLayer`](crate::HttpClientLayer)
/// beneath a layer that retries or follows redirects. It goes above that layer.
///
/// It puts a [`ResendCount`] into the extensions of each request. What retries or redirects must
/// keep the extensions, as a clone of the request does.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResendCountLayer {
    _private: (),
}

impl ResendCountLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl<S> Layer<S> for ResendCountLayer {
    type Service = CountResends<S>;

    fn layer(&self, inner: S) -> CountResends<S> {
        CountResends { inner }
    }
}

/// Counts how often requests are sent; made by [`ResendCountLayer`].
#[derive(Clone, Copy, Debug)]
pub struct CountResends<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for CountResends<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(ResendCount::new());
        self.inner.call(request)
    }
}
