//! The life of a call, on either side.

use crate::address::Address;
use crate::code;
use crate::deadline::Deadline;
use crate::message::{Counts, Meter, direction};
use crate::metadata;
use crate::method::Method;
use crate::options::Options;
use crate::role::Role;
use crate::running::{Running, Shared};
use bytes::Buf;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use otelware::http::{DescribeBody, OperationBody, has_grpc_content_type, not_reserved};
use otelware::opentelemetry::KeyValue;
use otelware::operation::{
    Describe, End, ErrorType, InFlight, Interned, Operation, Outcome, SeriesKey, Signals,
    extend_replacing,
};
use otelware::semconv::{attribute, value};
use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;

/// The body of a response, with whose end the call ends.
pub type ResponseBody<B> = OperationBody<B, Call>;

/// Attributes that become known after the span's start, which hooks can't set.
const RESERVED: [&str; 8] = [
    attribute::RPC_METHOD,
    attribute::RPC_METHOD_ORIGINAL,
    attribute::RPC_REQUEST_MESSAGES,
    attribute::RPC_REQUEST_SIZE,
    attribute::RPC_RESPONSE_MESSAGES,
    attribute::RPC_RESPONSE_SIZE,
    attribute::RPC_STATUS_CODE,
    attribute::RPC_SYSTEM_NAME,
];

/// The attributes of a hook without those that the instrumentation sets itself, so that none is
/// set twice and the set of methods stays bounded.
pub(crate) fn allowed(attributes: Vec<KeyValue>) -> Vec<KeyValue> {
    let mut attributes = not_reserved(attributes, &RESERVED);
    attributes.retain(|attribute| {
        let key = attribute.key.as_str();
        !key.starts_with(attribute::RPC_RESPONSE_METADATA)
    });
    attributes
}

/// What is known of a call.
#[derive(Debug)]
pub struct Call {
    shared: Arc<Shared>,
    method: Method,
    /// Whether the method became known after the span had begun.
    is_late: bool,
    http_status: StatusCode,
    /// Whether the response has begun.
    has_begun: bool,
    /// Whether the response's body said that it is at its end.
    is_end_stream: bool,
    code: Option<Code>,
    deadline: Option<Deadline>,
    /// The server that a client calls.
    address: Option<Address>,
    /// What few calls need. Apart from the rest, so that calls without it are small.
    extras: Option<Box<Extras>>,
}

/// What is known of a call where options ask for it.
#[derive(Debug, Default)]
struct Extras {
    metric_attributes: Vec<KeyValue>,
    request: Option<Arc<Counts>>,
    response: Option<Meter>,
    /// The captured metadata of the response.
    metadata: Vec<KeyValue>,
    /// The message of the status.
    message: Option<String>,
}

