//! The life of a request at its server.

use super::access_log::AccessLog;
use super::names::Names;
use super::options::{Options, PeerAddress, RequestView, ResponseView};
use super::route;
use super::scheme::Scheme;
use super::streaming::{ResponseBody, Segments};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use otelware::http::{
    BodySizes, DescribeBody, HostPort, KnownMethods, MethodLabel, NoBody, not_reserved,
    protocol_id, protocol_version, status_error,
};
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::metrics::{Histogram, UpDownCounter};
use otelware::opentelemetry::trace::{Link, SpanKind, TraceContextExt};
use otelware::opentelemetry::{Context, Key, KeyValue, StringValue};
use otelware::operation::{
    Describe, End, ErrorType, Exception, Family, InFlight, Instrumentation, Interned, Label,
    Lazily, Operation, Outcome, Recent, Series, SeriesKey, Signals, Start, bounded,
    extend_replacing, is_doubled, recent_value,
};
use otelware::propagation::{self, HeaderExtractor, Inbound, Trust};
use otelware::semconv::{attribute, boundaries, event, metric, unit, value};
use std::borrow::Cow;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all services of one layer share.
pub(super) type Server = Lazily<Options, Running>;

/// What a layer needs at work.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) instrumentation: Instrumentation,
    known_methods: KnownMethods,
    names: Names,
    duration: Series<Histogram<f64>>,
    active: Option<Series<UpDownCounter<i64>>>,
    streams: Option<Series<UpDownCounter<i64>>>,
    sizes: Option<BodySizes>,
}

impl Running {
    /// What a layer needs at work, made at its first request.
    pub(super) fn of(server: &Server) -> &Self {
        server.get_or_make(Self::new)
    }

    fn new(options: &Options) -> Self {
        let instrumentation = Instrumentation::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &options.providers,
        );
        Self {
            known_methods: options
                .known_methods
                .clone()
                .unwrap_or_else(KnownMethods::from_env),
            names: Names::default(),
            duration: instrumentation.durations(
                metric::HTTP_SERVER_REQUEST_DURATION,
                "Duration of HTTP server requests.",
                &boundaries::REQUEST_SECONDS,
            ),
            active: options.active_requests.then(|| {
                instrumentation.in_flight(
                    metric::HTTP_SERVER_ACTIVE_REQUESTS,
                    "Number of active HTTP server requests.",
                    unit::REQUESTS,
                )
            }),
            streams: options.streaming.has_segments().then(|| {
                instrumentation.in_flight(
                    "otelware.http.server.active_streams",
                    "Number of response streams that are observed in segments.",
                    "{stream}",
                )
            }),
            sizes: options.body_sizes.then(|| {
                BodySizes::new(
                    &instrumentation,
                    [
                        (
                            metric::HTTP_SERVER_REQUEST_BODY_SIZE,
                            "Size of HTTP server request bodies.",
                        ),
                        (
                            metric::HTTP_SERVER_RESPONSE_BODY_SIZE,
                            "Size of HTTP server response bodies.",
                        ),
                    ],
                )
            }),
            instrumentation,
        }
    }

    /// Emits the error that ended a request or its stream as an event, where events are wanted.
    pub(super) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        self.instrumentation.exception(context, || Exception {
            name: event::HTTP_SERVER_REQUEST_EXCEPTION,
            severity: Severity::Error,
            error_type: class.clone(),
            message: Some(bounded(&error.to_string()).to_owned()),
        });
    }
}

thread_local! {
    /// What recent `Host` headers stand for.
    static HOSTS: Recent<(Option<StringValue>, Option<u16>)> = const { Recent::new() };
}

