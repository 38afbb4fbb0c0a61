//! The life of a client's request.

use super::options::{HttpClientOptions, RequestView};
use super::request::{ClientRequest, Target, default_port};
use super::resend::{ResendCount, UrlTemplate};
use crate::http::{
    BodySizes, DescribeBody, KnownMethods, MethodLabel, NoBody, OperationBody, address_value,
    announced_length, error_type, not_reserved, protocol_id, protocol_version, status_error,
};
use crate::operation::{
    Describe, End, ErrorType, Exception, Family, Instrumentation, Interned, Label, Lazily,
    Operation, Outcome, Series, SeriesKey, Signals, Start, bounded, extend_replacing, is_doubled,
    recent_value,
};
use crate::propagation::{self, HeaderInjector, Outbound};
use crate::semconv::{attribute, boundaries, event, metric, unit, value};
use bytes::Buf;
use http::{Response, StatusCode, Version, response};
use http_body::Body;
use opentelemetry::logs::Severity;
use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use std::any::Any;
use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The instrumentation of one HTTP client, shared by all its requests.
#[derive(Clone, Debug)]
pub struct HttpClient {
    shared: Arc<Lazily<HttpClientOptions, Running>>,
    name: &'static str,
    version: &'static str,
    classify: Classify,
}

/// Knows the classes of the errors of a client's library.
pub type Classify = fn(&dyn Any) -> Option<ErrorType>;

/// Attributes that become known with the response, besides those of the end.
const RESERVED: [&str; 3] = [
    attribute::NETWORK_PEER_ADDRESS,
    attribute::NETWORK_PEER_PORT,
    attribute::NETWORK_PROTOCOL_VERSION,
];

#[derive(Debug)]
struct Running {
    instrumentation: Instrumentation,
    known_methods: KnownMethods,
    duration: Series<Histogram<f64>>,
    active: Option<Series<UpDownCounter<i64>>>,
    sizes: Option<BodySizes>,
}

impl HttpClient {
    /// The instrumentation of the crate with this name and version. What `classify` doesn't know
    /// is classed by [`error_type`](crate::http::error_type).
    pub fn new(name: &'static str, version: &'static str, classify: Classify) -> Self {
        Self {
            shared: Arc::default(),
            name,
            version,
            classify,
        }
    }

    /// The options. Changing them leaves clones made before as they were.
    pub fn options_mut(&mut self) -> &mut HttpClientOptions {
        Lazily::options_mut(&mut self.shared)
    }

    /// The options.
    pub fn options(&self) -> &HttpClientOptions {
        self.shared.options()
    }

    fn running(&self) -> &Running {
        self.shared
            .get_or_make(|options| Running::new(self.name, self.version, options))
    }

