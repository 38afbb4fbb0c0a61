//! A client, a server, what lies between them, and what is captured of both.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer, TracerProvider};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Endpoint;

use super::GrpcUnderTest;
use super::call::Call;
use super::expected::{Address, ExpectedCall};
use super::handlers::Handlers;
use super::link::Link;
use super::script::Script;
use super::shapes::shapes_server::ShapesServer;
use super::shapes::{Note, Shape};
use crate::{
    Attributes, Capture, HTTP_SECONDS, Scope, Span, expect_histogram, expect_up_down_counter,
};

const SERVER_DURATION: &str = "rpc.server.call.duration";
const CLIENT_DURATION: &str = "rpc.client.call.duration";
const SERVER_ACTIVE: &str = "otelware.rpc.server.active_calls";
const CLIENT_ACTIVE: &str = "otelware.rpc.client.active_calls";

/// The name of the test's own spans.
pub(super) const TEST_SPAN: &str = "test";

/// What is other than usual.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) telemetry: Capture,
    /// Whether the server learns that the client has lost its interest in a call.
    pub(super) resets: bool,
    /// The endpoint's own limit of all calls.
    pub(super) timeout: Option<Duration>,
    /// Whether there is a server.
    pub(super) server: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            telemetry: Capture::new(),
            resets: true,
            timeout: None,
            server: true,
        }
    }
}

pub(super) struct Case<G: GrpcUnderTest> {
    pub(super) telemetry: Capture,
    pub(super) handlers: Handlers,
    pub(super) link: Option<Link>,
    pub(super) endpoint: Endpoint,
    pub(super) channel: G::Channel,
    port: u16,
    serving: JoinHandle<()>,
    /// Up-down counters keep their points, at zero.
    server_active: BTreeMap<String, Attributes>,
    client_active: BTreeMap<String, Attributes>,
    under_test: PhantomData<G>,
}

impl<G: GrpcUnderTest> Drop for Case<G> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The spans of one call, as far as there are any.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    pub(super) client: Option<Span>,
    pub(super) server: Option<Span>,
    /// Those of user code in the same trace, but the test's own.
    pub(super) others: Vec<Span>,
}

