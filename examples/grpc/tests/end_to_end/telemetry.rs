//! What was exported, in a form that compares well.

use std::collections::BTreeMap;

use otelware_testing::otlp::Received;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::{
    InstrumentationScope, KeyValue,
};
use otelware_testing::otlp::opentelemetry_proto::tonic::resource::v1::Resource;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind;

pub(crate) type Attributes = BTreeMap<String, Value>;

/// Attributes from OTLP; a key that occurs twice is a failure.
pub(crate) fn attributes(pairs: &[KeyValue]) -> Attributes {
    let mut all = Attributes::new();
    for pair in pairs {
        let value = pair.value.clone().unwrap().value.unwrap();
        let earlier = all.insert(pair.key.clone(), value);
        assert_eq!(earlier, None, "{} twice", pair.key);
    }
    all
}

pub(crate) fn expected<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

pub(crate) fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

pub(crate) fn number(value: impl Into<i64>) -> Value {
    Value::IntValue(value.into())
}

/// The name of a process's service.
pub(crate) fn service(resource: Option<&Resource>) -> String {
    match attributes(&resource.unwrap().attributes).remove("service.name") {
        Some(Value::StringValue(name)) => name,
        other => panic!("{other:?}"),
    }
}

/// Name, version and schema URL of a scope.
pub(crate) fn scope(scope: Option<&InstrumentationScope>, schema_url: &str) -> [String; 3] {
    let scope = scope.unwrap();
    [
        scope.name.clone(),
        scope.version.clone(),
        schema_url.to_owned(),
    ]
}

/// Everything in a span but its ids and times, and its place in the trace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpanSeen {
    /// How many spans are above it.
    pub(crate) depth: usize,
    pub(crate) service: String,
    pub(crate) scope: [String; 3],
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) flags: u32,
    pub(crate) trace_state: String,
    /// Code and message.
    pub(crate) status: (i32, String),
    pub(crate) attributes: Attributes,
    pub(crate) events: usize,
    pub(crate) links: usize,
}

/// The spans of each trace, parents before their children, those in the order of their starts.
pub(crate) fn traces(received: &Received) -> Vec<Vec<SpanSeen>> {
    let mut spans: Vec<(&Span, SpanSeen)> = Vec::new();
    for resource in received
        .traces
        .iter()
        .flat_map(|export| &export.resource_spans)
    {
        for scope_spans in &resource.scope_spans {
            let scope = scope(scope_spans.scope.as_ref(), &scope_spans.schema_url);
            let service = service(resource.resource.as_ref());
            let seen = |span| (span, span_seen(span, &service, &scope));
            spans.extend(scope_spans.spans.iter().map(seen));
        }
    }
    spans.sort_by_key(|(span, _)| span.start_time_unix_nano);
    let is_root = |span: &Span| !spans.iter().any(|(other, _)| is_parent(other, span));
    let mut traces: BTreeMap<&[u8], Vec<SpanSeen>> = BTreeMap::new();
    for (root, _) in spans.iter().filter(|(span, _)| is_root(span)) {
        let trace = traces.entry(&root.trace_id).or_default();
        add_with_children(root, 0, &spans, trace);
    }
    traces.into_values().collect()
}

fn is_parent(parent: &Span, child: &Span) -> bool {
    (&parent.trace_id, &parent.span_id) == (&child.trace_id, &child.parent_span_id)
}

fn add_with_children(
    span: &Span,
    depth: usize,
    spans: &[(&Span, SpanSeen)],
    trace: &mut Vec<SpanSeen>,
) {
    for (other, seen) in spans {
        if other.span_id == span.span_id {
            trace.push(SpanSeen {
                depth,
                ..seen.clone()
            });
        }
    }
    for (child, _) in spans.iter().filter(|(other, _)| is_parent(span, other)) {
        add_with_children(child, depth + 1, spans, trace);
    }
}

fn span_seen(span: &Span, service: &str, scope: &[String; 3]) -> SpanSeen {
    let status = span.status.clone().unwrap_or_default();
    SpanSeen {
        depth: 0,
        service: service.to_owned(),
        scope: scope.clone(),
        name: span.name.clone(),
        kind: span.kind(),
        flags: span.flags,
        trace_state: span.trace_state.clone(),
        status: (status.code, status.message),
        attributes: attributes(&span.attributes),
        events: span.events.len(),
        links: span.links.len(),
    }
}
