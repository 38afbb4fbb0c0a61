//! What the tests of the console share: hand-made spans and a writer that remembers.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

pub(super) const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

/// A writer whose clones share what was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn span_context(trace: u128, span: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(trace), SpanId::from(span));
    SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

/// A moment of the tests' trace.
pub(super) fn at(microseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_230_850) + Duration::from_micros(microseconds)
}

/// An internal span of the default trace; `parent` 0 makes it a root, `times` are microseconds.
pub(super) fn span(
    id: u64,
    parent: u64,
    name: impl Into<Cow<'static, str>>,
    times: (u64, u64),
) -> SpanData {
    SpanData {
        span_context: span_context(TRACE, id),
        parent_span_id: SpanId::from(parent),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: at(times.0),
        end_time: at(times.1),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("test").build(),
    }
}

/// Changes to a hand-made span.
pub(super) trait SpanDataExt: Sized {
    fn of_kind(self, kind: SpanKind) -> Self;
    fn in_trace(self, trace: u128) -> Self;
    fn with_remote_parent(self) -> Self;
    fn with_attributes<const COUNT: usize>(self, attributes: [KeyValue; COUNT]) -> Self;
    fn with_error(self, description: &'static str) -> Self;
}

impl SpanDataExt for SpanData {
    fn of_kind(mut self, kind: SpanKind) -> Self {
        self.span_kind = kind;
        self
    }

    fn in_trace(mut self, trace: u128) -> Self {
        self.span_context = span_context(
            trace,
            u64::from_be_bytes(self.span_context.span_id().to_bytes()),
        );
        self
    }

    fn with_remote_parent(mut self) -> Self {
        self.parent_span_is_remote = true;
        self
    }

    fn with_attributes<const COUNT: usize>(mut self, attributes: [KeyValue; COUNT]) -> Self {
        self.attributes.extend(attributes);
        self
    }

    fn with_error(mut self, description: &'static str) -> Self {
        self.status = Status::error(description);
        self
    }
}
