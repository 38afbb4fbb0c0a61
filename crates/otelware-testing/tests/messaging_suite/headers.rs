//! Headers of messages.

use opentelemetry::propagation::{Extractor, Injector};

/// Names, and values that need be no text.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Vec<(String, Option<Vec<u8>>)>);

impl Headers {
    pub fn texts(&self) -> Vec<(String, String)> {
        let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone()?).ok();
        let texts = self.0.iter();
        texts
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect()
    }

    pub fn add(&mut self, name: &str, value: &str) {
        let value = value.as_bytes().to_vec();
        self.0.push((name.to_owned(), Some(value)));
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        std::str::from_utf8(value.as_ref()?).ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.remove(key);
        if !value.is_empty() {
            self.add(key, &value);
        }
    }
}
