//! What the tests of the layers' options share: calls that need no socket, and what they must
//! leave behind.
#![allow(dead_code, reason = "each test uses some of it")]

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{self, Iter};
use http::{HeaderMap, HeaderName, Request, Response, Uri, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use otelware::opentelemetry::trace::SpanKind;
use otelware::propagation::CompositePropagator;
use otelware::semconv::SCHEMA_URL;
use otelware_testing::suites::grpc::shapes::Note;
use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
use otelware_testing::suites::grpc::shapes::shapes_server::ShapesServer;
use otelware_testing::suites::grpc::{Channel, Handlers, Script};
use otelware_testing::{
    Attributes, Capture, ExpectedSpan, HTTP_SECONDS, Value, attributes, expect_histogram,
    expect_span, expect_up_down_counter,
};
use otelware_tonic::{GrpcClientLayer, GrpcServerLayer};
use std::convert::Infallible;
use tonic::metadata::{Ascii, MetadataValue};
use tower::{Service, ServiceExt, service_fn};

/// The target of all calls.
pub(crate) const ORIGIN: &str = "http://shop.example:50051";
pub(crate) const HOST: &str = "shop.example";
pub(crate) const PORT: u16 = 50_051;

pub(crate) const UNARY: &str = "otelware.test.Shapes/Unary";
pub(crate) const CLIENT_STREAM: &str = "otelware.test.Shapes/ClientStream";
pub(crate) const SERVER_STREAM: &str = "otelware.test.Shapes/ServerStream";
pub(crate) const BIDI: &str = "otelware.test.Shapes/Bidi";

pub(crate) const SERVER_DURATION: &str = "rpc.server.call.duration";
pub(crate) const CLIENT_DURATION: &str = "rpc.client.call.duration";
pub(crate) const SERVER_ACTIVE: &str = "otelware.rpc.server.active_calls";
pub(crate) const CLIENT_ACTIVE: &str = "otelware.rpc.client.active_calls";

/// The scope of all telemetry: name, version, schema.
pub(crate) const SCOPE: (&str, &str, &str) =
    ("otelware-tonic", env!("CARGO_PKG_VERSION"), SCHEMA_URL);

pub(crate) fn server_layer(telemetry: &Capture) -> GrpcServerLayer {
    GrpcServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_calls()
}

/// The same with all methods of the service known.
pub(crate) fn listed_layer(telemetry: &Capture) -> GrpcServerLayer {
    server_layer(telemetry).with_known_methods([UNARY, CLIENT_STREAM, SERVER_STREAM, BIDI])
}

pub(crate) fn client_layer(telemetry: &Capture) -> GrpcClientLayer {
    GrpcClientLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_active_calls()
}

/// Handlers whose own spans are no part of a test.
pub(crate) fn handlers() -> Handlers {
    Handlers::new(&Capture::new(), CompositePropagator::default())
}

pub(crate) fn shapes() -> ShapesServer<Handlers> {
    ShapesServer::new(handlers())
}

/// A generated client of a service in this process.
pub(crate) fn client_of<S: Channel>(service: S) -> ShapesClient<S> {
    ShapesClient::with_origin(service, Uri::from_static(ORIGIN))
}

pub(crate) fn note(number: u64, text: &str) -> Note {
    Note {
        number,
        text: text.to_owned(),
    }
}

/// A request with the script for its handler.
pub(crate) fn told<T>(message: T, script: Script) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    script.write(request.metadata_mut());
    request
}

/// A request for the handler that answers.
pub(crate) fn plain() -> tonic::Request<Note> {
    told(note(1, ""), Script::Answer)
}