impl<G: GrpcUnderTest> Case<G> {
    pub(super) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let telemetry = setup.telemetry;
        let handlers = Handlers::new(&telemetry, G::propagator());
        let (link, serving, address) = if setup.server {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let shapes = ShapesServer::new(handlers.clone());
            let serving = tokio::spawn(G::serve(listener, telemetry.clone(), shapes));
            let link = if setup.resets {
                Link::start(address).await
            } else {
                Link::without_resets(address).await
            };
            let address = link.address();
            (Some(link), serving, address)
        } else {
            // Bound, so that nobody else gets the port, and not listening.
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
            let address = socket.local_addr().unwrap();
            let holding = async move {
                pending::<()>().await;
                drop(socket);
            };
            (None, tokio::spawn(holding), address)
        };
        let mut endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        if let Some(timeout) = setup.timeout {
            endpoint = endpoint.timeout(timeout);
        }
        let mut case = Self {
            channel: G::channel(&endpoint, telemetry.clone()),
            telemetry,
            handlers,
            link,
            endpoint,
            port: address.port(),
            serving,
            server_active: BTreeMap::new(),
            client_active: BTreeMap::new(),
            under_test: PhantomData,
        };
        if !G::KNOWS_METHODS && case.link.is_some() {
            case.teach().await;
        }
        case
    }

    /// Shows the server's instrumentation each method once.
    async fn teach(&mut self) {
        for shape in Shape::ALL {
            let (_, notes) = self.call(shape, Call::new(Script::Answer)).await;
            assert!(!notes.unwrap().is_empty());
        }
        let capture = self.telemetry.clone();
        let arrived = move || of_kind(&capture, &SpanKind::Server).len() >= Shape::ALL.len();
        self.telemetry
            .wait_until("a span of each shape", arrived)
            .await;
        self.telemetry.settle().await;
        for metric in self.telemetry.metrics() {
            let known = match metric.name.as_str() {
                SERVER_ACTIVE => &mut self.server_active,
                CLIENT_ACTIVE => &mut self.client_active,
                _ => continue,
            };
            for point in metric.points {
                known.insert(format!("{:?}", point.attributes), point.attributes);
            }
        }
        self.telemetry.reset();
    }

    /// The port that clients connect to.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// A context with a span of the test, the root of a trace.
    pub(super) fn test_span(&self, base: &Context) -> Context {
        let tracer = self.telemetry.tracer_provider().tracer("test");
        base.with_span(tracer.start_with_context(TEST_SPAN, base))
    }

    /// What `making` makes in a span of the test, which ends with it.
    pub(super) async fn within<T>(&self, making: impl Future<Output = T>) -> (Context, T) {
        self.within_context(&Context::new(), making).await
    }

    async fn within_context<T>(
        &self,
        base: &Context,
        making: impl Future<Output = T>,
    ) -> (Context, T) {
        let context = self.test_span(base);
        let made = making.with_context(context.clone()).await;
        context.span().end();
        (context, made)
    }

    /// Makes a call in a span of the test, and reads all its responses.
    pub(super) async fn call(
        &self,
        shape: Shape,
        call: Call,
    ) -> (Context, Result<Vec<Note>, Status>) {
        self.call_with(&Context::new(), shape, call).await
    }

    /// As [`Case::call`], with what else is in this context.
    pub(super) async fn call_with(
        &self,
        base: &Context,
        shape: Shape,
        call: Call,
    ) -> (Context, Result<Vec<Note>, Status>) {
        let channel = self.channel.clone();
        let calling = async { call.start(channel, shape).await?.rest().await };
        self.within_context(base, calling).await
    }

    fn address(&self) -> Address {
        let ports = self.link.as_ref().map(Link::ports).unwrap_or_default();
        Address {
            server: self.port,
            // A client that is not under test has a later connection of its own.
            peer: ports.last().copied(),
        }
    }

    /// Asserts that the telemetry of both sides is exactly that of these calls, when all
    /// operations are over, and forgets it.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub(super) async fn assert(&mut self, expected: &[ExpectedCall]) -> Vec<Spans> {
        let clients = expected.iter().filter(|call| call.client.is_some()).count();
        let servers = expected.iter().filter(|call| call.server.is_some()).count();
        let capture = self.telemetry.clone();
        let exported = expected.iter().all(|call| call.exported);
        let arrived = move || {
            let spans = of_kind(&capture, &SpanKind::Client).len() >= clients
                && of_kind(&capture, &SpanKind::Server).len() >= servers;
            (spans || !exported)
                && measured(&capture, CLIENT_DURATION) >= clients as u64
                && measured(&capture, SERVER_DURATION) >= servers as u64
        };
        let what = format!("{clients} calls of the client and {servers} calls of the server");
        self.telemetry.wait_until(&what, arrived).await;
        self.telemetry.settle().await;

        let spans = self.assert_spans(expected);
        self.assert_metrics(expected);
        if exported {
            self.assert_durations(&spans);
        }
        assert_eq!(self.telemetry.logs(), []);
        self.telemetry.reset();
        spans
    }

    fn assert_spans(&self, expected: &[ExpectedCall]) -> Vec<Spans> {
        let scope = G::scope();
        let address = self.address();
        let mut clients = of_kind(&self.telemetry, &SpanKind::Client);
        let mut servers = of_kind(&self.telemetry, &SpanKind::Server);
        let mut all = Vec::new();
        for call in expected.iter().filter(|call| call.exported) {
            let client = call.client.map(|end| {
                let span = take(&mut clients, call, None);
                span.assert(call.client_span(end, &scope, address));
                span
            });
            let server = call.server.map(|end| {
                let span = take(&mut servers, call, client.as_ref());
                span.assert(call.server_span(end, &scope, address, client.as_ref()));
                span
            });
            let trace = client
                .as_ref()
                .or(server.as_ref())
                .map(|span| span.trace_id);
            let mut others = trace.map_or_else(Vec::new, |trace| self.telemetry.trace(trace));
            others.retain(|span| span.kind == SpanKind::Internal && span.name != TEST_SPAN);
            all.push(Spans {
                client,
                server,
                others,
            });
        }
        assert_eq!(clients, [], "more spans of the client than expected");
        assert_eq!(servers, [], "more spans of the server than expected");
        all
    }

    fn assert_metrics(&mut self, expected: &[ExpectedCall]) {
        let address = self.address();
        let mut client_durations = BTreeMap::new();
        let mut server_durations = BTreeMap::new();
        for call in expected {
            if let Some(end) = call.client {
                count(&mut client_durations, call.client_duration(end, address));
                let attributes = call.client_attributes(address);
                self.client_active
                    .insert(format!("{attributes:?}"), attributes);
            }
            if let Some(end) = call.server {
                count(&mut server_durations, call.server_duration(end));
                let attributes = call.server_attributes();
                self.server_active
                    .insert(format!("{attributes:?}"), attributes);
            }
        }
        let mut names = Vec::new();
        for (active, name) in [
            (&self.client_active, CLIENT_ACTIVE),
            (&self.server_active, SERVER_ACTIVE),
        ] {
            if !active.is_empty() {
                names.push(name);
                self.assert_active(name, active);
            }
        }
        for (durations, name, direction) in [
            (client_durations, CLIENT_DURATION, "outgoing"),
            (server_durations, SERVER_DURATION, "incoming"),
        ] {
            if !durations.is_empty() {
                names.push(name);
                self.assert_duration(name, direction, durations);
            }
        }
        let metrics = self.telemetry.metrics();
        let found: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(found, names, "the metrics");
    }

    fn assert_active(&self, name: &str, active: &BTreeMap<String, Attributes>) {
        let (scope, version, schema_url) = parts(&G::scope());
        let mut expected =
            expect_up_down_counter(name)
                .unit("{call}")
                .scope(&scope, &version, &schema_url);
        for attributes in active.values() {
            expected = expected.point(attributes.clone(), 0);
        }
        self.telemetry.metric(name).assert(expected);
    }

    fn assert_duration(
        &self,
        name: &str,
        direction: &str,
        durations: BTreeMap<String, (Attributes, u64)>,
    ) {
        let (scope, version, schema_url) = parts(&G::scope());
        let mut expected = expect_histogram(name)
            .unit("s")
            .description(format!(
                "Measures the duration of an {direction} Remote Procedure Call (RPC)."
            ))
            .boundaries(&HTTP_SECONDS)
            .scope(&scope, &version, &schema_url);
        for (attributes, count) in durations.into_values() {
            expected = expected.point(attributes, count);
        }
        self.telemetry.metric(name).assert(expected);
    }

    /// Span and metric are of one reading of the clock.
    fn assert_durations(&self, spans: &[Spans]) {
        let clients: Vec<&Span> = spans
            .iter()
            .filter_map(|call| call.client.as_ref())
            .collect();
        let servers: Vec<&Span> = spans
            .iter()
            .filter_map(|call| call.server.as_ref())
            .collect();
        for (spans, name) in [(clients, CLIENT_DURATION), (servers, SERVER_DURATION)] {
            if !spans.is_empty() {
                self.telemetry.metric(name).assert_same_reading(spans);
            }
        }
    }
}