impl ServerCall {
    /// Begins a request. `None` where another layer observes it: one further out, or, if the
    /// options say so, the one for gRPC.
    pub(super) fn begin<B>(server: &Arc<Server>, request: &Request<B>) -> Option<Operation<Self>> {
        let options = server.options();
        if options.without_grpc && is_grpc(request) {
            return None;
        }
        if is_doubled(Family::HttpServer) {
            // The outer layer may not know the route that this one was put on.
            if let Some(route) = matched_route(request.extensions()) {
                route::set_route(route);
            }
            return None;
        }
        let running = Running::of(server);
        let view = RequestView {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        };
        let signals = options
            .filter
            .as_ref()
            .map_or(Signals::ALL, |filter| filter(view));
        let trust = options
            .trust
            .as_ref()
            .map_or(Trust::Trusted, |trust| trust(view));
        let Inbound { parent, link } = options.providers.with_propagator(|propagator| {
            propagation::extract(propagator, &HeaderExtractor(request.headers()), trust)
        });

        let method = running.known_methods.label(request.method());
        let own_route = options.route.as_ref().and_then(|hook| hook(view));
        let route = match own_route.as_deref() {
            Some(route) => Some(route),
            None => matched_route(request.extensions()),
        };
        let named = route.and_then(|route| running.names.route(route));
        let route = match named {
            Some(named) => Some(named.label()),
            None => route.map(Label::new),
        };
        let peer = || peer_address(request.extensions());
        let original = options
            .proxies
            .original(|| peer().map(|peer| peer.ip()), request.headers());
        let scheme = match original.as_ref().and_then(|original| original.scheme) {
            Some(scheme) => Scheme::new(scheme),
            None => request
                .uri()
                .scheme_str()
                .map_or(options.scheme, Scheme::new),
        };
        let own_name = options.span_name.as_ref().and_then(|hook| hook(view));
        let has_own_name = own_name.is_some();
        let name = match own_name {
            Some(name) => Cow::Owned(name),
            None => match named {
                Some(named) => named.name(method),
                None => running.names.of(method, route.as_ref()),
            },
        };
        let mut call = Self {
            server: server.clone(),
            method,
            route,
            late_route: false,
            has_own_name,
            no_body: NoBody::of(request.method()),
            scheme,
            version: request.version(),
            status: None,
            announced: None,
            response_bytes: None,
            extras: None,
        };
        if options.access_log {
            call.extras_mut().access_log = Some(AccessLog::new(view));
        }
        if let Some(hook) = &options.metric_attributes
            && signals.metrics()
        {
            call.extras_mut().metric_attributes = hook(view);
        }
        let in_flight = match &running.active {
            Some(active) if signals.metrics() => Some(call.count(active)),
            _ => None,
        };
        let start = Start {
            name,
            kind: SpanKind::Server,
            family: Family::HttpServer,
            parent,
            links: link.map(Link::with_context).into_iter().collect(),
            signals,
            cancellation: options.cancellation,
            in_flight,
        };
        Some(running.instrumentation.start(start, call, |call, list| {
            list.push(KeyValue::new(
                attribute::HTTP_REQUEST_METHOD,
                method.as_str(),
            ));
            if method.is_other() {
                let original = recent_value(view.method.as_str());
                list.push(KeyValue::new(
                    attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                    original,
                ));
            }
            let path = bounded(view.uri.path()).to_owned();
            list.push(KeyValue::new(attribute::URL_PATH, path));
            if let Some(query) = view.uri.query() {
                let query = bounded(&options.redaction.query(query)).to_owned();
                list.push(KeyValue::new(attribute::URL_QUERY, query));
            }
            list.push(KeyValue::new(attribute::URL_SCHEME, scheme.as_str()));
            if let Some(route) = &call.route {
                list.push(KeyValue::new(attribute::HTTP_ROUTE, route.value()));
            }
            if let Some(version) = protocol_version(view.version) {
                list.push(KeyValue::new(attribute::NETWORK_PROTOCOL_VERSION, version));
            }
            push_host(
                list,
                original.as_ref().and_then(|original| original.host),
                view,
            );
            if let Some(agent) = view.headers.get(header::USER_AGENT) {
                list.push(KeyValue::new(
                    attribute::USER_AGENT_ORIGINAL,
                    recent_value(agent),
                ));
            }
            push_client(list, original.and_then(|original| original.client), peer());
            if !options.request_headers.is_empty() {
                list.extend(options.request_headers.attributes(view.headers));
            }
            if let Some(hook) = &options.span_attributes {
                extend_replacing(list, not_reserved(hook(view), &RESERVED));
            }
            if options.response_attributes.is_some() {
                call.extras_mut().begun_with =
                    list.iter().map(|attribute| attribute.key.clone()).collect();
            }
        }))
    }
}

