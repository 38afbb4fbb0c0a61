//! One structured record for each request.

use super::options::RequestView;
use http::header::{HeaderMap, HeaderName};
use http::{Method, StatusCode};
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::operation::{End, Outcome, bounded};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the record needs of a request's head, kept until the end.
#[derive(Debug)]
pub(super) struct AccessLog {
    method: Method,
    path: String,
    request_id: Option<String>,
}

impl AccessLog {
    pub(super) fn new(request: RequestView<'_>) -> Self {
        Self {
            method: request.method.clone(),
            path: bounded(request.uri.path()).to_owned(),
            request_id: request_id(request),
        }
    }

    /// A request id that was made further in shows in the response.
    pub(super) fn respond(&mut self, headers: &HeaderMap) {
        if self.request_id.is_none() {
            self.request_id = from_header(headers);
        }
    }

    pub(super) fn write(
        &self,
        end: &End<'_>,
        route: Option<&str>,
        status: Option<StatusCode>,
        request_bytes: Option<u64>,
        response_bytes: Option<u64>,
    ) {
        // The record belongs to the request's span, also where its body is dropped elsewhere.
        let _attached = end.context().clone().attach();
        let span = end.context().span();
        let trace_id = span.span_context().trace_id();
        let outcome = match end.outcome() {
            Outcome::Cancelled => "cancelled",
            Outcome::Panicked => "panicked",
            Outcome::Error(_) => "error",
            _ => "success",
        };
        tracing::info!(
            target: "otelware::access",
            request_id = self.request_id.as_deref(),
            method = bounded(self.method.as_str()),
            route,
            path = self.path,
            status = status.map(|status| status.as_u16()),
            outcome,
            error = end.error_type().map(|class| class.as_str().to_owned()),
            duration_ms = end.duration().as_secs_f64() * 1_000.0,
            request_bytes,
            response_bytes,
            trace_id = span.span_context().is_valid().then(|| trace_id.to_string()),
            "request"
        );
    }
}

#[cfg(feature = "request-id")]
fn request_id(request: RequestView<'_>) -> Option<String> {
    let id = request
        .extensions
        .get::<tower_http::request_id::RequestId>();
    match id.and_then(|id| id.header_value().to_str().ok()) {
        Some(id) => Some(bounded(id).to_owned()),
        None => from_header(request.headers),
    }
}

#[cfg(not(feature = "request-id"))]
fn request_id(request: RequestView<'_>) -> Option<String> {
    from_header(request.headers)
}

fn from_header(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    Some(bounded(id).to_owned())
}
