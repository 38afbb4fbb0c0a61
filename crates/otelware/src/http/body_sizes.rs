//! The sizes of bodies, on span and metrics.

use crate::operation::{End, Instrumentation, Series, SeriesKey};
use crate::semconv::{attribute, boundaries};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;

/// The histograms of body sizes, in bytes.
#[derive(Debug)]
pub struct BodySizes {
    request: Series<Histogram<u64>>,
    response: Series<Histogram<u64>>,
}

impl BodySizes {
    /// The histograms of these names, for request and response, with their descriptions.
    pub fn new(
        instrumentation: &Instrumentation,
        [request, response]: [(&'static str, &'static str); 2],
    ) -> Self {
        let sizes =
            |(name, description)| instrumentation.sizes(name, description, &boundaries::BODY_BYTES);
        Self {
            request: sizes(request),
            response: sizes(response),
        }
    }

    /// Tells the sizes that are known, where they are wanted, with the attributes that `key`
    /// stands for.
    pub fn tell(
        &self,
        end: &End<'_>,
        request: Option<u64>,
        response: Option<u64>,
        key: Option<SeriesKey>,
        attributes: impl Fn() -> Vec<KeyValue>,
    ) {
        for (bytes, name, series) in [
            (request, attribute::HTTP_REQUEST_BODY_SIZE, &self.request),
            (response, attribute::HTTP_RESPONSE_BODY_SIZE, &self.response),
        ] {
            let Some(bytes) = bytes else { continue };
            if let Some(span) = end.span() {
                let shown = i64::try_from(bytes).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new(name, shown));
            }
            if end.metrics() {
                series.measure(bytes, key, &attributes);
            }
        }
    }
}
