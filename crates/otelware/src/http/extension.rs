//! Things that ride on a request through the layers of a client.

use http::Request;
use std::marker::PhantomData;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a `T` into the extensions of each request that has none, for what is beneath the layer.
///
/// What sends a request more than once must keep the extensions, as a clone of the request does.
pub struct ExtensionLayer<T>(PhantomData<fn() -> T>);

impl<T> ExtensionLayer<T> {
    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for ExtensionLayer<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for ExtensionLayer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ExtensionLayer<T> {}

impl<T> std::fmt::Debug for ExtensionLayer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExtensionLayer")
    }
}

impl<S, T> Layer<S> for ExtensionLayer<T> {
    type Service = WithExtension<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        let extension = PhantomData;
        WithExtension { inner, extension }
    }
}

/// A service whose requests have a `T` among their extensions; made by [`ExtensionLayer`].
pub struct WithExtension<S, T> {
    inner: S,
    extension: PhantomData<fn() -> T>,
}

impl<S: Clone, T> Clone for WithExtension<S, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            extension: PhantomData,
        }
    }
}

impl<S: std::fmt::Debug, T> std::fmt::Debug for WithExtension<S, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WithExtension")
            .field("inner", &self.inner)
            .finish()
    }
}

impl<S, T, B> Service<Request<B>> for WithExtension<S, T>
where
    S: Service<Request<B>>,
    T: Clone + Default + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().get_or_insert_default::<T>();
        self.inner.call(request)
    }
}
