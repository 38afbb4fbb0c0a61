//! Headers of messages as carriers of context.

use crate::native;
use otelware::opentelemetry::propagation::{Extractor, Injector};
use rdkafka::message::{BorrowedHeaders, Header, OwnedHeaders};
use std::ffi::{CStr, CString};

/// Reads context out of the headers of a message.
///
/// Names are compared byte by byte. Of a repeated header the last value counts, as in Java's
/// client; `get_all` gives all of them, for `tracestate` and `baggage`. Values that are null or not
/// UTF-8 count as absent, and names that are not UTF-8 do no harm (rdkafka's own iterator panics).
///
/// ```
/// use otelware_rdkafka::{HeaderExtractor, HeaderInjector};
/// use otelware_rdkafka::otelware::opentelemetry::propagation::{Extractor, Injector};
///
/// let mut headers = None;
/// HeaderInjector(&mut headers).set("traceparent", "00-…".to_owned());
/// let headers = headers.unwrap_or_default();
/// assert_eq!(HeaderExtractor(headers.as_borrowed()).get("traceparent"), Some("00-…"));
/// ```
#[derive(Clone, Copy)]
pub struct HeaderExtractor<'a>(pub &'a BorrowedHeaders);

/// Writes context into the headers of a message. What a field had before is replaced, and an empty
/// value removes it. Other headers stay as they are.
pub struct HeaderInjector<'a>(pub &'a mut Option<OwnedHeaders>);

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = with_name(key, |name| native::last_header(self.0, name))?;
        text(value)
    }

    fn keys(&self) -> Vec<&str> {
        let names = native::all_headers(self.0).map(|(name, _)| name);
        names.filter_map(|name| name.to_str().ok()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> = with_name(key, |name| {
            // Mostly there is none.
            native::last_header(self.0, name)?;
            // One pass over all: librdkafka begins anew for each value of a name.
            let values = native::all_headers(self.0).filter(|(other, _)| *other == name);
            Some(values.filter_map(|(_, value)| text(value)).collect())
        })?;
        (!values.is_empty()).then_some(values)
    }
}

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let Some(headers) = self.0 {
            let _no_name = with_name(key, |name| {
                native::remove_headers(headers, name);
                Some(())
            });
        }
        if value.is_empty() || key.contains('\0') {
            return;
        }
        let headers = self.0.take().unwrap_or_default();
        let value = Some(value.as_str());
        *self.0 = Some(headers.insert(Header { key, value }));
    }
}

impl std::fmt::Debug for HeaderExtractor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HeaderExtractor").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HeaderInjector<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HeaderInjector").finish_non_exhaustive()
    }
}

fn text(value: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(value?).ok()
}

/// The longest name that needs no memory of its own, with the null byte at its end.
const SHORT: usize = 48;

