//! Attributes that hooks can't set.

use crate::semconv::attribute;
use opentelemetry::KeyValue;

/// What the end of any operation sets.
const RESERVED: [&str; 4] = [
    attribute::ERROR_TYPE,
    attribute::HTTP_REQUEST_BODY_SIZE,
    attribute::HTTP_RESPONSE_BODY_SIZE,
    attribute::HTTP_RESPONSE_STATUS_CODE,
];

/// The attributes of a hook without those that the instrumentation sets after the span's start,
/// which are `also` and those of any operation's end: the SDK would keep both.
pub fn not_reserved(mut attributes: Vec<KeyValue>, also: &[&str]) -> Vec<KeyValue> {
    attributes.retain(|attribute| {
        let key = attribute.key.as_str();
        !RESERVED.contains(&key) && !also.contains(&key)
    });
    attributes
}
