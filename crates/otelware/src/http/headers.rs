//! Captured headers.

use super::url::UrlRedaction;
use crate::secret::is_secret;
use crate::semconv::value::REDACTED;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use std::sync::LazyLock;

/// Headers whose values may be relative URLs; absolute ones are known by themselves.
const URLS: [&str; 6] = [
    "content-location",
    "location",
    "referer",
    "x-forwarded-uri",
    "x-original-url",
    "x-rewrite-url",
];

static URL_REDACTION: LazyLock<UrlRedaction> = LazyLock::new(UrlRedaction::default);

/// No captured value is longer, in bytes.
const LONGEST: usize = 1_024;
/// No more values of one header, and no more headers of one request, are captured.
const MOST: usize = 32;

/// Which headers become attributes: an allow-list of names and of patterns with `*`.
///
/// Values of headers that carry credentials are replaced by `REDACTED` even where the list names
/// them; so are values that are marked as sensitive, and the credentials and sensitive query
/// parameters in values that are URLs, one or several with commas between them. A value longer
/// than 1,024 bytes is cut, and at most 32 values are taken of at most 32 headers.
#[derive(Clone, Debug, Default)]
pub struct HeaderCapture {
    exact: Vec<(HeaderName, Key)>,
    patterns: Vec<String>,
    prefix: &'static str,
    /// Whether patterns leave out what gRPC itself sends.
    is_metadata: bool,
}

impl HeaderCapture {
    /// Captures the headers whose names match one of `names`, under `prefix`: a name, or a pattern
    /// in which `*` stands for any characters. What can't be a header's name matches nothing.
    pub fn new<I>(prefix: &'static str, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut capture = Self {
            prefix,
            ..Self::default()
        };
        for name in names {
            let name = name.as_ref().trim().to_ascii_lowercase();
            if name.contains('*') {
                capture.patterns.push(name);
            } else if let Ok(name) = HeaderName::try_from(name) {
                // A header that is named twice is one attribute.
                if !capture.exact.iter().any(|(exact, _)| *exact == name) {
                    let key = capture.key(&name);
                    capture.exact.push((name, key));
                }
            }
        }
        capture
    }

    /// Captures metadata of gRPC in the same way. Patterns do not match what the protocol sends
    /// itself: `grpc-*`, `te` and `content-type`.
    pub fn of_metadata<I>(prefix: &'static str, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self {
            is_metadata: true,
            ..Self::new(prefix, keys)
        }
    }

    /// Whether nothing is captured.
    pub const fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }

    /// The attributes of the captured headers.
    pub fn attributes(&self, headers: &HeaderMap) -> Vec<KeyValue> {
        let mut captured = Vec::new();
        for (name, key) in &self.exact {
            if let Some(value) = values(name, headers) {
                captured.push(KeyValue::new(key.clone(), value));
            }
        }
        if !self.patterns.is_empty() {
            for name in headers.keys() {
                let is_reserved = self.is_metadata && is_reserved(name.as_str());
                let matches = !is_reserved
                    && self
                        .patterns
                        .iter()
                        .any(|pattern| glob(pattern, name.as_str()));
                if matches
                    && !self.exact.iter().any(|(exact, _)| exact == name)
                    && let Some(value) = values(name, headers)
                {
                    captured.push(KeyValue::new(self.key(name), value));
                }
                if captured.len() >= MOST {
                    break;
                }
            }
        }
        captured.truncate(MOST);
        captured
    }

    fn key(&self, name: &HeaderName) -> Key {
        Key::from(format!("{}.{name}", self.prefix))
    }
}

/// Whether gRPC sends a header of this name itself.
fn is_reserved(name: &str) -> bool {
    name.starts_with("grpc-") || name == "te" || name == "content-type"
}

fn values(name: &HeaderName, headers: &HeaderMap) -> Option<Value> {
    let values: Vec<StringValue> = headers
        .get_all(name)
        .iter()
        .take(MOST)
        .map(|value| shown(name, value))
        .collect();
    (!values.is_empty()).then_some(Value::Array(Array::String(values)))
}

fn shown(name: &HeaderName, value: &HeaderValue) -> StringValue {
    if value.is_sensitive() || is_secret(name.as_str()) {
        return REDACTED.into();
    }
    let bytes = value.as_bytes();
    let cut = bytes.get(..LONGEST).unwrap_or(bytes);
    let text = String::from_utf8_lossy(cut);
    if text.contains("://") || URLS.contains(&name.as_str()) {
        return without_secrets(&text).into();
    }
    text.into_owned().into()
}

