//! The order and indentation of a trace's spans: preorder, with a stand-in for each parent that is not at hand.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::trace::SpanData;

/// Deeper spans are drawn at this depth: it bounds the width, and so the size, of the text.
const MAXIMUM_DEPTH: usize = 32;

/// What stands on one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node<'a> {
    /// A parent that has not been exported here.
    Missing(SpanId),
    Span(&'a SpanData),
}

/// One line of the drawing.
#[derive(Debug, PartialEq)]
pub(super) struct Row<'a> {
    pub(super) node: Node<'a>,
    /// The branch that leads to the name.
    pub(super) branch: String,
    /// The branches that pass by the lines which belong to this one.
    pub(super) margin: String,
    /// The parent in another process, where the span is the first of this one.
    pub(super) remote_parent: Option<SpanId>,
}

/// Lays out all `spans`; siblings stand in the order in which they started.
pub(super) fn rows(spans: &[SpanData]) -> Vec<Row<'_>> {
    draw(&preorder(spans))
}

fn preorder(spans: &[SpanData]) -> Vec<(usize, Node<'_>)> {
    let mut sorted: Vec<&SpanData> = spans.iter().collect();
    sorted.sort_by_key(|span| span.start_time);
    let present: HashSet<SpanId> = spans
        .iter()
        .map(|span| span.span_context.span_id())
        .collect();
    let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
    let mut roots = Vec::new();
    for span in &sorted {
        let parent = span.parent_span_id;
        let is_missing = !present.contains(&parent);
        if parent == SpanId::INVALID || (is_missing && span.parent_span_is_remote) {
            roots.push(Node::Span(span));
            continue;
        }
        let siblings = children.entry(parent).or_default();
        if is_missing && siblings.is_empty() {
            roots.push(Node::Missing(parent));
        }
        siblings.push(span);
    }

    let mut order = Vec::with_capacity(spans.len());
    for root in roots {
        visit(root, &mut children, &mut order);
    }
    // What no root leads to hangs in a circle of parents; malformed, but no reason to lose it.
    for span in sorted {
        let Some(siblings) = children.get_mut(&span.parent_span_id) else {
            continue;
        };
        if let Some(index) = siblings
            .iter()
            .position(|sibling| std::ptr::eq(*sibling, span))
        {
            siblings.remove(index);
            visit(Node::Span(span), &mut children, &mut order);
        }
    }
    order
}

/// Appends `root` and its descendants. Taking the children out of the map makes each appear once, and ends every circle.
fn visit<'a>(
    root: Node<'a>,
    children: &mut HashMap<SpanId, Vec<&'a SpanData>>,
    order: &mut Vec<(usize, Node<'a>)>,
) {
    let mut stack = vec![(0, root)];
    while let Some((depth, node)) = stack.pop() {
        order.push((depth, node));
        let id = match node {
            Node::Missing(id) => id,
            Node::Span(span) => span.span_context.span_id(),
        };
        let below = (depth + 1).min(MAXIMUM_DEPTH);
        let next = children.remove(&id).unwrap_or_default();
        stack.extend(
            next.into_iter()
                .rev()
                .map(|child| (below, Node::Span(child))),
        );
    }
}

/// Draws from the last line upwards: a branch goes on at a depth if a line below still ends there.
fn draw<'a>(order: &[(usize, Node<'a>)]) -> Vec<Row<'a>> {
    let mut open: Vec<bool> = Vec::new();
    let mut rows: Vec<Row<'a>> = Vec::with_capacity(order.len());
    for &(depth, node) in order.iter().rev() {
        let has_children = open.get(depth + 1).is_some_and(|is_open| *is_open);
        open.resize(depth + 1, false);
        let passing: String = open
            .iter()
            .take(depth)
            .map(|is_open| bar(*is_open))
            .collect();
        let has_next = open.get(depth).is_some_and(|is_open| *is_open);
        rows.push(Row {
            node,
            branch: format!("{passing}{}", if has_next { "├─ " } else { "└─ " }),
            margin: format!("{passing}{}{}", bar(has_next), bar(has_children)),
            remote_parent: if depth == 0 {
                remote_parent(node)
            } else {
                None
            },
        });
        if let Some(is_open) = open.last_mut() {
            *is_open = true;
        }
    }
    rows.reverse();
    rows
}

fn remote_parent(node: Node<'_>) -> Option<SpanId> {
    match node {
        Node::Span(span)
            if span.parent_span_is_remote && span.parent_span_id != SpanId::INVALID =>
        {
            Some(span.parent_span_id)
        }
        Node::Span(_) | Node::Missing(_) => None,
    }
}

fn bar(is_open: bool) -> &'static str {
    if is_open { "│  " } else { "   " }
}
