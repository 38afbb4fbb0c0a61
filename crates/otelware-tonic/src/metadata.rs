//! Metadata of responses.

use http::{HeaderMap, HeaderName};
use otelware::opentelemetry::{Array, KeyValue, Value};
use otelware::operation::bounded;
use percent_encoding::percent_decode;

static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Adds captured metadata to that which was captured before; values of the same key go together.
pub(crate) fn merge(captured: &mut Vec<KeyValue>, more: Vec<KeyValue>) {
    for attribute in more {
        let before = captured.iter_mut().find(|set| set.key == attribute.key);
        match (before.map(|set| &mut set.value), attribute.value) {
            (Some(Value::Array(Array::String(values))), Value::Array(Array::String(more))) => {
                values.extend(more);
            }
            (_, value) => captured.push(KeyValue::new(attribute.key, value)),
        }
    }
}

/// The message of a status, if it has one (gRPC over HTTP/2, "Status-Message").
pub(crate) fn status_message(headers: &HeaderMap) -> Option<String> {
    let message = headers.get(&GRPC_MESSAGE)?;
    let message = percent_decode(message.as_bytes()).decode_utf8_lossy();
    (!message.is_empty()).then(|| bounded(&message).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;
    use otelware::http::HeaderCapture;

    fn captured(parts: &[&[(&'static str, &'static str)]]) -> Vec<(String, String)> {
        let capture = HeaderCapture::new("m", ["*"]);
        let mut all = Vec::new();
        for part in parts {
            let headers = part
                .iter()
                .map(|(key, value)| {
                    (
                        HeaderName::from_static(key),
                        HeaderValue::from_static(value),
                    )
                })
                .collect();
            merge(&mut all, capture.attributes(&headers));
        }
        all.iter()
            .map(|attribute| (attribute.key.to_string(), attribute.value.to_string()))
            .collect()
    }

    #[test]
    fn leading_and_trailing_values_of_a_key_go_together() {
        assert_eq!(
            captured(&[
                &[("a", "1"), ("b-bin", "AAEC")],
                &[("a", "2"), ("token", "s3cr3t")]
            ]),
            [
                ("m.a".to_owned(), r#"["1","2"]"#.to_owned()),
                ("m.b-bin".to_owned(), r#"["AAEC"]"#.to_owned()),
                ("m.token".to_owned(), r#"["REDACTED"]"#.to_owned()),
            ]
        );
    }

    #[test]
    fn messages_are_decoded_and_cut() {
        let message = |text: &[u8]| {
            let value = HeaderValue::from_bytes(text).unwrap();
            status_message(&HeaderMap::from_iter([(GRPC_MESSAGE.clone(), value)]))
        };
        assert_eq!(
            message(b"no%20such%20%C3%A4").as_deref(),
            Some("no such \u{e4}")
        );
        assert_eq!(message(b"%zz%ff").as_deref(), Some("%zz\u{fffd}"));
        assert_eq!(message(b""), None);
        assert_eq!(message(&[b'x'; 10_000]).unwrap().len(), 4_096);
        assert_eq!(status_message(&HeaderMap::new()), None);
    }
}