/// A value of one URL, or of several with commas between them (`Link`).
fn without_secrets(text: &str) -> String {
    // A comma may be part of a URL too: the whole is seen as one first.
    let whole = URL_REDACTION.url(text);
    let parts: Vec<_> = whole
        .split(',')
        .map(|part| URL_REDACTION.url(part))
        .collect();
    parts.join(",")
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        if let Some(between) = last.replace(part) {
            match rest.find(between) {
                Some(found) => rest = rest.get(found + between.len()..).unwrap_or_default(),
                None => return false,
            }
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn captured(names: &[&str], headers: &[(&str, &[u8])]) -> Vec<(String, Vec<String>)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let mut found: Vec<_> = HeaderCapture::new("http.request.header", names)
            .attributes(&map)
            .into_iter()
            .map(|attribute| {
                let Value::Array(Array::String(values)) = attribute.value else {
                    return (attribute.key.to_string(), vec![]);
                };
                let values = values.iter().map(ToString::to_string).collect();
                (attribute.key.to_string(), values)
            })
            .collect();
        found.sort();
        found
    }

    fn named(name: &str, values: &[&str]) -> (String, Vec<String>) {
        (
            format!("http.request.header.{name}"),
            values.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn only_what_the_list_names_is_captured() {
        assert_eq!(
            captured(
                &["X-Tenant", "x-shop-*", "absent", "not a name"],
                &[
                    ("x-tenant", b"a"),
                    ("x-tenant", b"b"),
                    ("x-shop-id", b"7"),
                    ("accept", b"*/*"),
                ],
            ),
            [named("x-shop-id", &["7"]), named("x-tenant", &["a", "b"])]
        );
        assert_eq!(captured(&[], &[("x-tenant", b"a")]), []);
    }

    #[test]
    fn secrets_are_redacted_even_where_they_are_named() {
        assert_eq!(
            captured(
                &["authorization", "cookie", "x-*"],
                &[
                    ("authorization", b"Bearer s3cr3t"),
                    ("cookie", b"id=s3cr3t"),
                    ("x-api-key", b"s3cr3t"),
                    ("x-auth-token", b"s3cr3t"),
                    ("x-ok", b"fine"),
                ],
            ),
            [
                named("authorization", &[REDACTED]),
                named("cookie", &[REDACTED]),
                named("x-api-key", &[REDACTED]),
                named("x-auth-token", &[REDACTED]),
                named("x-ok", &["fine"]),
            ]
        );
    }

    #[test]
    fn each_url_of_a_value_is_redacted() {
        for (value, expected) in [
            (
                "<https://a/?page=1>, <https://b/?token=s3cr3t>",
                "<https://a/?page=1>, <https://b/?token=REDACTED",
            ),
            (
                "<https://a/>; rel=next, <https://u:s3cr3t@b/?c=d>; rel=last",
                "<https://a/>; rel=next, <https://REDACTED:REDACTED@b/?c=d>; rel=last",
            ),
            (
                "https://u:s3,cr3t@a/?page=1,2&token=s3cr3t",
                "https://REDACTED:REDACTED@a/?page=1,2&token=REDACTED",
            ),
            (
                "https://a/cb#access_token=s3cr3t",
                "https://a/cb#access_token=REDACTED",
            ),
        ] {
            assert_eq!(
                captured(&["link"], &[("link", value.as_bytes())]),
                [named("link", &[expected])]
            );
        }
    }

    #[test]
    fn values_are_bounded_and_need_not_be_text() {
        let long = vec![b'x'; 100_000];
        assert_eq!(
            captured(&["a", "b"], &[("a", &long), ("b", b"\xff\xfe")]),
            [
                named("a", &[&"x".repeat(LONGEST)]),
                named("b", &["\u{fffd}\u{fffd}"])
            ]
        );
        let names: Vec<String> = (0..1_000).map(|n| format!("x-{n}")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b"v"[..])).collect();
        assert_eq!(captured(&["x-*"], &many).len(), MOST);
    }

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("*", "anything", true),
            ("x-*", "x-", true),
            ("x-*", "y-a", false),
            ("*-id", "x-request-id", true),
            ("x-*-id", "x-request-id", true),
            ("x-*-id", "x-id", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} on {text}");
        }
    }
}
