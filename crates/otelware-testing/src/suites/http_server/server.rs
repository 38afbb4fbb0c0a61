//! A server under test on loopback.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;

use opentelemetry::trace::SpanKind;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::expected::ExpectedRequest;
use super::wire::{Answer, Wire};
use crate::{Capture, HTTP_SECONDS, Scope, Span, expect_histogram, expect_up_down_counter};

const DURATION: &str = "http.server.request.duration";
const ACTIVE: &str = "http.server.active_requests";

/// A server under test on loopback, until it is dropped.
#[derive(Debug)]
pub struct TestServer {
    telemetry: Capture,
    scope: Scope,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl TestServer {
    /// Serves what `serve` makes of a listener. Its instrumentation of this scope sends to
    /// `telemetry` and counts requests in flight.
    pub async fn start<F>(
        telemetry: &Capture,
        scope: Scope,
        serve: impl FnOnce(TcpListener) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self {
            telemetry: telemetry.clone(),
            scope,
            address: listener.local_addr().unwrap(),
            serving: tokio::spawn(serve(listener)),
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it sends its telemetry to.
    pub const fn telemetry(&self) -> &Capture {
        &self.telemetry
    }

    /// A connection to it.
    pub async fn wire(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// The head of a request, without the empty line at its end.
    pub fn head(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    /// Sends a request without body on a connection of its own, which the server closes.
    pub async fn request(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
        let head = self.head(method, target, headers);
        self.exchange(format!("{head}connection: close\r\n\r\n"))
            .await
    }

    /// Sends `GET`.
    pub async fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[]).await
    }

    /// Sends bytes on a connection of its own and reads the answer until the server closes it.
    pub async fn exchange(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut wire = self.wire().await;
        wire.send(bytes).await;
        Answer::parse(&wire.read_to_end().await)
    }

    /// Sends a request to `/hang`, or another target whose handler never answers, and goes away
    /// when `there` is done.
    pub async fn abandon(&self, target: &str, there: impl Future<Output = ()>) {
        let mut wire = self.wire().await;
        wire.send(format!("{}\r\n", self.head("GET", target, &[])))
            .await;
        there.await;
    }

    /// What a request to this path must leave behind, at least.
    pub fn expect(&self, method: &str, path: &str) -> ExpectedRequest {
        ExpectedRequest::new(
            method,
            path,
            &self.address.ip().to_string(),
            self.address.port(),
        )
    }

    /// Asserts that the server's telemetry is exactly this, when all operations are over. Returns
    /// the server's spans, in the order of `expected`.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn assert(&self, expected: &[ExpectedRequest]) -> Vec<Span> {
        self.assert_besides(expected, &[]).await
    }

    /// As [`TestServer::assert`], where there are these further metrics.
    ///
    /// # Panics
    ///
    /// If it is not so.
    pub async fn assert_besides(
        &self,
        expected: &[ExpectedRequest],
        metrics: &[&str],
    ) -> Vec<Span> {
        let exported = expected.iter().filter(|request| request.exported).count();
        let measured = expected.iter().filter(|request| request.measured).count();
        let capture = self.telemetry.clone();
        let arrived = move || {
            let durations = capture.metrics();
            let durations = durations.iter().filter(|metric| metric.name == DURATION);
            server_spans(&capture).len() >= exported
                && durations.map(|metric| metric.total_count()).sum::<u64>() >= measured as u64
        };
        let what = format!("{exported} server spans and {measured} durations");
        self.telemetry.wait_until(&what, arrived).await;
        self.telemetry.settle().await;

        let spans = self.assert_spans(expected);
        self.assert_metrics(expected, metrics);
        if measured > 0 && measured == exported && expected.len() == measured {
            self.telemetry.metric(DURATION).assert_same_reading(&spans);
        }
        spans
    }

    fn assert_spans(&self, expected: &[ExpectedRequest]) -> Vec<Span> {
        let mut found = server_spans(&self.telemetry);
        found.sort_by_key(|span| span.start_time);
        let mut spans = Vec::new();
        for request in expected.iter().filter(|request| request.exported) {
            // A wrong query is to show as a difference.
            let position = found
                .iter()
                .position(|span| request.is_of(span) && request.has_query_of(span))
                .or_else(|| found.iter().position(|span| request.is_of(span)));
            let Some(position) = position else {
                panic!("no span of {request:?}; the others are {found:#?}");
            };
            let span = found.remove(position);
            span.assert(request.span(&self.scope));
            spans.push(span);
        }
        assert_eq!(found, [], "more spans than expected");
        spans
    }

    fn assert_metrics(&self, expected: &[ExpectedRequest], others: &[&str]) {
        let mut durations: BTreeMap<String, (_, u64)> = BTreeMap::new();
        let mut active: BTreeMap<String, _> = BTreeMap::new();
        for request in expected.iter().filter(|request| request.measured) {
            let attributes = request.metric_attributes();
            let entry = durations.entry(format!("{attributes:?}"));
            entry.or_insert((attributes, 0)).1 += 1;
            let attributes = request.active_attributes();
            active.insert(format!("{attributes:?}"), attributes);
        }
        let mut names: Vec<&str> = others.to_vec();
        if !durations.is_empty() {
            names.extend([ACTIVE, DURATION]);
        }
        names.sort_unstable();
        let metrics = self.telemetry.metrics();
        let found: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(found, names, "the metrics");
        if durations.is_empty() {
            return;
        }
        let version = self.scope.version.as_deref().unwrap_or_default();
        let schema_url = self.scope.schema_url.as_deref().unwrap_or_default();
        let mut duration = expect_histogram(DURATION)
            .unit("s")
            .description("Duration of HTTP server requests.")
            .boundaries(&HTTP_SECONDS)
            .scope(&self.scope.name, version, schema_url);
        for (attributes, count) in durations.into_values() {
            duration = duration.point(attributes, count);
        }
        self.telemetry.metric(DURATION).assert(duration);
        let mut in_flight = expect_up_down_counter(ACTIVE)
            .unit("{request}")
            .description("Number of active HTTP server requests.")
            .scope(&self.scope.name, version, schema_url);
        for attributes in active.into_values() {
            in_flight = in_flight.point(attributes, 0);
        }
        self.telemetry.metric(ACTIVE).assert(in_flight);
    }
}

fn server_spans(telemetry: &Capture) -> Vec<Span> {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.kind == SpanKind::Server);
    spans
}
