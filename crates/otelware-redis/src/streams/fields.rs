//! The context among the fields of an entry that was read.

use otelware::opentelemetry::propagation::Extractor;
use redis::Value;
use std::collections::HashMap;

/// The fields of an entry that are text. Names are compared without regard to case, those that are as
/// asked for first.
pub(super) struct EntryFields<'a>(pub(super) &'a HashMap<String, Value>);

impl Extractor for EntryFields<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).or_else(|| {
            let mut others = (self.0.iter()).filter(|(other, _)| other.eq_ignore_ascii_case(name));
            let (_, value) = others.next()?;
            // Nobody can say which one is meant.
            others.next().is_none().then_some(value)
        });
        value.and_then(text)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

/// The bytes of an entry's names and values.
pub(super) fn size(fields: &HashMap<String, Value>) -> usize {
    let of = |value: &Value| match value {
        Value::BulkString(bytes) => bytes.len(),
        value => text(value).map_or(0, str::len),
    };
    (fields.iter())
        .map(|(name, value)| name.len() + of(value))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_else_there_is() {
        let bytes = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let fields = HashMap::from([
            ("traceparent".to_owned(), bytes("a")),
            ("TraceParent".to_owned(), bytes("b")),
            ("Tracestate".to_owned(), Value::SimpleString("c".to_owned())),
            ("twice".to_owned(), bytes("d")),
            ("baggage".to_owned(), Value::BulkString(vec![0xff])),
            ("nil".to_owned(), Value::Nil),
            ("nested".to_owned(), Value::Array(vec![bytes("e")])),
            ("Both".to_owned(), bytes("f")),
            ("bOth".to_owned(), bytes("g")),
        ]);
        let found = EntryFields(&fields);
        for (name, value) in [
            ("traceparent", Some("a")),
            ("TraceParent", Some("b")),
            ("tracestate", Some("c")),
            ("TWICE", Some("d")),
            ("baggage", None),
            ("nil", None),
            ("nested", None),
            ("both", None),
            ("none", None),
        ] {
            assert_eq!(found.get(name), value, "{name}");
        }
        assert_eq!(found.keys().len(), 9);
        let few = HashMap::from([
            ("abc".to_owned(), bytes("de")),
            ("f".to_owned(), Value::Nil),
        ]);
        assert_eq!(size(&few), 6);
    }
}
