//! Spans that wait until their trace can be drawn.
//!
//! Processors export spans as they end: children before parents, in arbitrary batches. Where the starts of spans are
//! told too, a trace is ready when none of its spans is open any more; else when its local root has ended, which is the
//! span whose parent is remote or does not exist.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::SpanData;

use super::tree::Completeness;

/// What the buffer may hold, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) traces: usize,
    pub(super) spans: usize,
    /// How long the first span of a trace waits for its local root.
    pub(super) age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            traces: 1_000,
            spans: 10_000,
            age: Duration::from_secs(5),
        }
    }
}

/// Spans of one trace that are ready to be drawn.
#[derive(Debug, PartialEq)]
pub(super) struct Release {
    pub(super) spans: Vec<SpanData>,
    pub(super) completeness: Completeness,
}

#[derive(Debug)]
pub(super) struct TraceBuffer {
    pub(super) limits: Limits,
    /// In the order of arrival, so that the first is the oldest.
    waiting: BTreeMap<u64, Waiting>,
    positions: HashMap<TraceId, u64>,
    /// How many spans of a trace have started and not ended, where that is told.
    open: HashMap<TraceId, usize>,
    next_position: u64,
    span_count: usize,
    printed: PrintedTraces,
}

#[derive(Debug)]
struct Waiting {
    trace_id: TraceId,
    since: Instant,
    spans: Vec<SpanData>,
    has_root: bool,
    /// Set as soon as there is nothing to wait for.
    ready: Option<Completeness>,
}

impl TraceBuffer {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: BTreeMap::new(),
            positions: HashMap::new(),
            open: HashMap::new(),
            next_position: 0,
            span_count: 0,
            printed: PrintedTraces::default(),
        }
    }

    /// A span of this trace has started.
    pub(super) fn started(&mut self, trace_id: TraceId) {
        if self.open.len() < self.limits.spans || self.open.contains_key(&trace_id) {
            *self.open.entry(trace_id).or_default() += 1;
        }
    }

    /// A span of this trace, told of when it started, has ended.
    pub(super) fn ended(&mut self, trace_id: TraceId) {
        if let Some(open) = self.open.get_mut(&trace_id) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&trace_id);
            }
        }
    }

    /// Takes in a batch; returns what can be drawn now, oldest first.
    pub(super) fn accept(&mut self, batch: Vec<SpanData>, now: Instant) -> Vec<Release> {
        let mut releases = Vec::new();
        for span in batch {
            self.push(span, now);
            while self.waiting.len() > self.limits.traces || self.span_count > self.limits.spans {
                let Some(oldest) = self
                    .waiting
                    .first_key_value()
                    .map(|(position, _)| *position)
                else {
                    break;
                };
                releases.extend(self.release(oldest, Completeness::BufferFull));
            }
        }
        let due: Vec<u64> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| {
                waiting.ready.is_some()
                    || now.saturating_duration_since(waiting.since) >= self.limits.age
            })
            .map(|(position, _)| *position)
            .collect();
        releases.extend(
            due.into_iter()
                .filter_map(|position| self.release(position, Completeness::RootMissing)),
        );
        releases
    }

    /// Everything that waits, oldest first.
    pub(super) fn drain(&mut self) -> Vec<Release> {
        let positions: Vec<u64> = self.waiting.keys().copied().collect();
        positions
            .into_iter()
            .filter_map(|position| self.release(position, Completeness::RootMissing))
            .collect()
    }

    fn push(&mut self, span: SpanData, now: Instant) {
        let trace_id = span.span_context.trace_id();
        let position = *self.positions.entry(trace_id).or_insert_with(|| {
            self.next_position += 1;
            self.next_position
        });
        let waiting = self.waiting.entry(position).or_insert_with(|| Waiting {
            trace_id,
            since: now,
            spans: Vec::new(),
            ready: None,
            has_root: false,
        });
        waiting.has_root |= is_local_root(&span);
        waiting.spans.push(span);
        waiting.ready = match (self.open.contains_key(&trace_id), waiting.has_root) {
            (true, _) => None,
            (false, _) if self.printed.contains(trace_id) => Some(Completeness::Continued),
            (false, true) => Some(Completeness::Complete),
            (false, false) => None,
        };
        self.span_count += 1;
    }

    fn release(&mut self, position: u64, reason: Completeness) -> Option<Release> {
        let waiting = self.waiting.remove(&position)?;
        self.positions.remove(&waiting.trace_id);
        self.span_count = self.span_count.saturating_sub(waiting.spans.len());
        self.printed.insert(waiting.trace_id, self.limits.traces);
        Some(Release {
            spans: waiting.spans,
            completeness: waiting.ready.unwrap_or(reason),
        })
    }
}

fn is_local_root(span: &SpanData) -> bool {
    span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote
}

/// The traces printed last, to tell late spans from new traces.
#[derive(Debug, Default)]
struct PrintedTraces {
    ids: HashSet<TraceId>,
    order: VecDeque<TraceId>,
}

impl PrintedTraces {
    fn contains(&self, trace_id: TraceId) -> bool {
        self.ids.contains(&trace_id)
    }

    fn insert(&mut self, trace_id: TraceId, maximum: usize) {
        if self.ids.insert(trace_id) {
            self.order.push_back(trace_id);
        }
        while self.order.len() > maximum {
            if let Some(oldest) = self.order.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests;