fn parts(scope: &Scope) -> (String, String, String) {
    let scope = scope.clone();
    let version = scope.version.unwrap_or_default();
    (scope.name, version, scope.schema_url.unwrap_or_default())
}

fn count(durations: &mut BTreeMap<String, (Attributes, u64)>, attributes: Attributes) {
    let entry = durations.entry(format!("{attributes:?}"));
    entry.or_insert((attributes, 0)).1 += 1;
}

fn measured(telemetry: &Capture, name: &str) -> u64 {
    let metrics = telemetry.metrics();
    let durations = metrics.iter().filter(|metric| metric.name == name);
    durations.map(crate::Metric::total_count).sum()
}

fn of_kind(telemetry: &Capture, kind: &SpanKind) -> Vec<Span> {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.kind == *kind);
    spans
}

fn take(spans: &mut Vec<Span>, call: &ExpectedCall, client: Option<&Span>) -> Span {
    let is_of_call = |span: &Span| match client {
        Some(client) => span.trace_id == client.trace_id,
        None => call.is_of(span),
    };
    let Some(position) = spans.iter().position(is_of_call) else {
        panic!("no span of {call:?}; the others are {spans:#?}");
    };
    spans.remove(position)
}

/// Tells what was going on, where a test fails that does many things.
pub(super) struct Doing(pub(super) String);

impl Drop for Doing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this failed: {}", self.0);
        }
    }
}
