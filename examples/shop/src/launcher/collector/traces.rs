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
