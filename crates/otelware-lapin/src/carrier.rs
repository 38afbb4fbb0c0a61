//! Header tables as carriers of context.

use lapin::types::{AMQPValue, FieldTable, ShortString};
use otelware::opentelemetry::propagation::{Extractor, Injector};
use otelware::propagation::only;
use std::collections::BTreeMap;

/// The one field that must not be repeated.
const TRACEPARENT: &str = "traceparent";

/// Reads fields from the headers of a message, whatever the case of their names: long strings,
/// short strings, byte arrays that are UTF-8, and arrays of them. All other types are passed over.
#[derive(Clone, Copy, Debug)]
pub struct HeaderExtractor<'a>(pub &'a FieldTable);

impl<'a> HeaderExtractor<'a> {
    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .inner()
            .iter()
            .filter(move |(name, _)| name.as_str().eq_ignore_ascii_case(key))
            .flat_map(|(_, value)| match value {
                AMQPValue::FieldArray(values) => values.as_slice(),
                value => std::slice::from_ref(value),
            })
            .filter_map(text)
    }
}

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key.eq_ignore_ascii_case(TRACEPARENT) {
            true => only(self.values(key)),
            false => self.values(key).next(),
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.0.inner().keys().map(ShortString::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> = self.values(key).collect();
        (!values.is_empty()).then_some(values)
    }
}

/// The text of a value that is one.
pub(crate) fn text(value: &AMQPValue) -> Option<&str> {
    match value {
        AMQPValue::LongString(text) => str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        AMQPValue::ByteArray(bytes) => str::from_utf8(bytes.as_slice()).ok(),
        _ => None,
    }
}

/// Writes fields into the headers of a message as long strings, in the place of those whose names
/// differ by case only. An empty value removes a field.
#[derive(Debug)]
pub struct HeaderInjector<'a>(pub &'a mut FieldTable);

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let mut headers = Headers::of(Some(self.0));
        headers.set(key, value);
        if let Some(changed) = headers.changed() {
            *self.0 = changed;
        }
    }
}

/// The headers of a message that is being published. The table gives none of its entries back and
/// is only lent, so that it is copied with the first change.
#[derive(Debug)]
pub(crate) struct Headers<'a> {
    lent: Option<&'a FieldTable>,
    changed: Option<BTreeMap<ShortString, AMQPValue>>,
}

impl<'a> Headers<'a> {
    /// Those that the message has.
    pub(crate) const fn of(lent: Option<&'a FieldTable>) -> Self {
        Self {
            lent,
            changed: None,
        }
    }

    /// What is to take their place, if anything.
    pub(crate) fn changed(self) -> Option<FieldTable> {
        self.changed.map(FieldTable::from)
    }
}

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let is_key = |name: &ShortString| name.as_str().eq_ignore_ascii_case(key);
        let lent = self.lent.map(FieldTable::inner);
        // Nothing is to be removed of headers that are not there.
        let is_there = || lent.is_some_and(|lent| lent.keys().any(is_key));
        if value.is_empty() && self.changed.is_none() && !is_there() {
            return;
        }
        let copied = || lent.cloned().unwrap_or_default();
        let headers = self.changed.get_or_insert_with(copied);
        headers.retain(|name, _| !is_key(name));
        // No name of a header is longer than 255 bytes.
        if !value.is_empty()
            && let Ok(name) = ShortString::try_new(key)
        {
            headers.insert(name, AMQPValue::LongString(value.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::{ByteArray, FieldArray};

    fn table(entries: Vec<(&str, AMQPValue)>) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in entries {
            table.insert(name.into(), value);
        }
        table
    }

    #[test]
    fn text_of_every_type_is_read_and_the_rest_is_passed_over() {
        let array: Vec<AMQPValue> = vec![
            AMQPValue::LongString("a=1".into()),
            AMQPValue::Void,
            AMQPValue::ShortString("b=2".into()),
        ];
        let table = table(vec![
            ("long", AMQPValue::LongString("1".into())),
            ("SHORT", AMQPValue::ShortString("2".into())),
            ("bytes", AMQPValue::ByteArray(ByteArray::from(&b"3"[..]))),
            ("binary", AMQPValue::ByteArray(ByteArray::from(&[255][..]))),
            ("latin", AMQPValue::LongString(vec![0xe9].into())),
            ("number", AMQPValue::LongInt(4)),
            ("void", AMQPValue::Void),
            ("table", AMQPValue::FieldTable(FieldTable::default())),
            ("array", AMQPValue::FieldArray(FieldArray::from(array))),
        ]);
        let headers = HeaderExtractor(&table);
        for (key, value) in [
            ("long", Some("1")),
            ("short", Some("2")),
            ("bytes", Some("3")),
            ("binary", None),
            ("latin", None),
            ("number", None),
            ("void", None),
            ("table", None),
            ("array", Some("a=1")),
            ("absent", None),
        ] {
            assert_eq!(headers.get(key), value, "{key}");
        }
        assert_eq!(headers.get_all("array"), Some(vec!["a=1", "b=2"]));
        assert_eq!(headers.get_all("number"), None);
    }

    #[test]
    fn a_repeated_traceparent_is_none() {
        let twice = table(vec![
            ("traceparent", AMQPValue::LongString("1".into())),
            ("Traceparent", AMQPValue::LongString("2".into())),
        ]);
        assert_eq!(HeaderExtractor(&twice).get("traceparent"), None);
    }

    #[test]
    fn fields_are_replaced_and_removed_and_the_rest_stays() {
        let kept = AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::Void]));
        let mut headers = table(vec![
            ("Traceparent", AMQPValue::ShortString("old".into())),
            ("tracestate", AMQPValue::LongString("old".into())),
            ("x-kept", kept.clone()),
        ]);
        let mut injector = HeaderInjector(&mut headers);
        injector.set("tracestate", String::new());
        injector.set("traceparent", "new".to_owned());
        injector.set(&"n".repeat(256), "too long".to_owned());
        assert_eq!(
            headers,
            table(vec![
                ("traceparent", AMQPValue::LongString("new".into())),
                ("x-kept", kept),
            ])
        );
    }
}
