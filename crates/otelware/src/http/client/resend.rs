//! What rides on a request through the layers of a client.

use opentelemetry::StringValue;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts how often one request was sent. In the extensions of a request, above the layer that
/// retries or follows redirects, it makes `http.request.resend_count` known beneath it.
#[derive(Clone, Debug, Default)]
pub struct ResendCount(Arc<AtomicU32>);

impl ResendCount {
    /// Not sent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more sending and returns how many came before it.
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The template of a request's path, such as `/users/{id}`: in the extensions of a request it
/// becomes `url.template` of span and metric and the target in the span's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate(Cow<'static, str>);

impl UrlTemplate {
    /// The template; it must have low cardinality.
    pub fn new(template: impl Into<Cow<'static, str>>) -> Self {
        Self(template.into())
    }

    /// The template's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn value(&self) -> StringValue {
        match &self.0 {
            Cow::Borrowed(text) => (*text).into(),
            Cow::Owned(text) => text.clone().into(),
        }
    }
}
