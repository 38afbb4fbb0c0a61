//! Request methods as attribute values.

use crate::operation::Interned;
use crate::semconv::value;
use http::Method;

/// Replaces the known methods: comma-separated, case-sensitive.
const KNOWN_METHODS_VARIABLE: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";

/// RFC 9110, PATCH (RFC 5789) and QUERY.
const DEFAULT: [&str; 10] = [
    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "QUERY", "CONNECT", "TRACE",
];

/// More known methods than this are not told apart.
const MOST: usize = 64;

/// The methods that are told apart; every other is `_OTHER`.
///
/// See "HTTP request method" in the semantic conventions for HTTP spans.
#[derive(Clone, Debug)]
pub struct KnownMethods(Vec<&'static str>);

/// A method as an attribute value: one of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodLabel {
    index: u8,
    name: &'static str,
}

impl KnownMethods {
    /// These methods, case-sensitive, instead of the default ones. At most 64 are told apart.
    pub fn new<I>(methods: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self(
            methods
                .into_iter()
                .filter_map(|method| Interned::new(method.as_ref().trim()))
                .map(Interned::as_str)
                .filter(|method| !method.is_empty())
                .take(MOST)
                .collect(),
        )
    }

    /// The methods of `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`, or the default ones where it is
    /// unset or empty.
    pub fn from_env() -> Self {
        match std::env::var(KNOWN_METHODS_VARIABLE) {
            Ok(list) if !list.trim().is_empty() => Self::new(list.split(',')),
            _ => Self::default(),
        }
    }

    /// The label of a method.
    #[inline]
    pub fn label(&self, method: &Method) -> MethodLabel {
        let method = method.as_str();
        match self.0.iter().position(|known| *known == method) {
            Some(index) => MethodLabel {
                index: index as u8,
                name: self.0.get(index).copied().unwrap_or(value::OTHER),
            },
            None => MethodLabel::OTHER,
        }
    }
}

impl Default for KnownMethods {
    fn default() -> Self {
        Self(DEFAULT.to_vec())
    }
}

impl MethodLabel {
    const OTHER: Self = Self {
        index: u8::MAX,
        name: value::OTHER,
    };

    /// The value of `http.request.method`.
    pub const fn as_str(self) -> &'static str {
        self.name
    }

    /// The method's part of a span's name: `HTTP` for `_OTHER`.
    pub const fn span_name(self) -> &'static str {
        if self.is_other() { "HTTP" } else { self.name }
    }

    /// Whether the method is none of the known ones.
    pub const fn is_other(self) -> bool {
        self.index == u8::MAX
    }

    /// A number that stands for the label within its [`KnownMethods`].
    pub const fn id(self) -> u8 {
        self.index
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn label(known: &KnownMethods, method: &str) -> (&'static str, &'static str) {
        let label = known.label(&Method::from_bytes(method.as_bytes()).unwrap());
        (label.as_str(), label.span_name())
    }

    #[test]
    fn known_methods_stay_and_others_are_folded() {
        let known = KnownMethods::default();
        for method in DEFAULT {
            assert_eq!(label(&known, method), (method, method));
        }
        for method in ["get", "GeT", "PROPFIND", "X-RANDOM"] {
            assert_eq!(label(&known, method), ("_OTHER", "HTTP"));
        }
    }

    #[test]
    fn a_list_replaces_the_default() {
        let known = KnownMethods::new(" PROPFIND, get ,,".split(','));
        assert_eq!(label(&known, "PROPFIND"), ("PROPFIND", "PROPFIND"));
        assert_eq!(label(&known, "get"), ("get", "get"));
        assert_eq!(label(&known, "GET"), ("_OTHER", "HTTP"));
    }
}