impl Call {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        method: Method,
        deadline: Option<Deadline>,
        address: Option<Address>,
    ) -> Self {
        Self {
            shared,
            method,
            is_late: false,
            http_status: StatusCode::OK,
            has_begun: false,
            is_end_stream: false,
            code: None,
            deadline,
            address,
            extras: None,
        }
    }

    fn options(&self) -> &Options {
        self.shared.options()
    }

    /// The server that a client calls.
    pub(crate) const fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    fn role(&self) -> Role {
        self.options().role
    }

    /// The attributes that a hook adds to all metrics.
    pub(crate) fn add_metric_attributes(&mut self, attributes: Vec<KeyValue>) {
        let attributes = allowed(attributes);
        if !attributes.is_empty() {
            self.extras.get_or_insert_default().metric_attributes = attributes;
        }
    }

    /// The span's first attributes, which the conventions have samplers see.
    pub(crate) fn push_identity(&self, list: &mut Vec<KeyValue>) {
        list.push(KeyValue::new(attribute::RPC_SYSTEM_NAME, value::GRPC));
        match &self.method {
            Method::Undecided(_) => {}
            Method::Known(_) => self.push_method(list),
            Method::Other(original) => {
                self.push_method(list);
                list.push(KeyValue::new(
                    attribute::RPC_METHOD_ORIGINAL,
                    original.to_string(),
                ));
            }
        }
        if let Some(address) = &self.address {
            address.push(list);
        }
    }

    fn push_method(&self, list: &mut Vec<KeyValue>) {
        list.push(KeyValue::new(attribute::RPC_METHOD, self.method.value()));
    }

    /// Counts the call while it is in flight, where that is wanted.
    pub(crate) fn in_flight(&self, signals: Signals) -> Option<InFlight> {
        let active = Running::of(&self.shared).active.as_ref()?;
        signals
            .metrics()
            .then(|| active.count(self.identity_key(), || self.identity()))
    }

    /// Observes the messages of the request, where that is wanted.
    pub(crate) fn request_meter(operation: &mut Operation<Self>) -> Option<Meter> {
        let is_sent = operation.describe().role() == Role::Client;
        let meter = Self::meter(operation, direction(is_sent))?;
        let extras = &mut operation.describe_mut().extras;
        extras.get_or_insert_default().request = Some(meter.counts().clone());
        Some(meter)
    }

    fn meter(operation: &Operation<Self>, direction: &'static str) -> Option<Meter> {
        let options = operation.describe().options();
        let events = (options.message_events && operation.is_recording())
            .then(|| operation.context().clone());
        let is_counted =
            options.message_counts && (operation.is_recording() || operation.signals().metrics());
        (events.is_some() || is_counted).then(|| Meter::new(direction, events))
    }

    /// Takes the response: the call goes on with its body, or ends where its status is there.
    pub(crate) fn respond<B: Body>(
        mut operation: Operation<Self>,
        response: Response<B>,
    ) -> Response<ResponseBody<B>> {
        let call = operation.describe_mut();
        call.http_status = response.status();
        call.has_begun = true;
        call.learn(&response);
        call.status(response.headers());
        call.capture(response.headers());
        let is_over = call.code.is_some() || response.body().is_end_stream();
        let is_sent = operation.describe().role() == Role::Server;
        if let Some(meter) = Self::meter(&operation, direction(is_sent)) {
            let extras = &mut operation.describe_mut().extras;
            extras.get_or_insert_default().response = Some(meter);
        }
        if is_over {
            let outcome = Self::outcome(&mut operation);
            operation.finish(&outcome);
            return response.map(|body| ResponseBody::new(body, None));
        }
        response.map(|body| ResponseBody::new(body, Some(operation)))
    }

    /// The call failed without a response.
    pub(crate) fn fail<E: Display + 'static>(mut operation: Operation<Self>, error: &E) {
        let outcome = Self::failed(&mut operation, error);
        operation.finish(&outcome);
    }

    /// A response that does not refuse the call tells that its method exists. Refusals can be
    /// given without a look at the method, by interceptors for one: they tell nothing, so that
    /// nobody can grow the set of methods by calling others.
    fn learn<B>(&mut self, response: &Response<B>) {
        let headers = response.headers();
        if matches!(self.method, Method::Undecided(_))
            && response.status() == StatusCode::OK
            && has_grpc_content_type(headers)
            && matches!(code::in_headers(headers), None | Some(Code::Ok))
        {
            self.decide(true);
        }
    }

    /// Settles whether the method is told apart.
    fn decide(&mut self, exists: bool) {
        let Method::Undecided(name) = &mut self.method else {
            return;
        };
        let learned = exists.then(|| Running::of(&self.shared).methods.learn(name));
        self.method = match learned.flatten() {
            Some(method) => Method::Known(method.clone()),
            None => Method::Other(std::mem::take(name)),
        };
        self.is_late = true;
    }

    /// Takes the status from trailers, or from the headers of a response that has nothing else.
    #[inline]
    fn status(&mut self, headers: &HeaderMap) {
        let Some(code) = code::in_headers(headers) else {
            return;
        };
        self.code = Some(code);
        if self.options().status_messages && self.role().is_error(code) {
            self.extras.get_or_insert_default().message = metadata::status_message(headers);
        }
    }

    fn capture(&mut self, headers: &HeaderMap) {
        let capture = &self.shared.options().response_metadata;
        if !capture.is_empty() {
            let metadata = &mut self.extras.get_or_insert_default().metadata;
            metadata::merge(metadata, capture.attributes(headers));
        }
    }

    /// How the call ends with this code, `after` it had begun.
    fn end_with(&mut self, mut code: Code, after: impl FnOnce() -> Duration) -> Outcome {
        // tonic says `CANCELLED` of a call whose time ran out, wherever it notices. It does not
        // notice once the response has begun: the call may go on, and be cancelled later.
        if code == Code::Cancelled
            && let Some(deadline) = self.deadline
        {
            let after = after();
            if deadline.has_passed(after) && !(self.has_begun && deadline.is_long_past(after)) {
                code = Code::DeadlineExceeded;
            }
        }
        self.code = Some(code);
        if self.role().is_error(code) {
            Outcome::Error(code::name(code).into())
        } else {
            Outcome::Success
        }
    }

    /// The key and the attributes of what is known when a call begins.
    fn identity_key(&self) -> Option<SeriesKey> {
        let (host, port) = self.ids()?;
        Some([self.method.id(), 0, port << 8, host])
    }

    fn identity(&self) -> Vec<KeyValue> {
        let metric_attributes = self.metric_attributes();
        let mut list = Vec::with_capacity(6 + metric_attributes.len());
        list.push(KeyValue::new(attribute::RPC_SYSTEM_NAME, value::GRPC));
        self.push_method(&mut list);
        if let Some(address) = &self.address {
            address.push(&mut list);
        }
        extend_replacing(&mut list, metric_attributes.to_vec());
        list
    }

    fn metric_attributes(&self) -> &[KeyValue] {
        match &self.extras {
            Some(extras) => &extras.metric_attributes,
            None => &[],
        }
    }

    fn ids(&self) -> Option<(u64, u64)> {
        if !self.metric_attributes().is_empty() {
            return None;
        }
        match &self.address {
            Some(address) => address.ids(),
            None => Some((0, 0)),
        }
    }

    fn series_key(&self, error: Option<&ErrorType>) -> Option<SeriesKey> {
        let (host, port) = self.ids()?;
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        let code = self.code.map_or(0, |code| code as u64 + 1);
        Some([self.method.id(), error, code | port << 8, host])
    }

    fn series_attributes(&self, error: Option<&ErrorType>) -> Vec<KeyValue> {
        let mut list = self.identity();
        if let Some(code) = self.code {
            list.push(KeyValue::new(attribute::RPC_STATUS_CODE, code::name(code)));
        }
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        list
    }

    /// Messages and bytes of request and response, as far as they are counted.
    fn counts(&self) -> [Option<u64>; 4] {
        let extras = self.extras.as_deref();
        let request = extras.and_then(|extras| extras.request.as_ref());
        let response = extras.and_then(|extras| extras.response.as_ref());
        let (requests, request_bytes) = request.map(|counts| counts.get()).unzip();
        let (responses, response_bytes) = response.map(|meter| meter.counts().get()).unzip();
        [requests, responses, request_bytes, response_bytes]
    }

    fn tell_counts(&self, end: &End<'_>, key: Option<SeriesKey>) {
        let Some(series) = &Running::of(&self.shared).counts else {
            return;
        };
        let names = [
            attribute::RPC_REQUEST_MESSAGES,
            attribute::RPC_RESPONSE_MESSAGES,
            attribute::RPC_REQUEST_SIZE,
            attribute::RPC_RESPONSE_SIZE,
        ];
        for ((count, name), series) in self.counts().into_iter().zip(names).zip(series) {
            let Some(count) = count else { continue };
            if let Some(span) = end.span() {
                let shown = i64::try_from(count).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new(name, shown));
            }
            if end.metrics() {
                series.measure(count, key, || self.series_attributes(end.error_type()));
            }
        }
    }
}

