//! What the tests of OTLP need around a receiver.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use opentelemetry::logs::{LogRecord as _, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use otelware::telemetry::{Environment, Telemetry, TelemetryBuilder};
use otelware_testing::otlp::{Received, ReceivedRequest};

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

/// The values of one header, one for each request.
pub fn header(received: &Received, name: &str) -> Vec<Option<String>> {
    let value = |request: &ReceivedRequest| match request.header(name).as_slice() {
        [] => None,
        [value] => Some((*value).to_owned()),
        values => panic!("{name} is repeated: {values:?}"),
    };
    received.requests.iter().map(value).collect()
}

/// Polls `condition` until it holds, and fails after ten seconds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