/// `server.address` and `server.port`: of the original request where a proxy is believed, else of
/// `:authority` or `Host`.
fn push_host(list: &mut Vec<KeyValue>, original: Option<&str>, request: RequestView<'_>) {
    let host = original
        .or_else(|| request.uri.authority().map(http::uri::Authority::as_str))
        .map(str::as_bytes)
        .or_else(|| Some(request.headers.get(header::HOST)?.as_bytes()));
    let Some(host) = host else { return };
    let (address, port) = HOSTS.with(|hosts| {
        hosts.get_or_insert_with(host, |host| {
            match std::str::from_utf8(host).ok().and_then(HostPort::parse) {
                Some(found) => (
                    Some(Arc::<str>::from(bounded(found.host)).into()),
                    found.port,
                ),
                None => (None, None),
            }
        })
    });
    if let Some(address) = address {
        list.push(KeyValue::new(attribute::SERVER_ADDRESS, address));
        if let Some(port) = port {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
    }
}

/// `client.address` and `network.peer.*`.
fn push_client(list: &mut Vec<KeyValue>, original: Option<&str>, peer: Option<SocketAddr>) {
    let peer = peer.map(|peer| {
        let address = recent_value(peer.ip().to_canonical().to_string());
        (address, i64::from(peer.port()))
    });
    let client = match original {
        Some(client) => Some(recent_value(client)),
        None => peer.as_ref().map(|(address, _)| address.clone()),
    };
    if let Some(client) = client {
        list.push(KeyValue::new(attribute::CLIENT_ADDRESS, client));
    }
    if let Some((address, port)) = peer {
        list.push(KeyValue::new(attribute::NETWORK_PEER_ADDRESS, address));
        list.push(KeyValue::new(attribute::NETWORK_PEER_PORT, port));
    }
}

/// A header's value, if it is text.
fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// gRPC is told from other requests by version, method and content type (gRPC over HTTP/2,
/// "Requests"). gRPC-Web, whose content type goes on with `-web`, is no gRPC.
fn is_grpc<B>(request: &Request<B>) -> bool {
    request.version() == Version::HTTP_2
        && *request.method() == Method::POST
        && request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|content_type| content_type.as_bytes().strip_prefix(b"application/grpc"))
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(feature = "axum")]
fn matched_route(extensions: &http::Extensions) -> Option<&str> {
    extensions
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_route(_: &http::Extensions) -> Option<&str> {
    None
}

fn peer_address(extensions: &http::Extensions) -> Option<SocketAddr> {
    if let Some(PeerAddress(peer)) = extensions.get() {
        return Some(*peer);
    }
    #[cfg(feature = "axum")]
    if let Some(axum::extract::ConnectInfo(peer)) = extensions.get() {
        return Some(*peer);
    }
    None
}

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
const RESERVED: [&str; 1] = [attribute::HTTP_ROUTE];

/// What is known of a request at its server.
#[derive(Debug)]
pub(super) struct ServerCall {
    server: Arc<Server>,
    method: MethodLabel,
    route: Option<Label>,
    /// Whether the route became known after the span had begun.
    late_route: bool,
    /// Whether a hook named the span.
    has_own_name: bool,
    /// Whether the request's method, whatever its label, leaves the response without a body.
    no_body: NoBody,
    scheme: Scheme,
    version: Version,
    status: Option<StatusCode>,
    /// How many bytes the response's body is to have.
    announced: Option<u64>,
    /// How many bytes of the response's body went by, if it is observed.
    response_bytes: Option<u64>,
    /// What few requests need.
    extras: Option<Box<Extras>>,
}

/// What is known of a request where options or the application ask for it. Apart from the rest,
/// so that requests without it are small.
#[derive(Debug, Default)]
struct Extras {
    /// The class that the application gave the response.
    own_error: Option<ErrorType>,
    /// The attributes that the span began with, where hooks may give some of them again.
    begun_with: Vec<Key>,
    /// The bytes of the request's body, as they flow.
    request_bytes: Option<Arc<AtomicU64>>,
    /// The attributes that a hook adds to all metrics.
    metric_attributes: Vec<KeyValue>,
    access_log: Option<AccessLog>,
}

impl ServerCall {
    /// The bytes of the request's body are counted here.
    pub(super) fn count_request_bytes(&mut self) -> Arc<AtomicU64> {
        let bytes = &mut self.extras_mut().request_bytes;
        bytes.get_or_insert_default().clone()
    }

    fn extras_mut(&mut self) -> &mut Extras {
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
        let exact = response.body().size_hint().exact();
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
        call.announced = exact.or_else(|| {
            text(response.headers(), &header::CONTENT_LENGTH)?
                .parse()
                .ok()
        });
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
            let outcome = operation.describe().outcome();
            operation.finish(&outcome);
            return response.map(ResponseBody::unobserved);
        }
        match options.streaming.ends_at_head(response.headers()) {
            None => response.map(|body| ResponseBody::observed(body, Some(operation))),
            Some(every) => {
                let segments = every.map(|every| operation.describe().segments(&operation, every));
                operation.describe_mut().response_bytes = None;
                let outcome = operation.describe().outcome();
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

    /// Emits the error that ended the request as an event, where events are wanted.
    pub(super) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        Running::of(&self.server).exception(context, class, error);
    }

    /// Counts the request while it is in flight.
    fn count(&self, series: &Series<UpDownCounter<i64>>) -> InFlight {
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
    fn class<E: 'static>(&self, error: &E) -> ErrorType {
        body_error_type(error)
    }

    fn data(&mut self, bytes: u64) {
        if let Some(flowed) = &mut self.response_bytes {
            *flowed += bytes;
        }
    }

    fn failed(&mut self, context: &Context, class: &ErrorType, error: &dyn Display) {
        self.exception(context, class, error);
    }

    fn outcome(&self) -> Outcome {
        let extras = self.extras.as_deref();
        if let Some(class) = extras.and_then(|extras| extras.own_error.as_ref()) {
            return Outcome::Error(class.clone());
        }
        match self.status {
            Some(status) if status.is_server_error() => Outcome::Error(status_error(status)),
            _ => Outcome::Success,
        }
    }

    fn is_complete(&self) -> bool {
        self.announced
            .zip(self.response_bytes)
            .is_some_and(|(announced, flowed)| flowed >= announced)
    }
}
