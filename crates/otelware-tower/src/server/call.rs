//! The life of a request at its server.

use super::access_log::AccessLog;
use super::options::ResponseView;
use super::route;
use super::running::{Running, Server};
use super::scheme::Scheme;
use super::streaming::{ResponseBody, Segments};
use bytes::Buf;
use http::{Response, StatusCode, Version};
use http_body::Body;
use otelware::http::{
    DescribeBody, MethodLabel, NoBody, announced_length, not_reserved, protocol_id,
    protocol_version, status_error,
};
use otelware::opentelemetry::metrics::UpDownCounter;
use otelware::opentelemetry::trace::TraceContextExt;
use otelware::opentelemetry::{Context, Key, KeyValue};
use otelware::operation::{
    Describe, End, ErrorType, Family, InFlight, Interned, Label, Operation, Outcome, Series,
    SeriesKey, extend_replacing, take_claim,
};
use otelware::semconv::{attribute, value};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The class of the error of a response's body.
pub(super) fn body_error_type<E: 'static>(error: &E) -> ErrorType {
    // All bodies of axum fail with its own type, which says nothing of the error in it.
    #[cfg(feature = "axum")]
    if let Some(error) = (error as &dyn std::any::Any).downcast_ref::<axum::Error>() {
        return otelware::http::error_type_of(error);
    }
    otelware::http::error_type(error)
}

/// Attributes that may become known late, besides those of the end.
pub(super) const RESERVED: [&str; 1] = [attribute::HTTP_ROUTE];

/// What is known of a request at its server.
#[derive(Debug)]
pub(super) struct ServerCall {
    pub(super) server: Arc<Server>,
    pub(super) method: MethodLabel,
    pub(super) route: Option<Label>,
    /// Whether the route became known after the span had begun.
    pub(super) late_route: bool,
    /// Whether it looks like a call of gRPC.
    pub(super) is_grpc: bool,
    /// Whether a hook named the span.
    pub(super) has_own_name: bool,
    /// Whether the request's method, whatever its label, leaves the response without a body.
    pub(super) no_body: NoBody,
    pub(super) scheme: Scheme,
    pub(super) version: Version,
    pub(super) status: Option<StatusCode>,
    /// How many bytes the response's body is to have.
    pub(super) announced: Option<u64>,
    /// How many bytes of the response's body went by, if it is observed.
    pub(super) response_bytes: Option<u64>,
    /// What few requests need.
    pub(super) extras: Option<Box<Extras>>,
}

/// What is known of a request where options or the application ask for it. Apart from the rest,
/// so that requests without it are small.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// The class that the application gave the response.
    pub(super) own_error: Option<ErrorType>,
    /// The attributes that the span began with, where hooks may give some of them again.
    pub(super) begun_with: Vec<Key>,
    /// The bytes of the request's body, as they flow.
    pub(super) request_bytes: Option<Arc<AtomicU64>>,
    /// The attributes that a hook adds to all metrics.
    pub(super) metric_attributes: Vec<KeyValue>,
    pub(super) access_log: Option<AccessLog>,
}

impl ServerCall {
    /// The bytes of the request's body are counted here.
    pub(super) fn count_request_bytes(&mut self) -> Arc<AtomicU64> {
        let bytes = &mut self.extras_mut().request_bytes;
        bytes.get_or_insert_default().clone()
    }

    pub(super) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// The attributes that a hook adds to all metrics.
    fn metric_attributes(&self) -> &[KeyValue] {
        match &self.extras {
            Some(extras) => &extras.metric_attributes,
            None => &[],
        }
    }

