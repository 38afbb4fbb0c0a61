//! The limit on the length of attribute values, which the SDK does not have.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// Cuts every string among the attributes of a span, its events and its links to `length` characters
/// (specification, "Common": Attribute Limits).
pub(super) fn truncate_span(span: &mut SpanData, length: usize) {
    truncate_all(&mut span.attributes, length);
    for event in &mut span.events.events {
        truncate_all(&mut event.attributes, length);
    }
    for link in &mut span.links.links {
        truncate_all(&mut link.attributes, length);
    }
}

fn truncate_all(attributes: &mut [KeyValue], length: usize) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => truncate(text, length),
            Value::Array(Array::String(texts)) => {
                texts.iter_mut().for_each(|text| truncate(text, length));
            }
            _ => {}
        }
    }
}

fn truncate(text: &mut StringValue, length: usize) {
    // No character is shorter than a byte: most values need no look at their characters.
    if text.as_str().len() <= length {
        return;
    }
    if let Some((end, _)) = text.as_str().char_indices().nth(length)
        && let Some(kept) = text.as_str().get(..end)
    {
        *text = kept.to_owned().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_arrays_of_strings_are_cut_at_characters() {
        let texts = |texts: [&'static str; 2]| {
            Value::Array(Array::String(texts.map(StringValue::from).to_vec()))
        };
        let mut attributes = vec![
            KeyValue::new("ascii", "abcdef"),
            KeyValue::new("short", "abc"),
            KeyValue::new("wide", "äöüß"),
            KeyValue::new("number", 123_456),
            KeyValue::new("texts", texts(["abcd", "a"])),
        ];
        truncate_all(&mut attributes, 3);
        assert_eq!(
            attributes,
            [
                KeyValue::new("ascii", "abc"),
                KeyValue::new("short", "abc"),
                KeyValue::new("wide", "äöü"),
                KeyValue::new("number", 123_456),
                KeyValue::new("texts", texts(["abc", "a"])),
            ]
        );
        truncate_all(&mut attributes, 0);
        assert_eq!(attributes.first(), Some(&KeyValue::new("ascii", "")));
    }
}
