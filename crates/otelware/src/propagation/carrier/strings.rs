//! Carriers of text: maps and lists of pairs.

use std::collections::HashMap;
use std::hash::BuildHasher;

use opentelemetry::propagation::{Extractor, Injector};

use super::{all_of, value_of};

/// Reads fields from a map, whatever the case of its keys.
///
/// `HashMap` is an [`Extractor`] itself, which finds only keys in lower case.
#[derive(Debug)]
pub struct MapExtractor<'a, S>(pub &'a HashMap<String, String, S>);

impl<S: BuildHasher> MapExtractor<'_, S> {
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }
}

impl<S: BuildHasher> Extractor for MapExtractor<'_, S> {
    fn get(&self, key: &str) -> Option<&str> {
        value_of(key, self.values(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        all_of(self.values(key))
    }
}

/// Writes fields into a map, replacing keys of any case.
///
/// `HashMap` is an [`Injector`] itself, which also writes empty values.
#[derive(Debug)]
pub struct MapInjector<'a, S>(pub &'a mut HashMap<String, String, S>);

impl<S: BuildHasher> Injector for MapInjector<'_, S> {
    fn set(&mut self, key: &str, value: String) {
        self.0.retain(|name, _| !name.eq_ignore_ascii_case(key));
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
    }
}

/// Reads fields from a list of names and values.
#[derive(Clone, Copy, Debug)]
pub struct PairsExtractor<'a>(pub &'a [(String, String)]);

impl PairsExtractor<'_> {
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }
}

impl Extractor for PairsExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        value_of(key, self.values(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        all_of(self.values(key))
    }
}

/// Writes fields into a list of names and values.
#[derive(Debug)]
pub struct PairsInjector<'a>(pub &'a mut Vec<(String, String)>);

impl Injector for PairsInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
        if !value.is_empty() {
            self.0.push((key.to_owned(), value));
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn names_of_any_case_are_found() {
        let list = pairs(&[("TraceParent", "a"), ("Baggage", "b=1"), ("baggage", "c=2")]);
        let extractor = PairsExtractor(&list);
        assert_eq!(extractor.get("traceparent"), Some("a"));
        assert_eq!(extractor.get("baggage"), Some("b=1"));
        assert_eq!(extractor.get_all("BAGGAGE"), Some(vec!["b=1", "c=2"]));
        assert_eq!(extractor.get("tracestate"), None);
        assert_eq!(extractor.get_all("tracestate"), None);
        assert_eq!(extractor.keys(), ["TraceParent", "Baggage", "baggage"]);

        let map: HashMap<_, _> = pairs(&[("TraceParent", "a")]).into_iter().collect();
        let extractor = MapExtractor(&map);
        assert_eq!(extractor.get("traceparent"), Some("a"));
        assert_eq!(extractor.get_all("traceparent"), Some(vec!["a"]));
        assert_eq!(extractor.keys(), ["TraceParent"]);
    }

    #[test]
    fn a_repeated_traceparent_is_absent() {
        let list = pairs(&[("traceparent", "a"), ("Traceparent", "b")]);
        assert_eq!(PairsExtractor(&list).get("traceparent"), None);
        let map: HashMap<_, _> = list.into_iter().collect();
        assert_eq!(MapExtractor(&map).get("traceparent"), None);
    }

    #[test]
    fn fields_are_replaced_and_empty_ones_removed() {
        let mut list = pairs(&[
            ("Baggage", "old"),
            ("x-foreign", "1"),
            ("baggage", "older"),
            ("TraceState", "t"),
        ]);
        let mut injector = PairsInjector(&mut list);
        injector.set("baggage", "new".to_owned());
        injector.set("tracestate", String::new());
        injector.set("b3", String::new());
        assert_eq!(list, pairs(&[("x-foreign", "1"), ("baggage", "new")]));

        let mut map: HashMap<_, _> =
            pairs(&[("Baggage", "old"), ("x-foreign", "1"), ("TraceState", "t")])
                .into_iter()
                .collect();
        let mut injector = MapInjector(&mut map);
        injector.set("baggage", "new".to_owned());
        injector.set("tracestate", String::new());
        let expected: HashMap<_, _> = pairs(&[("x-foreign", "1"), ("baggage", "new")])
            .into_iter()
            .collect();
        assert_eq!(map, expected);
    }
}