    /// Takes the response: the operation goes on with its body, or ends where there is none.
    pub(super) fn respond<B: Body>(
        mut operation: Operation<Self>,
        mut response: Response<B>,
    ) -> Response<ResponseBody<B>> {
        let status = response.status();
        let server = operation.describe().server.clone();
        let options = server.options();
        if let Some(header) = options.trace_response
            && operation.signals().traces()
        {
            let span = operation.context().span();
            header.write(span.span_context(), response.headers_mut());
        }
        let call = operation.describe_mut();
        call.status = Some(status);
        if let Some(class) = response.extensions().get::<ErrorType>() {
            call.extras_mut().own_error = Some(class.clone());
        }
        call.response_bytes = Some(0);
        call.announced = announced_length(&response);
        if let Some(extras) = &mut call.extras
            && let Some(log) = &mut extras.access_log
        {
            log.respond(response.headers());
        }
        let bodiless = call.no_body.applies(status) || response.body().is_end_stream();
        if operation.is_recording() {
            let span = operation.context().span();
            let mut list = options.response_headers.attributes(response.headers());
            if let Some(hook) = &options.response_attributes {
                let extras = operation.describe().extras.as_deref();
                let mut more = not_reserved(
                    hook(ResponseView {
                        status,
                        headers: response.headers(),
                        extensions: response.extensions(),
                    }),
                    &RESERVED,
                );
                more.retain(|attribute| {
                    !extras.is_some_and(|extras| extras.begun_with.contains(&attribute.key))
                });
                extend_replacing(&mut list, more);
            }
            span.set_attributes(list);
        }
        if bodiless {
            let outcome = operation.describe().status_outcome();
            operation.finish(&outcome);
            return response.map(ResponseBody::unobserved);
        }
        match options.streaming.ends_at_head(response.headers()) {
            None => response.map(|body| ResponseBody::observed(body, Some(operation))),
            Some(every) => {
                let segments = every.map(|every| operation.describe().segments(&operation, every));
                operation.describe_mut().response_bytes = None;
                let outcome = operation.describe().status_outcome();
                operation.finish(&outcome);
                response.map(|body| match segments {
                    Some(segments) => ResponseBody::segmented(body, segments),
                    None => ResponseBody::unobserved(body),
                })
            }
        }
    }

    fn segments(&self, operation: &Operation<Self>, every: std::time::Duration) -> Segments {
        let route = self.route.as_ref().map_or("", Label::as_str);
        let name = format!("{} {route}", self.method.span_name());
        let streams = Running::of(&self.server).streams.as_ref();
        Segments::new(
            self.server.clone(),
            every,
            format!("{} stream", name.trim_end()),
            operation.context().span().span_context().clone(),
            operation.context(),
            operation.signals(),
            streams
                .filter(|_| operation.signals().metrics())
                .map(|streams| self.count(streams)),
        )
    }

    /// How a request ends whose response came in whole.
    fn status_outcome(&self) -> Outcome {
        let extras = self.extras.as_deref();
        if let Some(class) = extras.and_then(|extras| extras.own_error.as_ref()) {
            return Outcome::Error(class.clone());
        }
        match self.status {
            Some(status) if status.is_server_error() => Outcome::Error(status_error(status)),
            _ => Outcome::Success,
        }
    }

    /// Emits the error that ended the request as an event, where events are wanted.
    pub(super) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        Running::of(&self.server).exception(context, class, error);
    }

    /// Counts the request while it is in flight.
    pub(super) fn count(&self, series: &Series<UpDownCounter<i64>>) -> InFlight {
        let key = self
            .metric_attributes()
            .is_empty()
            .then_some([0, 0, self.packed(), 0]);
        series.count(key, || {
            let mut list = vec![
                KeyValue::new(attribute::HTTP_REQUEST_METHOD, self.method.as_str()),
                KeyValue::new(attribute::URL_SCHEME, self.scheme.as_str()),
            ];
            extend_replacing(&mut list, self.metric_attributes().to_vec());
            list
        })
    }

    fn packed(&self) -> u64 {
        u64::from(self.method.id()) | self.scheme.id() << 8
    }

    fn series_key(&self, error: Option<&ErrorType>) -> Option<SeriesKey> {
        if !self.metric_attributes().is_empty() {
            return None;
        }
        let route = match &self.route {
            Some(route) => route.id()?,
            None => 0,
        };
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        let version = u64::from(protocol_id(self.version)) << 16;
        let status = self
            .status
            .map_or(0, |status| u64::from(status.as_u16()) << 24);
        Some([route, error, self.packed() | version | status, 0])
    }

    fn series_attributes(&self, error: Option<&ErrorType>) -> Vec<KeyValue> {
        let mut list = Vec::with_capacity(6 + self.metric_attributes().len());
        list.push(KeyValue::new(
            attribute::HTTP_REQUEST_METHOD,
            self.method.as_str(),
        ));
        list.push(KeyValue::new(attribute::URL_SCHEME, self.scheme.as_str()));
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        if let Some(status) = self.status {
            let status = i64::from(status.as_u16());
            list.push(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status));
        }
        if let Some(route) = &self.route {
            list.push(KeyValue::new(attribute::HTTP_ROUTE, route.value()));
        }
        if let Some(version) = protocol_version(self.version) {
            list.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
        }
        extend_replacing(&mut list, self.metric_attributes().to_vec());
        list
    }
}

