//! What samplers see when a span starts.

use std::fmt;
use std::sync::Arc;

use opentelemetry::trace::{Link, SpanId, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::diff::{Found, write_fields};
use crate::span::{kind_text, parent_text};
use crate::store::Store;
use crate::value::{Attributes, Repetition, Value, collect, pairs};

/// A span as the sampler saw it: only what was known at its start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StartedSpan {
    /// The name at the start.
    pub name: String,
    /// The kind.
    pub kind: SpanKind,
    /// The trace.
    pub trace_id: TraceId,
    /// The id of the parent, unless it is a root.
    pub parent_span_id: Option<SpanId>,
    /// Whether the parent came from another process.
    pub parent_is_remote: bool,
    /// The attributes given at the start.
    pub attributes: Attributes,
    /// The number of links given at the start.
    pub links: usize,
    /// Whether the sampler decided to sample it.
    pub sampled: bool,
}

impl StartedSpan {
    /// The value of the attribute `key` at the start.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.get(key)
    }

    fn fields(&self) -> Vec<Found> {
        let parent = match self.parent_span_id {
            None => "none".to_owned(),
            Some(parent) => parent_text(self.trace_id, parent, self.parent_is_remote),
        };
        let mut fields = vec![
            ("name".to_owned(), format!("{:?}", self.name)),
            ("kind".to_owned(), kind_text(&self.kind).to_owned()),
            ("parent".to_owned(), parent),
            ("sampled".to_owned(), self.sampled.to_string()),
        ];
        for (key, value) in &self.attributes {
            fields.push((format!("attribute {key}"), value.described()));
        }
        fields
    }
}

impl fmt::Display for StartedSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_fields(formatter, "started span", &self.fields())
    }
}

/// A started span together with what was set twice; whether that is wrong is decided where a test reads it.
#[derive(Clone, Debug)]
pub(crate) struct StartedRecord {
    pub(crate) span: StartedSpan,
    pub(crate) repetitions: Vec<Repetition>,
}

/// Asks another sampler and keeps what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct RecordingSampler {
    pub(crate) inner: Box<dyn ShouldSample>,
    pub(crate) store: Arc<Store>,
}

impl ShouldSample for RecordingSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let result =
            self.inner
                .should_sample(parent_context, trace_id, name, span_kind, attributes, links);
        let parent = parent_context
            .map(|context| context.span().span_context().clone())
            .filter(|parent| parent.is_valid());
        let mut repetitions = Vec::new();
        let owner = format!("the start of span {name:?}");
        let attributes = collect(&owner, pairs(attributes), &mut repetitions);
        self.store.add_started(StartedRecord {
            span: StartedSpan {
                name: name.to_owned(),
                kind: span_kind.clone(),
                trace_id,
                parent_span_id: parent.as_ref().map(|parent| parent.span_id()),
                parent_is_remote: parent.is_some_and(|parent| parent.is_remote()),
                attributes,
                links: links.len(),
                sampled: result.decision == SamplingDecision::RecordAndSample,
            },
            repetitions,
        });
        result
    }
}