    /// Begins a request and injects its context into its headers. `None` where the request is
    /// the same that an enclosing instrumentation has begun already.
    pub fn begin<T: Target>(
        &self,
        mut request: ClientRequest<'_, T>,
    ) -> Option<Operation<ClientCall>> {
        let options = self.options();
        if is_doubled(Family::HttpClient) {
            // What goes out of the context is decided there, and has been injected.
            return None;
        }
        let running = self.running();
        let mut full = None;
        let view = |full: &mut Option<String>| {
            full.get_or_insert_with(|| {
                let url = request.target.full();
                options.redaction.url(&url).into_owned()
            });
        };
        macro_rules! ask {
            ($hook:expr) => {
                $hook.as_ref().map(|hook| {
                    view(&mut full);
                    hook(RequestView {
                        method: request.method,
                        url: full.as_deref().unwrap_or_default(),
                        headers: request.headers,
                        extensions: request.extensions,
                    })
                })
            };
        }
        let signals = ask!(options.filter).unwrap_or(Signals::ALL);
        let template = match request.extensions.get::<UrlTemplate>() {
            Some(template) => Some(template.clone()),
            None => ask!(options.url_template).flatten(),
        };
        let extra_metric = if signals.metrics() {
            ask!(options.metric_attributes).unwrap_or_default()
        } else {
            Vec::new()
        };

        let method = running.known_methods.label(request.method);
        let target = request.target.host_port();
        let scheme = request.target.scheme();
        let call = ClientCall {
            client: self.clone(),
            method,
            no_body: NoBody::of(request.method),
            address: target.map(|target| Label::foreign(bounded(target.host))),
            port: target.map(|target| target.port.unwrap_or_else(|| default_port(scheme))),
            template,
            status: None,
            version: None,
            announced: None,
            response_bytes: 0,
            request_bytes: None,
            extra_metric,
        };
        let in_flight = running
            .active
            .as_ref()
            .filter(|_| signals.metrics())
            .map(|active| active.count(call.active_key(), || call.active_attributes()));
        let resent = request
            .extensions
            .get::<ResendCount>()
            .map_or(0, ResendCount::next);
        let start = Start {
            name: call.span_name(),
            kind: SpanKind::Client,
            family: Family::HttpClient,
            parent: Context::current(),
            links: Vec::new(),
            signals,
            cancellation: options.cancellation,
            in_flight,
            minimum_duration: None,
        };
        let operation = running.instrumentation.start(start, call, |call, list| {
            list.push(KeyValue::new(
                attribute::HTTP_REQUEST_METHOD,
                method.as_str(),
            ));
            if method.is_other() {
                list.push(KeyValue::new(
                    attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                    recent_value(request.method.as_str()),
                ));
            }
            call.push_server(list);
            let extra = ask!(options.span_attributes);
            let mut url = full.take().unwrap_or_else(|| {
                let url = request.target.full();
                match options.redaction.url(&url) {
                    Cow::Borrowed(_) => url,
                    Cow::Owned(redacted) => redacted,
                }
            });
            url.truncate(bounded(&url).len());
            list.push(KeyValue::new(attribute::URL_FULL, url));
            if let Some(template) = &call.template {
                list.push(KeyValue::new(attribute::URL_TEMPLATE, template.value()));
            }
            if resent > 0 {
                list.push(KeyValue::new(
                    attribute::HTTP_REQUEST_RESEND_COUNT,
                    i64::from(resent),
                ));
            }
            if !options.request_headers.is_empty() {
                list.extend(options.request_headers.attributes(request.headers));
            }
            if let Some(extra) = extra {
                extend_replacing(list, not_reserved(extra, &RESERVED));
            }
        });
        self.inject(operation.context(), &mut request);
        Some(operation)
    }

    fn inject<T: Target>(&self, context: &Context, request: &mut ClientRequest<'_, T>) {
        let options = self.options();
        let outbound = request.extensions.get::<Outbound>().unwrap_or_else(|| {
            let scheme = request.target.scheme();
            let (host, port) = request.target.host_port().map_or(("", None), |target| {
                (
                    target.host,
                    Some(target.port.unwrap_or_else(|| default_port(scheme))),
                )
            });
            options.destinations.policy(host, port)
        });
        let mut injector = HeaderInjector(request.headers);
        options.providers.with_propagator(|propagator| {
            propagation::inject(propagator, context, &mut injector, outbound);
        });
    }
}

impl Running {
    fn new(name: &'static str, version: &'static str, options: &HttpClientOptions) -> Self {
        let instrumentation = Instrumentation::new(name, version, &options.providers);
        Self {
            known_methods: options
                .known_methods
                .clone()
                .unwrap_or_else(KnownMethods::from_env),
            duration: instrumentation.durations(
                metric::HTTP_CLIENT_REQUEST_DURATION,
                "Duration of HTTP client requests.",
                &boundaries::REQUEST_SECONDS,
            ),
            active: options.active_requests.then(|| {
                instrumentation.in_flight(
                    metric::HTTP_CLIENT_ACTIVE_REQUESTS,
                    "Number of active HTTP requests.",
                    unit::REQUESTS,
                )
            }),
            sizes: options.body_sizes.then(|| {
                BodySizes::new(
                    &instrumentation,
                    [
                        (
                            metric::HTTP_CLIENT_REQUEST_BODY_SIZE,
                            "Size of HTTP client request bodies.",
                        ),
                        (
                            metric::HTTP_CLIENT_RESPONSE_BODY_SIZE,
                            "Size of HTTP client response bodies.",
                        ),
                    ],
                )
            }),
            instrumentation,
        }
    }
}

