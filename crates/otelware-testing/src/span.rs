//! Captured spans.

use std::fmt;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId};
use opentelemetry_sdk::trace::SpanData;

use crate::diff::{Found, assert_same, write_fields};
use crate::expect_span::ExpectedSpan;
use crate::remote::{SpanIdentity, parsed, traceparent};
use crate::scope::Scope;
use crate::value::{Attributes, Repetition, Value, assert_no_repetition, collect, inline, pairs};

/// A finished, sampled span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// The name at its end.
    pub name: String,
    /// The kind.
    pub kind: SpanKind,
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The id of the parent, unless it is a root.
    pub parent_span_id: Option<SpanId>,
    /// Whether the parent came from another process.
    pub parent_is_remote: bool,
    /// The trace flags: bit 0 sampled, bit 1 random.
    pub flags: u8,
    /// The trace state as its header would read; empty if there is none.
    pub trace_state: String,
    /// The status.
    pub status: Status,
    /// The attributes, each set once.
    pub attributes: Attributes,
    /// The links in the order they were added.
    pub links: Vec<Link>,
    /// The events in the order they were added.
    pub events: Vec<Event>,
    /// When it started.
    pub start_time: SystemTime,
    /// When it ended.
    pub end_time: SystemTime,
    /// The attributes dropped by the limits of the SDK.
    pub dropped_attributes: u32,
    /// The links dropped by the limits of the SDK.
    pub dropped_links: u32,
    /// The events dropped by the limits of the SDK.
    pub dropped_events: u32,
    /// The instrumentation that made it.
    pub scope: Scope,
}

/// A link of a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Link {
    /// The trace of the linked span.
    pub trace_id: TraceId,
    /// The id of the linked span.
    pub span_id: SpanId,
    /// The trace flags of the linked span.
    pub flags: u8,
    /// The trace state of the linked span.
    pub trace_state: String,
    /// The attributes of the link.
    pub attributes: Attributes,
}

/// An event of a span.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The name.
    pub name: String,
    /// When it happened.
    pub time: SystemTime,
    /// The attributes.
    pub attributes: Attributes,
}

impl Span {
    /// Converts what the SDK exported.
    ///
    /// # Panics
    ///
    /// If an attribute of the span, of a link or of an event is set more than once.
    #[track_caller]
    pub(crate) fn strict(data: &SpanData) -> Self {
        let mut repetitions = Vec::new();
        let span = Self::lenient(data, &mut repetitions);
        assert_no_repetition(&repetitions);
        span
    }

    /// Converts what the SDK exported; attributes set more than once go to `repetitions`.
    pub(crate) fn lenient(data: &SpanData, repetitions: &mut Vec<Repetition>) -> Self {
        let owner = format!("span {:?}", data.name);
        let attributes = collect(&owner, pairs(&data.attributes), repetitions);
        let mut links = Vec::with_capacity(data.links.len());
        for link in data.links.iter() {
            links.push(Link {
                trace_id: link.span_context.trace_id(),
                span_id: link.span_context.span_id(),
                flags: link.span_context.trace_flags().to_u8(),
                trace_state: link.span_context.trace_state().header(),
                attributes: collect(
                    &format!("a link of {owner}"),
                    pairs(&link.attributes),
                    repetitions,
                ),
            });
        }
        let mut events = Vec::with_capacity(data.events.len());
        for event in data.events.iter() {
            events.push(Event {
                name: event.name.to_string(),
                time: event.timestamp,
                attributes: collect(
                    &format!("event {:?} of {owner}", event.name),
                    pairs(&event.attributes),
                    repetitions,
                ),
            });
        }
        Self {
            name: data.name.to_string(),
            kind: data.span_kind.clone(),
            trace_id: data.span_context.trace_id(),
            span_id: data.span_context.span_id(),
            parent_span_id: Some(data.parent_span_id).filter(|id| *id != SpanId::INVALID),
            parent_is_remote: data.parent_span_is_remote,
            flags: data.span_context.trace_flags().to_u8(),
            trace_state: data.span_context.trace_state().header(),
            status: data.status.clone(),
            attributes,
            links,
            events,
            start_time: data.start_time,
            end_time: data.end_time,
            dropped_attributes: data.dropped_attributes_count,
            dropped_links: data.links.dropped_count,
            dropped_events: data.events.dropped_count,
            scope: Scope::from(&data.instrumentation_scope),
        }
    }