impl Describe for ServerCall {
    fn left(&mut self) {
        if let Some(route) = route::take()
            && (self.route.is_none() || self.late_route)
        {
            self.route = Some(route);
            self.late_route = true;
        }
        if take_claim(Family::RpcServer)
            && self.is_grpc
            && let Some(route) = &self.route
        {
            // From the next call of this service on, the layer that is further in has it alone.
            Running::of(&self.server).names.leave_grpc(route.as_str());
        }
    }

    fn end(&mut self, end: &End<'_>) {
        let running = Running::of(&self.server);
        if let Some(span) = end.span() {
            if let Some(status) = self.status {
                let status = i64::from(status.as_u16());
                span.set_attribute(KeyValue::new(attribute::HTTP_RESPONSE_STATUS_CODE, status));
            }
            if let Some(route) = self.route.as_ref().filter(|_| self.late_route) {
                span.set_attribute(KeyValue::new(attribute::HTTP_ROUTE, route.value()));
                if !self.has_own_name {
                    span.update_name(running.names.of(self.method, Some(route)));
                }
            }
        }
        let key = || self.series_key(end.error_type());
        let attributes = || self.series_attributes(end.error_type());
        if end.metrics() {
            let seconds = end.duration().as_secs_f64();
            running.duration.measure(seconds, key(), attributes);
        }
        let extras = self.extras.as_deref();
        let request_bytes = extras
            .and_then(|extras| extras.request_bytes.as_ref())
            .map(|bytes| bytes.load(Ordering::Relaxed));
        if let Some(sizes) = &running.sizes {
            sizes.tell(end, request_bytes, self.response_bytes, key(), attributes);
        }
        if *end.outcome() == Outcome::Panicked {
            self.exception(end.context(), &value::PANIC.into(), &"the handler panicked");
        }
        if let Some(log) = extras.and_then(|extras| extras.access_log.as_ref()) {
            log.write(
                end,
                self.route.as_ref().map(Label::as_str),
                self.status,
                request_bytes,
                self.response_bytes,
            );
        }
    }
}

impl DescribeBody for ServerCall {
    fn data(&mut self, data: &impl Buf, _: bool) {
        if let Some(flowed) = &mut self.response_bytes {
            *flowed += data.remaining() as u64;
        }
    }

    fn failed<E: Display + 'static>(operation: &mut Operation<Self>, error: &E) -> Outcome {
        let class = body_error_type(error);
        let context = operation.context();
        operation.describe().exception(context, &class, error);
        Outcome::Error(class)
    }

    fn outcome(operation: &mut Operation<Self>) -> Outcome {
        operation.describe().status_outcome()
    }

    fn left_unread(&mut self) -> Option<Outcome> {
        let outcome = self.status_outcome();
        let is_complete = self
            .announced
            .zip(self.response_bytes)
            .is_some_and(|(announced, flowed)| flowed >= announced);
        // What the head said of an error stands, whether or not the body was wanted.
        (is_complete || matches!(outcome, Outcome::Error(_))).then_some(outcome)
    }
}