impl Describe for Call {
    const CANCELLED: &'static str = code::name(Code::Cancelled);

    fn end(&mut self, end: &End<'_>) {
        self.decide(false);
        let code = self.code.map(code::name);
        if let Some(span) = end.span() {
            if let Some(code) = code {
                span.set_attribute(KeyValue::new(attribute::RPC_STATUS_CODE, code));
            }
            if self.is_late {
                let method = self.method.value();
                span.set_attribute(KeyValue::new(attribute::RPC_METHOD, method));
                span.update_name(self.method.span_name());
                if let Method::Other(original) = &self.method {
                    span.set_attribute(KeyValue::new(
                        attribute::RPC_METHOD_ORIGINAL,
                        original.to_string(),
                    ));
                }
            }
            if let Some(extras) = &mut self.extras {
                span.set_attributes(std::mem::take(&mut extras.metadata));
            }
        }
        let running = Running::of(&self.shared);
        let error = end.error_type();
        let mut key = None;
        if end.metrics() {
            key = self.series_key(error);
            let seconds = end.duration().as_secs_f64();
            running
                .duration
                .measure(seconds, key, || self.series_attributes(error));
        }
        self.tell_counts(end, key);
        if *end.outcome() == Outcome::Panicked {
            running.exception(end.context(), &value::PANIC.into(), &"the call panicked");
        }
    }

