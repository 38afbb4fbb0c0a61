//! Captured headers of messages.

use crate::operation::bounded;
use crate::secret::is_secret;
use crate::semconv::attribute::MESSAGING_HEADER;
use crate::semconv::value::REDACTED;
use opentelemetry::propagation::Extractor;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

/// No more values of one header are captured.
const MOST: usize = 32;

/// Which headers of messages become attributes, by their exact names.
///
/// Values of headers that carry credentials are replaced by `REDACTED` even where they are named,
/// and so are values that are URLs with credentials or parameters. At most 32 values of a header
/// are taken, each of at most 4,096 bytes.
#[derive(Clone, Debug, Default)]
pub struct HeaderCapture {
    names: Vec<(String, Key)>,
}

impl HeaderCapture {
    /// Captures the headers with these names.
    pub fn new<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let key = |name: &str| Key::from(format!("{MESSAGING_HEADER}.{name}"));
        Self {
            names: (names.into_iter().map(Into::into))
                .map(|name| (key(&name), name))
                .map(|(key, name)| (name, key))
                .collect(),
        }
    }

    /// The attributes of a message's headers.
    pub(super) fn push(&self, headers: &dyn Extractor, list: &mut Vec<KeyValue>) {
        for (name, key) in &self.names {
            let values = headers.get_all(name).unwrap_or_default();
            if values.is_empty() {
                continue;
            }
            let shown: Vec<StringValue> = (values.into_iter().take(MOST))
                .map(|value| shown(name, value))
                .collect();
            list.push(KeyValue::new(
                key.clone(),
                Value::Array(Array::String(shown)),
            ));
        }
    }
}

fn shown(name: &str, value: &str) -> StringValue {
    if is_secret(&name.to_ascii_lowercase())
        || (value.contains("://") && value.contains(['@', '?']))
    {
        return REDACTED.into();
    }
    bounded(value).to_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagation::PairsExtractor;

    #[test]
    fn named_headers_are_shown_but_for_credentials() {
        let headers: Vec<_> = [
            ("tenant", "7"),
            ("tenant", "8"),
            ("other", "x"),
            ("X-Api-Key", "s3cret"),
            ("callback", "https://user:s3cret@host/"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let capture = HeaderCapture::new(["tenant", "absent", "X-Api-Key", "callback"]);
        let mut list = Vec::new();
        capture.push(&PairsExtractor(&headers), &mut list);
        let array = |values: &[&'static str]| {
            Value::Array(Array::String(
                values.iter().map(|&value| value.into()).collect(),
            ))
        };
        assert_eq!(
            list,
            [
                KeyValue::new("messaging.header.tenant", array(&["7", "8"])),
                KeyValue::new("messaging.header.X-Api-Key", array(&["REDACTED"])),
                KeyValue::new("messaging.header.callback", array(&["REDACTED"])),
            ]
        );
    }
}
