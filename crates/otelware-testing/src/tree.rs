//! Traces as indented text.

use std::fmt::Write;

use crate::span::{Span, kind_text};

/// The spans as trees, one `KIND name` per line, children indented by two spaces below their parent.
///
/// Siblings and roots come in the order they started; of those that started together, the first to end comes first. A span whose
/// parent is not among `spans` is a root.
pub fn tree(spans: &[Span]) -> String {
    let mut ordered: Vec<&Span> = spans.iter().collect();
    ordered.sort_by_key(|span| span.start_time);
    let mut text = String::new();
    for root in ordered
        .iter()
        .filter(|span| parent(span, &ordered).is_none())
    {
        write_branch(&mut text, root, &ordered, 0);
    }
    text
}

fn parent<'a>(span: &Span, spans: &[&'a Span]) -> Option<&'a Span> {
    let id = span.parent_span_id?;
    spans
        .iter()
        .find(|other| other.span_id == id && other.trace_id == span.trace_id)
        .copied()
}

fn write_branch(text: &mut String, span: &Span, spans: &[&Span], depth: usize) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:indent$}{} {}",
        "",
        kind_text(&span.kind),
        span.name,
        indent = depth * 2
    );
    for child in spans.iter().filter(|other| {
        other.trace_id == span.trace_id && other.parent_span_id == Some(span.span_id)
    }) {
        write_branch(text, child, spans, depth + 1);
    }
}