    fn dropped(&mut self, after: Duration) -> Outcome {
        match self.end_with(Code::Cancelled, || after) {
            _ if self.code == Some(Code::Cancelled) => Outcome::Cancelled,
            outcome => outcome,
        }
    }

    fn status_description(&mut self) -> Cow<'static, str> {
        let message = self
            .extras
            .as_mut()
            .and_then(|extras| extras.message.take());
        message.unwrap_or_default().into()
    }
}

impl DescribeBody for Call {
    const HAS_TRAILERS: bool = true;

    fn is_entered(&self) -> bool {
        // A client's response comes out of its transport, which is polled twice for each message.
        self.role() == Role::Server
    }

    fn data(&mut self, data: &impl Buf, is_end_stream: bool) {
        self.is_end_stream = is_end_stream;
        if let Some(extras) = &mut self.extras
            && let Some(meter) = &mut extras.response
        {
            meter.observe(data.chunk());
        }
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        self.status(trailers);
        self.capture(trailers);
    }

    fn failed<E: Display + 'static>(operation: &mut Operation<Self>, error: &E) -> Outcome {
        let after = operation.elapsed();
        let call = operation.describe_mut();
        let code = as_error(error).and_then(code::of_error);
        let outcome = match (code, call.role()) {
            (Some(code), _) => call.end_with(code, || after),
            // What tonic's client tells its caller.
            (None, Role::Client) => call.end_with(Code::Unknown, || after),
            (None, Role::Server) => Outcome::Error(otelware::http::error_type(error)),
        };
        if let Outcome::Error(class) = &outcome {
            Running::of(&operation.describe().shared).exception(operation.context(), class, error);
        }
        outcome
    }

    fn outcome(operation: &mut Operation<Self>) -> Outcome {
        let after = match operation.describe().code {
            Some(Code::Cancelled) => operation.elapsed(),
            _ => Duration::ZERO,
        };
        let call = operation.describe_mut();
        let code = call.code.unwrap_or_else(|| code::of_http(call.http_status));
        call.end_with(code, || after)
    }

    fn left_unread(&mut self) -> Option<Outcome> {
        // What the head said of an error stands, whether or not the body was wanted; and what is
        // at its end without trailers has no status.
        (self.http_status != StatusCode::OK || self.is_end_stream)
            .then(|| self.end_with(code::of_http(self.http_status), Duration::default))
    }
}

/// The error that a service or a body failed with.
fn as_error<E: 'static>(error: &E) -> Option<&(dyn Error + 'static)> {
    let any: &dyn Any = error;
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    if let Some(status) = any.downcast_ref::<tonic::Status>() {
        return Some(status);
    }
    #[cfg(any(feature = "server", feature = "channel"))]
    if let Some(error) = any.downcast_ref::<tonic::transport::Error>() {
        return Some(error);
    }
    None
}
