//! Calls that are attempted more than once.

use http::{HeaderMap, HeaderName, HeaderValue};
use otelware::http::ExtensionLayer;
use otelware::opentelemetry::KeyValue;
use otelware::semconv::attribute;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
    pub(crate) fn next(&self) -> u32 {
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
/// layer that retries. It goes above that layer, and puts an [`AttemptCount`] into the extensions of
/// each request that has none.
pub type AttemptCountLayer = ExtensionLayer<AttemptCount>;