/// The request with further metadata.
pub(crate) fn with_metadata<T>(
    mut request: tonic::Request<T>,
    metadata: &[(&'static str, &str)],
) -> tonic::Request<T> {
    for (key, value) in metadata {
        let value = MetadataValue::<Ascii>::try_from(*value).unwrap();
        request.metadata_mut().append(*key, value);
    }
    request
}

/// The entry of the lines that handlers with `Script::Context` answer with.
pub(crate) fn line<'a>(note: &'a Note, name: &str) -> Option<&'a str> {
    note.text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// A request as gRPC's clients send it, without a message.
pub(crate) fn request(path: &str) -> Request<Full<Bytes>> {
    request_with(path, Full::default())
}

pub(crate) fn request_with<B>(path: &str, body: B) -> Request<B> {
    Request::post(format!("{ORIGIN}{path}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

/// A message as it goes over the wire.
pub(crate) fn framed(message: &[u8], is_compressed: bool) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_u8(u8::from(is_compressed));
    bytes.put_u32(message.len() as u32);
    bytes.put_slice(message);
    bytes.freeze()
}

pub(crate) type Frames<E> = StreamBody<Iter<std::vec::IntoIter<Result<Frame<Bytes>, E>>>>;

/// A body of these frames.
pub(crate) fn frames<E>(frames: Vec<Result<Frame<Bytes>, E>>) -> Frames<E> {
    StreamBody::new(stream::iter(frames))
}

pub(crate) fn trailers<E>(trailers: &[(&'static str, &'static str)]) -> Result<Frame<Bytes>, E> {
    Ok(Frame::trailers(header_map(trailers)))
}

pub(crate) fn header_map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    let parsed = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    let mut map = HeaderMap::new();
    for (name, value) in parsed {
        map.append(name, value);
    }
    map
}

/// A response of gRPC's with this body.
pub(crate) fn response<B>(body: B) -> Response<B> {
    Response::builder()
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap()
}

/// An empty stream of messages that ends well.
pub(crate) fn fine() -> Response<Frames<Infallible>> {
    response(frames(vec![trailers(&[("grpc-status", "0")])]))
}

/// A service that reads its request and answers with these frames.
pub(crate) fn reading<B>(
    answer: Vec<Bytes>,
) -> impl Service<Request<B>, Response = Response<Frames<Infallible>>, Error = Infallible, Future: Send>
+ Clone
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static,
{
    service_fn(move |request: Request<B>| {
        let mut answer: Vec<_> = answer.iter().cloned().map(Frame::data).map(Ok).collect();
        answer.push(trailers(&[("grpc-status", "0")]));
        async move {
            request.into_body().collect().await.unwrap();
            Ok(response(frames(answer)))
        }
    })
}

/// What an event tells of a message.
pub(crate) fn message(direction: &str, number: u32, size: &str, bytes: u32) -> Attributes {
    attributes! {
        "rpc.message.type" => direction,
        "rpc.message.id" => number,
        size => bytes,
    }
}

pub(crate) const PLAIN: &str = "rpc.message.uncompressed_size";
pub(crate) const COMPRESSED: &str = "rpc.message.compressed_size";

/// Sends a request and reads all of its response.
pub(crate) async fn exchange<S, Req, Res>(service: &S, request: Request<Req>) -> Response<Bytes>
where
    S: Service<Request<Req>, Response = Response<Res>> + Clone,
    S::Error: std::fmt::Debug,
    Res: http_body::Body<Error: std::fmt::Debug>,
{
    let response = service.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, body)
}

/// Everything that one call must leave behind on one side: what is not said must be absent.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct ExpectedCall {
    kind: SpanKind,
    method: String,
    is_other: bool,
    is_late: bool,
    code: Option<&'static str>,
    error_type: Option<&'static str>,
    failed: bool,
    address: Option<(&'static str, Option<u16>)>,
    on_span: Attributes,
    on_metrics: Attributes,
}

impl ExpectedCall {
    fn new(kind: SpanKind, method: &str) -> Self {
        Self {
            kind,
            method: method.to_owned(),
            is_other: false,
            is_late: false,
            code: Some("OK"),
            error_type: None,
            failed: false,
            address: Some((HOST, Some(PORT))),
            on_span: Attributes::new(),
            on_metrics: Attributes::new(),
        }
    }

    /// A call that ends with `OK`, at its server.
    pub(crate) fn server(method: &str) -> Self {
        Self::new(SpanKind::Server, method)
    }

    /// A call that ends with `OK`, at its client.
    pub(crate) fn client(method: &str) -> Self {
        Self::new(SpanKind::Client, method)
    }

    /// The method is none that is told apart.
    pub(crate) fn other(mut self) -> Self {
        self.is_other = true;
        self
    }

    /// The method became known after the call had begun.
    pub(crate) fn learned(mut self) -> Self {
        self.is_late = true;
        self
    }

    /// Ends with this code, which may be an error of this side.
    pub(crate) fn code(mut self, code: &'static str) -> Self {
        let is_error = match self.kind {
            SpanKind::Client => code != "OK",
            _ => matches!(
                code,
                "UNKNOWN"
                    | "DEADLINE_EXCEEDED"
                    | "UNIMPLEMENTED"
                    | "INTERNAL"
                    | "UNAVAILABLE"
                    | "DATA_LOSS"
            ),
        };
        self.code = Some(code);
        self.error_type = is_error.then_some(code);
        self.failed = is_error;
        self
    }

    /// Is dropped; by default that is no error.
    pub(crate) fn cancelled(mut self) -> Self {
        self.code = Some("CANCELLED");
        self.error_type = None;
        self.failed = false;
        self
    }

    /// Has this class of error, and the span's status says so if it `failed`.
    pub(crate) fn error(mut self, class: &'static str, failed: bool) -> Self {
        self.error_type = Some(class);
        self.failed = failed;
        self
    }

    /// Has no status code.
    pub(crate) fn no_code(mut self) -> Self {
        self.code = None;
        self
    }

    pub(crate) fn panicked(self) -> Self {
        self.no_code().error("panic", true)
    }

    pub(crate) fn address(mut self, address: Option<(&'static str, Option<u16>)>) -> Self {
        self.address = address;
        self
    }

    pub(crate) fn on_span(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_span.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn on_metrics(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_metrics.insert(key.to_owned(), value.into());
        self
    }

    fn push_address(&self, attributes: &mut Attributes) {
        if let Some((host, port)) = self.address {
            attributes.insert("server.address".to_owned(), host.into());
            if let Some(port) = port {
                attributes.insert("server.port".to_owned(), port.into());
            }
        }
    }

    fn push_end(&self, attributes: &mut Attributes) {
        if let Some(code) = self.code {
            attributes.insert("rpc.status_code".to_owned(), code.into());
        }
        if let Some(class) = self.error_type {
            attributes.insert("error.type".to_owned(), class.into());
        }
    }

    /// The whole span but for its parent and events.
    pub(crate) fn span(&self) -> ExpectedSpan {
        let (name, method) = match self.is_other {
            true => ("grpc", "_OTHER"),
            false => (self.method.as_str(), self.method.as_str()),
        };
        let mut whole = attributes! { "rpc.system.name" => "grpc", "rpc.method" => method };
        if self.is_other {
            whole.insert("rpc.method_original".to_owned(), (&self.method).into());
        }
        self.push_address(&mut whole);
        self.push_end(&mut whole);
        whole.extend(self.on_span.clone());
        let (scope, version, schema) = SCOPE;
        let span = expect_span(name)
            .kind(self.kind.clone())
            .scope(scope, version, schema)
            .attributes(whole);
        if self.failed { span.error() } else { span }
    }

    /// The attributes of calls in flight.
    pub(crate) fn active_attributes(&self) -> Attributes {
        let method = match self.is_other || self.is_late {
            true => "_OTHER",
            false => self.method.as_str(),
        };
        self.known_at_start(method)
    }

    fn known_at_start(&self, method: &str) -> Attributes {
        let mut known = attributes! { "rpc.system.name" => "grpc", "rpc.method" => method };
        if self.kind == SpanKind::Client {
            self.push_address(&mut known);
        }
        known.extend(self.on_metrics.clone());
        known
    }

    /// The attributes of the duration and of the other histograms.
    pub(crate) fn metric_attributes(&self) -> Attributes {
        let method = if self.is_other {
            "_OTHER"
        } else {
            &self.method
        };
        let mut whole = self.known_at_start(method);
        self.push_end(&mut whole);
        whole
    }
}

/// All metrics are the durations and counts in flight of these calls, which are over, and those
/// named `besides`.
#[track_caller]
pub(crate) fn assert_metrics(telemetry: &Capture, calls: &[ExpectedCall], besides: &[&str]) {
    let mut names: Vec<String> = besides.iter().map(|name| (*name).to_owned()).collect();
    for (kind, duration, active, direction) in [
        (SpanKind::Client, CLIENT_DURATION, CLIENT_ACTIVE, "outgoing"),
        (SpanKind::Server, SERVER_DURATION, SERVER_ACTIVE, "incoming"),
    ] {
        let calls: Vec<&ExpectedCall> = calls.iter().filter(|call| call.kind == kind).collect();
        if calls.is_empty() {
            continue;
        }
        names.extend([duration.to_owned(), active.to_owned()]);
        assert_durations(telemetry, &calls, duration, direction);
        assert_over(telemetry, &calls, active);
    }
    names.sort();
    let metrics = telemetry.metrics();
    let found: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(found, names, "the metrics");
}

#[track_caller]
fn assert_durations(telemetry: &Capture, calls: &[&ExpectedCall], name: &str, direction: &str) {
    let (scope, version, schema) = SCOPE;
    let mut expected = expect_histogram(name)
        .unit("s")
        .description(format!(
            "Measures the duration of an {direction} Remote Procedure Call (RPC)."
        ))
        .boundaries(&HTTP_SECONDS)
        .scope(scope, version, schema);
    let mut points: Vec<(Attributes, u64)> = Vec::new();
    for call in calls {
        let attributes = call.metric_attributes();
        match points.iter_mut().find(|(other, _)| *other == attributes) {
            Some((_, count)) => *count += 1,
            None => points.push((attributes, 1)),
        }
    }
    for (attributes, count) in points {
        expected = expected.point(attributes, count);
    }
    telemetry.metric(name).assert(expected);
}

#[track_caller]
fn assert_over(telemetry: &Capture, calls: &[&ExpectedCall], name: &str) {
    let (scope, version, schema) = SCOPE;
    let mut expected = expect_up_down_counter(name)
        .unit("{call}")
        .description("Number of calls in flight.")
        .scope(scope, version, schema);
    let mut points: Vec<Attributes> = Vec::new();
    for call in calls {
        let attributes = call.active_attributes();
        if !points.contains(&attributes) {
            points.push(attributes.clone());
            expected = expected.point(attributes, 0);
        }
    }
    telemetry.metric(name).assert(expected);
}

/// The only span and all metrics are those of this call.
#[track_caller]
pub(crate) fn assert_call(telemetry: &Capture, call: &ExpectedCall) {
    assert_calls(telemetry, std::slice::from_ref(call));
}

/// All spans, in this order, and all metrics are those of these calls, which are roots.
#[track_caller]
pub(crate) fn assert_calls(telemetry: &Capture, calls: &[ExpectedCall]) {
    let spans = telemetry.spans();
    assert_eq!(spans.len(), calls.len(), "{}", telemetry.dump());
    for (span, call) in spans.iter().zip(calls) {
        span.assert(call.span());
    }
    assert_metrics(telemetry, calls, &[]);
}
