//! OTLP endpoints on the loopback interface, and what tests need around them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

pub mod grpc;
pub mod http;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use opentelemetry::logs::{LogRecord as _, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use otelware::telemetry::{Environment, Telemetry, TelemetryBuilder};
use tokio::runtime::{Builder, Runtime};

/// Everything an endpoint has received.
#[derive(Clone, Default)]
pub struct Received {
    pub traces: Vec<ExportTraceServiceRequest>,
    pub logs: Vec<ExportLogsServiceRequest>,
    pub metrics: Vec<ExportMetricsServiceRequest>,
    /// Path (of HTTP) or method (of gRPC) and headers of each request, in lower case.
    pub requests: Vec<(String, Vec<(String, String)>)>,
}

pub type Shared = Arc<Mutex<Received>>;

impl Received {
    pub fn spans(&self) -> Vec<&Span> {
        let resources = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| &scope.spans).collect()
    }

    pub fn span_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .spans()
            .into_iter()
            .map(|span| span.name.clone())
            .collect();
        names.sort();
        names
    }

    pub fn log_records(&self) -> Vec<&LogRecord> {
        let resources = self.logs.iter().flat_map(|request| &request.resource_logs);
        let scopes = resources.flat_map(|resource| &resource.scope_logs);
        scopes.flat_map(|scope| &scope.log_records).collect()
    }

    pub fn metric_names(&self) -> Vec<String> {
        let resources = self
            .metrics
            .iter()
            .flat_map(|request| &request.resource_metrics);
        let scopes = resources.flat_map(|resource| &resource.scope_metrics);
        let metrics = scopes.flat_map(|scope| &scope.metrics);
        metrics.map(|metric| metric.name.clone()).collect()
    }

    /// The values of one header, one for each request.
    pub fn header(&self, name: &str) -> Vec<Option<String>> {
        let value = |headers: &[(String, String)]| {
            let mut values = headers
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.clone());
            let first = values.next();
            assert_eq!(values.next(), None, "{name} is repeated");
            first
        };
        self.requests
            .iter()
            .map(|(_, headers)| value(headers))
            .collect()
    }

    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.requests.iter().map(|(path, _)| path.clone()).collect();
        paths.sort();
        paths
    }
}

/// A telemetry of its own, for the endpoint at `address`.
pub fn builder(protocol: &str, address: SocketAddr, more: &[(&str, &str)]) -> TelemetryBuilder {
    let endpoint = format!("http://{address}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ];
    Telemetry::builder("orders")
        .without_globals()
        .with_environment(Environment::from_iter(
            variables.into_iter().chain(more.iter().copied()),
        ))
}

/// One span, one log record and one measurement.
pub fn emit(telemetry: &Telemetry) {
    end_span(telemetry, "checkout");
    let logger = telemetry.logger_provider().logger("test");
    let mut record = logger.create_log_record();
    record.set_body("paid".into());
    logger.emit(record);
    telemetry
        .meter_provider()
        .meter("test")
        .u64_counter("orders")
        .build()
        .add(1, &[]);
}

/// One span.
pub fn end_span(telemetry: &Telemetry, name: &'static str) {
    telemetry.tracer_provider().tracer("test").start(name).end();
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end without any asynchronous runtime.
pub fn wait<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A runtime that may be made and dropped anywhere, inside asynchronous code, too.
pub struct BackgroundRuntime(Option<Runtime>);

impl BackgroundRuntime {
    fn start() -> Self {
        let mut builder = Builder::new_multi_thread();
        Self(Some(
            builder.worker_threads(1).enable_all().build().unwrap(),
        ))
    }

    fn listen(&self, address: SocketAddr) -> tokio::net::TcpListener {
        let _context = self.0.as_ref().unwrap().enter();
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        tokio::net::TcpListener::from_std(listener).unwrap()
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.as_ref().unwrap().spawn(future);
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// A writer that keeps what is written.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An address on which nobody listens.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Polls `condition` until it holds, and fails after ten seconds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