    /// From start to end; zero if the end is before the start, which [`Span::assert`] reports.
    pub fn duration(&self) -> Duration {
        self.end_time
            .duration_since(self.start_time)
            .unwrap_or_default()
    }

    /// The value of the attribute `key`.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.attributes.get(key)
    }

    /// The `traceparent` header that a call made in this span must carry.
    pub fn traceparent(&self) -> String {
        traceparent(self.trace_id, self.span_id, self.flags)
    }

    /// Compares the whole span with `expected`.
    ///
    /// # Panics
    ///
    /// If they differ, listing every difference.
    #[track_caller]
    pub fn assert(&self, expected: impl AsRef<ExpectedSpan>) {
        let subject = format!("span {:?}", self.name);
        assert_same(&subject, &expected.as_ref().fields(), &self.fields(), self);
    }

    pub(crate) fn fields(&self) -> Vec<Found> {
        let parent = match self.parent_span_id {
            None => "none".to_owned(),
            Some(parent) => parent_text(self.trace_id, parent, self.parent_is_remote),
        };
        let mut fields = vec![
            ("name".to_owned(), format!("{:?}", self.name)),
            ("kind".to_owned(), kind_text(&self.kind).to_owned()),
            ("parent".to_owned(), parent),
            ("status".to_owned(), status_text(&self.status)),
            ("scope".to_owned(), self.scope.to_string()),
            ("flags".to_owned(), format!("{:02x}", self.flags)),
            ("trace state".to_owned(), format!("{:?}", self.trace_state)),
        ];
        for (key, value) in &self.attributes {
            fields.push((format!("attribute {key}"), value.described()));
        }
        for (index, link) in self.links.iter().enumerate() {
            let text = link_text(
                link.trace_id,
                link.span_id,
                &link.trace_state,
                &link.attributes,
            );
            fields.push((format!("link {}", index + 1), text));
        }
        for (index, event) in self.events.iter().enumerate() {
            let text = event_text(&event.name, &event.attributes);
            fields.push((format!("event {}", index + 1), text));
        }
        for (what, count) in [
            ("dropped attributes", self.dropped_attributes),
            ("dropped links", self.dropped_links),
            ("dropped events", self.dropped_events),
        ] {
            if count > 0 {
                fields.push((what.to_owned(), count.to_string()));
            }
        }
        if self.end_time < self.start_time {
            fields.push(("end".to_owned(), "before its start".to_owned()));
        }
        fields
    }
}

impl SpanIdentity for Span {
    fn span_context(&self) -> SpanContext {
        let flags = TraceFlags::new(self.flags);
        SpanContext::new(
            self.trace_id,
            self.span_id,
            flags,
            false,
            parsed(&self.trace_state),
        )
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!(
            "span {}-{}, {:?}",
            self.trace_id,
            self.span_id,
            self.duration()
        );
        write_fields(formatter, &title, &self.fields())
    }
}

pub(crate) fn kind_text(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "CLIENT",
        SpanKind::Server => "SERVER",
        SpanKind::Producer => "PRODUCER",
        SpanKind::Consumer => "CONSUMER",
        SpanKind::Internal => "INTERNAL",
    }
}

pub(crate) fn parent_text(trace_id: TraceId, span_id: SpanId, remote: bool) -> String {
    let place = if remote { "remote" } else { "local" };
    format!("{trace_id}-{span_id} ({place})")
}

pub(crate) fn status_text(status: &Status) -> String {
    match status {
        Status::Unset => "unset".to_owned(),
        Status::Ok => "ok".to_owned(),
        Status::Error { description } if description.is_empty() => "error".to_owned(),
        Status::Error { description } => format!("error {description:?}"),
    }
}

pub(crate) fn link_text(
    trace_id: TraceId,
    span_id: SpanId,
    trace_state: &str,
    attributes: &Attributes,
) -> String {
    let attributes = inline(attributes);
    if trace_state.is_empty() {
        format!("{trace_id}-{span_id} {attributes}")
    } else {
        format!("{trace_id}-{span_id} {attributes}, trace state {trace_state:?}")
    }
}

pub(crate) fn event_text(name: &str, attributes: &Attributes) -> String {
    format!("{name:?} {}", inline(attributes))
}
