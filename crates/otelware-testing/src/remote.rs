//! Parents that come from another process.

use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

/// The W3C trace context header with the parent.
pub const TRACEPARENT: &str = "traceparent";
/// The W3C trace context header with the vendors' state.
pub const TRACESTATE: &str = "tracestate";
/// The W3C baggage header.
pub const BAGGAGE: &str = "baggage";

const SAMPLED: u8 = 0b01;
/// Trace context level 2, section "random trace id flag".
const RANDOM: u8 = 0b10;

/// Something that names one span: a captured [`Span`](crate::Span), a [`RemoteParent`], a [`SpanContext`] or the span of a [`Context`].
pub trait SpanIdentity {
    /// The ids of the span; remote if it reached this process by propagation.
    fn span_context(&self) -> SpanContext;
}

impl SpanIdentity for SpanContext {
    fn span_context(&self) -> SpanContext {
        self.clone()
    }
}

impl SpanIdentity for Context {
    fn span_context(&self) -> SpanContext {
        self.span().span_context().clone()
    }
}

impl SpanIdentity for RemoteParent {
    fn span_context(&self) -> SpanContext {
        SpanContext::new(
            self.trace_id,
            self.span_id,
            TraceFlags::new(self.flags),
            true,
            parsed(&self.trace_state),
        )
    }
}

/// A span of another process, with fixed ids, as the caller of the code under test.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteParent {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its own id.
    pub span_id: SpanId,
    /// The trace flags: bit 0 sampled, bit 1 random.
    pub flags: u8,
    /// The value of its `tracestate` header; empty if there is none.
    pub trace_state: String,
}

impl RemoteParent {
    /// A sampled parent: flags `01`.
    pub fn sampled() -> Self {
        Self {
            trace_id: TraceId::from_bytes([
                0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e,
                0x47, 0x36,
            ]),
            span_id: SpanId::from_bytes([0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]),
            flags: SAMPLED,
            trace_state: String::new(),
        }
    }

    /// A parent that is not sampled: flags `00`.
    pub fn unsampled() -> Self {
        Self {
            flags: 0,
            ..Self::sampled()
        }
    }

    /// The same parent with the random flag: `03` if sampled, `02` if not.
    #[must_use]
    pub fn with_random_flag(mut self) -> Self {
        self.flags |= RANDOM;
        self
    }

    /// The same parent with a `tracestate`.
    ///
    /// # Panics
    ///
    /// If `trace_state` is not a list of `key=value` that the OpenTelemetry API accepts.
    #[must_use]
    #[track_caller]
    pub fn with_trace_state(mut self, trace_state: &str) -> Self {
        if let Err(error) = TraceState::from_str(trace_state) {
            panic!("{trace_state:?} is not a tracestate: {error}");
        }
        trace_state.clone_into(&mut self.trace_state);
        self
    }

    /// The value of the `traceparent` header, version 00.
    pub fn traceparent(&self) -> String {
        traceparent(self.trace_id, self.span_id, self.flags)
    }

    /// The headers that carry this parent: `traceparent`, and `tracestate` if there is one.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![(TRACEPARENT, self.traceparent())];
        if !self.trace_state.is_empty() {
            headers.push((TRACESTATE, self.trace_state.clone()));
        }
        headers
    }

    /// A context in which this parent is the current span, as a propagator extracts it.
    pub fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.span_context())
    }
}

pub(crate) fn traceparent(trace_id: TraceId, span_id: SpanId, flags: u8) -> String {
    format!("00-{trace_id}-{span_id}-{flags:02x}")
}

/// A trace state that was valid before it was printed.
pub(crate) fn parsed(trace_state: &str) -> TraceState {
    TraceState::from_str(trace_state).unwrap_or_default()
}
