//! The trace's id in the response, for people and browsers to refer to.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use otelware::opentelemetry::trace::SpanContext;

/// How a response tells the id of its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceResponse {
    /// `traceresponse: 00-<trace id>-<span id>-<flags>` (W3C Trace Context Level 2, draft).
    TraceResponse,
    /// `server-timing: traceparent;desc="00-<trace id>-<span id>-<flags>"`, which browsers show
    /// to scripts.
    ServerTiming,
}

impl TraceResponse {
    pub(super) fn write(self, span: &SpanContext, headers: &mut HeaderMap) {
        if !span.is_valid() {
            return;
        }
        let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags().to_u8());
        let context = format!("00-{trace}-{id}-{flags:02x}");
        match self {
            Self::TraceResponse => {
                if let Ok(value) = HeaderValue::try_from(context) {
                    headers.insert(HeaderName::from_static("traceresponse"), value);
                }
            }
            Self::ServerTiming => {
                if let Ok(value) = HeaderValue::try_from(format!("traceparent;desc=\"{context}\""))
                {
                    // Other entries of the header are the application's own.
                    headers.append(HeaderName::from_static("server-timing"), value);
                }
            }
        }
    }
}