/// What is known of a client's request.
#[derive(Debug)]
pub struct ClientCall {
    client: HttpClient,
    method: MethodLabel,
    no_body: NoBody,
    address: Option<Label>,
    port: Option<u16>,
    template: Option<UrlTemplate>,
    status: Option<StatusCode>,
    version: Option<Version>,
    announced: Option<u64>,
    response_bytes: u64,
    request_bytes: Option<Arc<AtomicU64>>,
    extra_metric: Vec<KeyValue>,
}

impl ClientCall {
    /// The bytes of the request's body are counted here.
    pub fn count_request_bytes(&mut self) -> Arc<AtomicU64> {
        self.request_bytes.get_or_insert_default().clone()
    }

    /// A request body of this many bytes went out.
    pub fn sent(&mut self, bytes: u64) {
        self.count_request_bytes().store(bytes, Ordering::Relaxed);
    }

    /// The response's head has arrived: its body is the one that the operation ends with. The
    /// operation ends at once where no body can follow.
    pub fn respond<B: Body>(
        mut operation: Operation<Self>,
        response: Response<B>,
    ) -> Response<OperationBody<B, Self>> {
        operation.describe_mut().announced = announced_length(&response);
        let (parts, body) = response.into_parts();
        let ends = Self::head(&mut operation, &parts) || body.is_end_stream();
        let operation = if ends {
            let outcome = operation.describe().status_outcome();
            operation.finish(&outcome);
            None
        } else {
            Some(operation)
        };
        Response::from_parts(parts, OperationBody::new(body, operation))
    }

    /// Whether the request ends with this head.
    fn head(operation: &mut Operation<Self>, head: &response::Parts) -> bool {
        let status = head.status;
        let call = operation.describe_mut();
        call.status = Some(status);
        call.version = Some(head.version);
        let bodiless = call.no_body.applies(status);
        let options = operation.describe().client.options();
        if operation.is_recording() && !options.response_headers.is_empty() {
            let span = operation.context().span();
            for attribute in options.response_headers.attributes(&head.headers) {
                span.set_attribute(attribute);
            }
        }
        bodiless
    }

    /// The address of the peer that answered.
    pub fn peer(operation: &Operation<Self>, peer: std::net::SocketAddr) {
        if operation.is_recording() {
            let address = address_value(peer.ip());
            operation.set_attribute(KeyValue::new(attribute::NETWORK_PEER_ADDRESS, address));
            operation.set_attribute(KeyValue::new(
                attribute::NETWORK_PEER_PORT,
                i64::from(peer.port()),
            ));
        }
    }

