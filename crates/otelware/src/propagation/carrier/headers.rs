//! HTTP headers as a carrier; gRPC metadata is stored in the same type.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};

use super::all_of;
use super::{only, value_of};

// Names made once: comparing text is cheaper than checking a name again for every request.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
static B3: HeaderName = HeaderName::from_static("b3");

fn standard(key: &str) -> Option<&'static HeaderName> {
    match key {
        "traceparent" => Some(&TRACEPARENT),
        "tracestate" => Some(&TRACESTATE),
        "baggage" => Some(&BAGGAGE),
        "b3" => Some(&B3),
        _ => None,
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// Reads fields from HTTP headers; a value that is not UTF-8 counts as absent.
#[derive(Clone, Copy, Debug)]
pub struct HeaderExtractor<'a>(pub &'a HeaderMap);

impl HeaderExtractor<'_> {
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let values = match standard(key) {
            Some(name) => self.0.get_all(name),
            None => self.0.get_all(key),
        };
        values.iter().filter_map(text)
    }
}

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let Some(name) = standard(key) else {
            return value_of(key, self.values(key));
        };
        // The hot path: one look-up, and no comparison of names.
        let mut values = self.0.get_all(name).iter().filter_map(text);
        if std::ptr::eq(name, &raw const TRACEPARENT) {
            only(values)
        } else {
            values.next()
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        all_of(self.values(key))
    }
}

/// Writes fields into HTTP headers; a name or a value that cannot stand in a header is ignored.
#[derive(Debug)]
pub struct HeaderInjector<'a>(pub &'a mut HeaderMap);

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            match standard(key) {
                Some(name) => self.0.remove(name),
                None => self.0.remove(key),
            };
            return;
        }
        let Ok(value) = HeaderValue::try_from(value) else {
            return;
        };
        match standard(key) {
            Some(name) => {
                self.0.insert(name, value);
            }
            None => {
                if let Ok(name) = HeaderName::try_from(key) {
                    self.0.insert(name, value);
                }
            }
        }
    }

    fn reserve(&mut self, additional: usize) {
        // A map at its maximum size stays as it is.
        let _ = self.0.try_reserve(additional);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn the_first_readable_value_is_the_value() {
        let map = headers(&[
            ("baggage", b"\xff"),
            ("baggage", b"a=1"),
            ("baggage", b"b=2"),
            ("x-trace", b"7"),
        ]);
        let extractor = HeaderExtractor(&map);
        assert_eq!(extractor.get("baggage"), Some("a=1"));
        assert_eq!(extractor.get("Baggage"), Some("a=1"));
        assert_eq!(extractor.get_all("baggage"), Some(vec!["a=1", "b=2"]));
        assert_eq!(extractor.get("X-Trace"), Some("7"));
        assert_eq!(extractor.get("b3"), None);
        assert_eq!(extractor.get_all("b3"), None);
        assert_eq!(extractor.get("not a name"), None);
        assert_eq!(extractor.keys(), ["baggage", "x-trace"]);
    }

    #[test]
    fn a_repeated_traceparent_is_absent() {
        let map = headers(&[("traceparent", b"a"), ("traceparent", b"b")]);
        assert_eq!(HeaderExtractor(&map).get("traceparent"), None);
        assert_eq!(
            HeaderExtractor(&map).get_all("traceparent"),
            Some(vec!["a", "b"])
        );
    }

    #[test]
    fn setting_replaces_all_values_and_keeps_foreign_headers() {
        let mut map = headers(&[("baggage", b"a=1"), ("baggage", b"b=2"), ("accept", b"*/*")]);
        let mut injector = HeaderInjector(&mut map);
        injector.set("baggage", "c=3".to_owned());
        injector.set("X-Custom", "7".to_owned());
        assert_eq!(
            map,
            headers(&[("accept", b"*/*"), ("baggage", b"c=3"), ("x-custom", b"7")])
        );
    }

    #[test]
    fn an_empty_value_removes_the_header() {
        let mut map = headers(&[
            ("tracestate", b"a=1"),
            ("tracestate", b"b=2"),
            ("x-custom", b"7"),
        ]);
        let mut injector = HeaderInjector(&mut map);
        injector.set("tracestate", String::new());
        injector.set("X-Custom", String::new());
        injector.set("baggage", String::new());
        assert_eq!(map, HeaderMap::new());
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_ignored() {
        let mut map = headers(&[("baggage", b"a=1")]);
        let mut injector = HeaderInjector(&mut map);
        injector.set("baggage", "line\r\nbreak".to_owned());
        injector.set("not a name", "1".to_owned());
        injector.set("", "1".to_owned());
        assert_eq!(map, headers(&[("baggage", b"a=1")]));
    }
}
