//! Calls that are attempted more than once.

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use otelware::opentelemetry::KeyValue;
use otelware::semconv::attribute;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Tells a server how often the call was attempted before (gRPC proposal A6).
static PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// Counts how often one call was attempted. Among the extensions of a request, above what retries,
/// it makes `otelware.rpc.previous_attempts` known beneath, and to the server.
#[derive(Clone, Debug, Default)]
pub struct AttemptCount(Arc<AtomicU32>);

impl AttemptCount {
    /// Not attempted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more attempt and returns how many came before it.
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Adds the number of previous attempts, if there were any.
pub(crate) fn push(list: &mut Vec<KeyValue>, previous: u32) {
    if previous > 0 {
        list.push(KeyValue::new(
            attribute::RPC_PREVIOUS_ATTEMPTS,
            i64::from(previous),
        ));
    }
}

/// Adds the number of previous attempts that the client tells of, if there were any.
pub(crate) fn push_received(list: &mut Vec<KeyValue>, metadata: &HeaderMap) {
    if let Some(previous) = metadata.get(&PREVIOUS_ATTEMPTS)
        && let Some(previous) = previous.to_str().ok().and_then(|text| text.parse().ok())
    {
        push(list, previous);
    }
}

/// Tells the server of previous attempts, if there were any.
pub(crate) fn send(metadata: &mut HeaderMap, previous: u32) {
    if previous > 0 {
        metadata.insert(PREVIOUS_ATTEMPTS.clone(), HeaderValue::from(previous));
    }
}

/// Makes the attempts of a call known to a [`GrpcClientLayer`](super::GrpcClientLayer) beneath a
/// layer that retries. It goes above that layer.
///
/// It puts an [`AttemptCount`] into the extensions of each request that has none. What retries
/// must keep the extensions, as a clone of the request does.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptCountLayer {
    _private: (),
}

impl AttemptCountLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl<S> Layer<S> for AttemptCountLayer {
    type Service = CountAttempts<S>;

    fn layer(&self, inner: S) -> CountAttempts<S> {
        CountAttempts { inner }
    }
}

/// Counts how often calls are attempted; made by [`AttemptCountLayer`].
#[derive(Clone, Copy, Debug)]
pub struct CountAttempts<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for CountAttempts<S>
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
        request
            .extensions_mut()
            .get_or_insert_default::<AttemptCount>();
        self.inner.call(request)
    }
}