/// Runs `use_it` with the name as the C library wants it; names with a null byte in them are names
/// of no header.
fn with_name<T>(name: &str, use_it: impl FnOnce(&CStr) -> Option<T>) -> Option<T> {
    // The names that are asked for with every message are ready.
    match name {
        "traceparent" => return use_it(c"traceparent"),
        "tracestate" => return use_it(c"tracestate"),
        "baggage" => return use_it(c"baggage"),
        _ => {}
    }
    let mut short = [0; SHORT];
    if name.len() >= SHORT {
        return use_it(&CString::new(name).ok()?);
    }
    short
        .get_mut(..name.len())?
        .copy_from_slice(name.as_bytes());
    use_it(CStr::from_bytes_with_nul(short.get(..=name.len())?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::Headers;
    use std::time::{Duration, Instant};

    type Pair<'h> = (&'h str, Option<&'h [u8]>);

    fn headers(pairs: &[Pair<'_>]) -> OwnedHeaders {
        pairs
            .iter()
            .fold(OwnedHeaders::new(), |headers, &(key, value)| {
                headers.insert(Header { key, value })
            })
    }

    fn pairs(headers: &OwnedHeaders) -> Vec<Pair<'_>> {
        let pairs = headers.iter();
        pairs.map(|header| (header.key, header.value)).collect()
    }

    #[test]
    fn a_name_is_a_c_string_unless_it_has_a_null_byte() {
        // Without the C library, so that Miri can run it.
        let seen = |name: &str| with_name(name, |name| Some(name.to_bytes().to_vec()));
        let long = |length| "n".repeat(length);
        let lengths = [0, 1, SHORT - 1, SHORT, SHORT + 1].map(long);
        let known = ["traceparent", "tracestate", "baggage"].map(str::to_owned);
        for name in lengths.iter().chain(&known) {
            assert_eq!(seen(name), Some(name.as_bytes().to_vec()));
            assert_eq!(seen(&format!("{name}\0")), None);
            assert_eq!(seen(&format!("\0{name}")), None);
        }
    }

    #[test]
    fn the_last_value_counts_and_all_are_there() {
        let headers = headers(&[
            ("a", Some(b"1")),
            ("b", None),
            ("a", Some(&[0xff])),
            ("a", None),
            ("a", Some(b"2")),
            ("c", Some(b"3")),
            ("c", Some(&[0xff])),
            ("d", Some(b"")),
        ]);
        let extractor = HeaderExtractor(headers.as_borrowed());
        assert_eq!(extractor.get("a"), Some("2"));
        assert_eq!(extractor.get_all("a"), Some(vec!["1", "2"]));
        // Null, not UTF-8, empty, absent, in another case, cut.
        assert_eq!((extractor.get("b"), extractor.get_all("b")), (None, None));
        assert_eq!(extractor.get("c"), None);
        assert_eq!(extractor.get_all("c"), Some(vec!["3"]));
        assert_eq!(extractor.get("d"), Some(""));
        for absent in ["e", "A", "", "a\0", "aa"] {
            assert_eq!(extractor.get(absent), None, "{absent}");
            assert_eq!(extractor.get_all(absent), None, "{absent}");
        }
        assert_eq!(extractor.keys(), ["a", "b", "a", "a", "a", "c", "c", "d"]);
    }

    /// As many headers as librdkafka reads of a message, and no time that reading or changing them
    /// takes if each is looked at a few times; if all are for each, it takes a hundred times that.
    fn very_many(pair: impl Fn(u32) -> Pair<'static>) -> (OwnedHeaders, Duration) {
        let since = Instant::now();
        let pairs: Vec<_> = (0..100_000).map(pair).collect();
        let list = headers(&pairs);
        (list, (20 * since.elapsed()).max(Duration::from_secs(2)))
    }

    #[test]
    fn very_many_values_are_read_in_one_pass() {
        let (many, limit) = very_many(|_| ("baggage", Some(b"a")));
        let extractor = HeaderExtractor(many.as_borrowed());
        let since = Instant::now();
        let values = extractor.get_all("baggage");
        let took = since.elapsed();
        assert_eq!(values.map(|values| values.len()), Some(100_000));
        assert!(took < limit, "{took:?}");
    }

    #[test]
    fn very_many_headers_are_removed_in_one_pass() {
        let (many, limit) = very_many(|number| match number % 2 {
            0 => ("t", Some(b"old")),
            _ => ("mine", None),
        });
        let mut many = Some(many);
        let since = Instant::now();
        HeaderInjector(&mut many).set("t", "new".to_owned());
        let took = since.elapsed();
        let mut expected = vec![("mine", None); 50_000];
        expected.push(("t", Some(&b"new"[..])));
        assert_eq!(many.as_ref().map(pairs), Some(expected));
        assert!(took < limit, "{took:?}");
    }

    #[test]
    fn a_long_name_is_a_name_too() {
        for length in [SHORT - 1, SHORT, SHORT + 1, 1_000] {
            let name = "n".repeat(length);
            let mut headers = None;
            HeaderInjector(&mut headers).set(&name, "1".to_owned());
            HeaderInjector(&mut headers).set(&name, "2".to_owned());
            let headers = headers.unwrap_or_default();
            assert_eq!(pairs(&headers), [(name.as_str(), Some(&b"2"[..]))]);
            let extractor = HeaderExtractor(headers.as_borrowed());
            assert_eq!(extractor.get(&name), Some("2"));
        }
    }

    #[test]
    fn a_field_is_replaced_and_the_rest_stays() {
        let mut list = Some(headers(&[
            ("t", Some(b"old")),
            ("mine", None),
            ("t", Some(b"older")),
            ("mine", Some(b"")),
        ]));
        let mut injector = HeaderInjector(&mut list);
        injector.set("t", "new".to_owned());
        injector.set("absent", String::new());
        injector.set("a\0b", "x".to_owned());
        let expected: [(_, Option<&[u8]>); 3] =
            [("mine", None), ("mine", Some(b"")), ("t", Some(b"new"))];
        assert_eq!(list.as_ref().map(pairs), Some(expected.to_vec()));
        HeaderInjector(&mut list).set("t", String::new());
        assert_eq!(list.as_ref().map(pairs), Some(expected[..2].to_vec()));
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        let mut list = None;
        HeaderInjector(&mut list).set("t", String::new());
        assert!(list.is_none());
    }
}