    /// The class of an error of the client or of a response's body.
    pub fn class<E: 'static>(&self, error: &E) -> ErrorType {
        (self.client.classify)(error).unwrap_or_else(|| error_type(error))
    }

    /// How a request ends whose response came in whole: an error from status 400 upwards.
    fn status_outcome(&self) -> Outcome {
        match self.status {
            Some(status) if status.as_u16() >= 400 => Outcome::Error(status_error(status)),
            _ => Outcome::Success,
        }
    }

    /// The request failed before its response's head. `message` goes to the exception event,
    /// where those are wanted.
    pub fn fail(operation: Operation<Self>, class: ErrorType, message: &dyn Display) {
        operation
            .describe()
            .exception(operation.context(), &class, message);
        operation.finish(&Outcome::Error(class));
    }

    /// Emits the error that ended the request as an event, where events are wanted.
    fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        let instrumentation = &self.client.running().instrumentation;
        let kind = Exception {
            name: event::HTTP_CLIENT_REQUEST_EXCEPTION,
            severity: Severity::Warn,
        };
        instrumentation.exception(kind, context, class, error);
    }

    fn span_name(&self) -> Cow<'static, str> {
        let method = self.method.span_name();
        match &self.template {
            None => Cow::Borrowed(method),
            Some(template) => {
                let name = format!("{method} {}", template.as_str());
                Interned::new(&name).map_or(Cow::Owned(name), |name| Cow::Borrowed(name.as_str()))
            }
        }
    }

    fn push_server(&self, list: &mut Vec<KeyValue>) {
        if let Some(address) = &self.address {
            list.push(KeyValue::new(attribute::SERVER_ADDRESS, address.value()));
        }
        if let Some(port) = self.port {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
    }

    /// Numbers for what all metrics of the request share; `None` where something is not interned.
    fn ids(&self) -> Option<(u64, u64, u64)> {
        if !self.extra_metric.is_empty() {
            return None;
        }
        let address = match &self.address {
            Some(address) => address.id()?,
            None => 0,
        };
        let template = match &self.template {
            Some(template) => Interned::new(template.as_str())?.id(),
            None => 0,
        };
        let port = self.port.map_or(0, |port| u64::from(port) << 8);
        Some((address, template, port | u64::from(self.method.id())))
    }

    fn active_key(&self) -> Option<SeriesKey> {
        let (address, template, packed) = self.ids()?;
        Some([address, 0, packed, template])
    }

    fn active_attributes(&self) -> Vec<KeyValue> {
        let mut list = vec![KeyValue::new(
            attribute::HTTP_REQUEST_METHOD,
            self.method.as_str(),
        )];
        self.push_server(&mut list);
        self.push_template(&mut list);
        extend_replacing(&mut list, self.extra_metric.clone());
        list
    }

    fn push_template(&self, list: &mut Vec<KeyValue>) {
        if let Some(template) = &self.template {
            list.push(KeyValue::new(attribute::URL_TEMPLATE, template.value()));
        }
    }

    fn series_key(&self, error: Option<&ErrorType>) -> Option<SeriesKey> {
        let (address, template, packed) = self.ids()?;
        let error = match error {
            Some(class) => Interned::new(class.as_str())?.id(),
            None => 0,
        };
        let status = self
            .status
            .map_or(0, |status| u64::from(status.as_u16()) << 24);
        let version = self
            .version
            .map_or(0, |version| u64::from(protocol_id(version)) << 40);
        Some([address, error, packed | status | version, template])
    }

    fn series_attributes(&self, error: Option<&ErrorType>) -> Vec<KeyValue> {
        let mut list = self.active_attributes();
        if let Some(class) = error {
            list.push(KeyValue::new(attribute::ERROR_TYPE, class.value()));
        }
        if let Some(status) = self.status {
            list.push(KeyValue::new(
                attribute::HTTP_RESPONSE_STATUS_CODE,
                i64::from(status.as_u16()),
            ));
        }
        if let Some(version) = self.version.and_then(protocol_version) {
            list.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
        }
        list
    }
}

impl Describe for ClientCall {
    fn end(&mut self, end: &End<'_>) {
        if let Some(span) = end.span() {
            if let Some(status) = self.status {
                span.set_attribute(KeyValue::new(
                    attribute::HTTP_RESPONSE_STATUS_CODE,
                    i64::from(status.as_u16()),
                ));
            }
            if let Some(version) = self.version.and_then(protocol_version) {
                span.set_attribute(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
            }
        }
        let running = self.client.running();
        let key = || self.series_key(end.error_type());
        let attributes = || self.series_attributes(end.error_type());
        if end.metrics() {
            let seconds = end.duration().as_secs_f64();
            running.duration.measure(seconds, key(), attributes);
        }
        if let Some(sizes) = &running.sizes {
            let request = self.request_bytes.as_ref();
            sizes.tell(
                end,
                request.map(|bytes| bytes.load(Ordering::Relaxed)),
                self.status.map(|_| self.response_bytes),
                key(),
                attributes,
            );
        }
        if *end.outcome() == Outcome::Panicked {
            self.exception(end.context(), &value::PANIC.into(), &"the client panicked");
        }
    }
}

impl DescribeBody for ClientCall {
    fn data(&mut self, data: &impl Buf, _: bool) {
        self.response_bytes += data.remaining() as u64;
    }

    fn failed<E: Display + 'static>(operation: &mut Operation<Self>, error: &E) -> Outcome {
        let call = operation.describe();
        let class = call.class(error);
        call.exception(operation.context(), &class, error);
        Outcome::Error(class)
    }

    fn outcome(operation: &mut Operation<Self>) -> Outcome {
        operation.describe().status_outcome()
    }

    fn left_unread(&mut self) -> Option<Outcome> {
        let outcome = self.status_outcome();
        let is_complete = self
            .announced
            .is_some_and(|announced| self.response_bytes >= announced);
        // What the head said of an error stands, whether or not the body was wanted.
        (is_complete || matches!(outcome, Outcome::Error(_))).then_some(outcome)
    }
}
