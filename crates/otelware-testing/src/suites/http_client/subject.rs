//! The client under test, and what it is to be.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use crate::Capture;

/// The error of any client.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of any client's response.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// An instrumented HTTP client, for the suite.
pub trait HttpClientUnderTest: Clone + Send + Sync + 'static {
    /// The name of the instrumentation scope.
    const SCOPE_NAME: &'static str;
    /// Its version.
    const SCOPE_VERSION: &'static str;
    /// Its schema URL.
    const SCHEMA_URL: &'static str;
    /// What the client does.
    const CAPABILITIES: Capabilities;

    /// A client as `setup` has it, which propagates W3C trace context and baggage and measures
    /// active requests.
    fn new(setup: &Setup) -> Self;

    /// Sends a request with a body held in memory.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, BoxError>> + Send;
}

/// What a client does, where clients may differ.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// It follows redirects itself, beneath its instrumentation.
    pub follows_redirects: bool,
    /// The instrumentation sees the credentials of a URL: the client doesn't take them out before.
    pub sees_credentials: bool,
    /// The instrumentation knows the address of the peer that answered.
    pub knows_peer: bool,
}

/// What a client is to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Where telemetry goes. Log events only go there if [`Setup::exceptions`] says so.
    pub telemetry: Capture,
    /// Emits exceptions as log events.
    pub exceptions: bool,
    /// The request headers to capture.
    pub request_headers: Vec<&'static str>,
    /// The response headers to capture.
    pub response_headers: Vec<&'static str>,
    /// What the host 127.0.0.1 may learn; all others may learn everything.
    pub policy: Policy,
    /// The template of all paths.
    pub url_template: Option<&'static str>,
    /// Measures the sizes of bodies.
    pub body_sizes: bool,
    /// Produces no telemetry of requests, but of their context.
    pub filtered: bool,
    /// Has the instrumentation twice, one around the other.
    pub twice: bool,
    /// Beneath the instrumentation, sending a request panics.
    pub panics: bool,
    /// Beneath the instrumentation, a request fails that has no head of a response in this time.
    pub timeout: Option<Duration>,
    /// Above the instrumentation, sends a request once more whose status is 503.
    pub retries: bool,
}

impl Setup {
    /// A client with defaults.
    pub fn new(telemetry: &Capture) -> Self {
        Self {
            telemetry: telemetry.clone(),
            exceptions: false,
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            policy: Policy::Everything,
            url_template: None,
            body_sizes: false,
            filtered: false,
            twice: false,
            panics: false,
            timeout: None,
            retries: false,
        }
    }
}

/// What a destination may learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Trace context and baggage.
    Everything,
    /// Trace context.
    TraceContextOnly,
    /// Nothing.
    Nothing,
}
