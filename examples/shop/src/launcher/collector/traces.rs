//! The traces that are to be shown, and those that have links to them.

use super::ServiceSpan;
use opentelemetry_proto::tonic::trace::v1::Span;
use otelware::opentelemetry::trace::TraceId;
use std::collections::{HashMap, VecDeque};

const MAXIMUM_TRACES: usize = 64;

/// The most spans that are kept of a trace.
const MAXIMUM_SPANS: usize = 1_000;

/// So many of the last spans are at hand for traces of which it shows later that they have a link.
const RECENT_SPANS: usize = 2_000;

#[derive(Default)]
pub(super) struct Traces {
    kept: HashMap<TraceId, Vec<ServiceSpan>>,
    /// By the traces that are to be shown: which have links to them.
    linked: HashMap<TraceId, Vec<TraceId>>,
    /// Of other traces.
    recent: VecDeque<ServiceSpan>,
}

impl Traces {
    pub(super) fn want(&mut self, trace: TraceId) {
        if self.kept.len() < MAXIMUM_TRACES {
            self.kept.entry(trace).or_default();
            self.linked.entry(trace).or_default();
        }
    }

    pub(super) fn accept(&mut self, span: ServiceSpan) {
        let trace = trace_id(&span.span.trace_id);
        if !self.linked.contains_key(&trace) && self.note_links(trace, &span.span) {
            self.keep(trace);
        }
        match self.kept.get_mut(&trace) {
            Some(spans) if spans.len() < MAXIMUM_SPANS => spans.push(span),
            Some(_) => {}
            None => {
                self.recent.push_back(span);
                if self.recent.len() > RECENT_SPANS {
                    self.recent.pop_front();
                }
            }
        }
    }

    pub(super) fn of(&self, trace: TraceId) -> &[ServiceSpan] {
        self.kept.get(&trace).map_or(&[], Vec::as_slice)
    }

    pub(super) fn linked(&self, trace: TraceId) -> &[TraceId] {
        self.linked.get(&trace).map_or(&[], Vec::as_slice)
    }

    /// Notes to which of the traces that are to be shown the span has links; whether there are any.
    fn note_links(&mut self, trace: TraceId, span: &Span) -> bool {
        let mut any = false;
        for link in &span.links {
            if let Some(linked) = self.linked.get_mut(&trace_id(&link.trace_id)) {
                any = true;
                if !linked.contains(&trace) && linked.len() < MAXIMUM_TRACES {
                    linked.push(trace);
                }
            }
        }
        any
    }

    /// Keeps a trace with those of its spans that came before.
    fn keep(&mut self, trace: TraceId) {
        if self.kept.contains_key(&trace) || self.kept.len() == MAXIMUM_TRACES {
            return;
        }
        let (mine, others) = std::mem::take(&mut self.recent)
            .into_iter()
            .partition(|recent: &ServiceSpan| trace_id(&recent.span.trace_id) == trace);
        self.recent = others;
        self.kept.insert(trace, Vec::from(mine));
    }
}

/// Of what is no id nothing is known.
pub(in crate::launcher) fn trace_id(bytes: &[u8]) -> TraceId {
    <[u8; 16]>::try_from(bytes).map_or(TraceId::INVALID, TraceId::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::trace::v1::span::Link;

    fn span(trace: u8, id: u8, links: &[u8]) -> ServiceSpan {
        let link = |linked: &u8| Link {
            trace_id: vec![*linked; 16],
            ..Link::default()
        };
        ServiceSpan {
            service: "orders".into(),
            span: Span {
                trace_id: vec![trace; 16],
                span_id: vec![id; 8],
                links: links.iter().map(link).collect(),
                ..Span::default()
            },
        }
    }

    fn id(trace: u8) -> TraceId {
        TraceId::from_bytes([trace; 16])
    }

    /// The first byte of the ids of a trace's spans, in their order.
    fn kept(traces: &Traces, trace: u8) -> Vec<u8> {
        let spans = traces.of(id(trace)).iter();
        spans.map(|span| span.span.span_id[0]).collect()
    }

    #[test]
    fn a_trace_is_kept_where_it_is_wanted_or_has_a_link_to_one_that_is() {
        let mut traces = Traces::default();
        traces.want(id(1));
        traces.want(id(2));
        for span in [
            span(1, 1, &[]),
            // The child of a batch comes before the batch, which has the links.
            span(3, 2, &[]),
            span(3, 3, &[1, 2, 9]),
            span(3, 4, &[]),
            span(4, 5, &[9]),
            // Within a trace that is wanted links are nothing special, nor is a link to a batch.
            span(1, 6, &[1, 3]),
            span(5, 7, &[3]),
        ] {
            traces.accept(span);
        }
        let all = [1, 2, 3, 4, 5].map(|trace| kept(&traces, trace));
        assert_eq!(all, [vec![1, 6], vec![], vec![2, 3, 4], vec![], vec![]]);
        let linked = [1, 2, 3].map(|trace| traces.linked(id(trace)));
        assert_eq!(linked, [&[id(3)][..], &[id(3)], &[]]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut traces = Traces::default();
        traces.want(id(1));
        for _ in 0..MAXIMUM_SPANS + RECENT_SPANS {
            traces.accept(span(1, 1, &[]));
            traces.accept(span(2, 2, &[]));
        }
        assert_eq!(kept(&traces, 1).len(), MAXIMUM_SPANS);
        assert_eq!(traces.recent.len(), RECENT_SPANS);
    }
}
