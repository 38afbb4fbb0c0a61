//! An OpenTelemetry collector in this process: it counts all that it is sent, keeps the traces that are to be shown,
//! and the last of the metrics.

mod metrics;
mod otlp;
pub(super) mod traces;

use metrics::Metrics;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use otelware::opentelemetry::trace::TraceId;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use traces::Traces;

/// Receives OTLP over gRPC until it is dropped.
pub(super) struct Collector {
    address: SocketAddr,
    state: Shared,
    _server: JoinSet<()>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    received: BTreeMap<String, Received>,
    traces: Traces,
    metrics: Metrics,
}

/// The most services that are told apart.
const MAXIMUM_SERVICES: usize = 32;

/// What a service has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) spans: u64,
    pub(super) logs: u64,
    /// Collections of all metrics.
    pub(super) metrics: u64,
}

/// A span, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct ServiceSpan {
    pub(super) service: Arc<str>,
    pub(super) span: Span,
}

impl Collector {
    /// Listens on a free port of loopback.
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Shared::default();
        let mut server = JoinSet::new();
        server.spawn(otlp::serve(listener, state.clone()));
        Ok(Self {
            address,
            state,
            _server: server,
        })
    }

    /// As for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Keeps the spans of this trace that are still to come, and of those that are linked to it.
    pub(super) fn want(&self, trace: TraceId) {
        self.state.lock().traces.want(trace);
    }

    /// The spans of a trace that was wanted.
    pub(super) fn spans(&self, trace: TraceId) -> Vec<ServiceSpan> {
        self.state.lock().traces.of(trace).to_vec()
    }

    /// The traces that have links to a trace that was wanted, and are not wanted themselves.
    pub(super) fn linked(&self, trace: TraceId) -> Vec<TraceId> {
        self.state.lock().traces.linked(trace).to_vec()
    }

    /// What each service has sent, by its name.
    pub(super) fn received(&self, service: &str) -> Received {
        let state = self.state.lock();
        state.received.get(service).copied().unwrap_or_default()
    }

    /// The last metrics of all services, by their names.
    pub(super) fn metrics(&self) -> Vec<(String, ResourceMetrics)> {
        self.state.lock().metrics.last()
    }

    /// What a counter or a gauge of integers comes to: those of its series, of all services, that have the attribute.
    pub(super) fn sum(&self, metric: &str, attribute: Option<(&str, &str)>) -> u64 {
        self.state.lock().metrics.sum(metric, attribute)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The account of a service; `None` for one too many.
    fn account(&mut self, service: &str) -> Option<&mut Received> {
        if !self.received.contains_key(service) {
            if self.received.len() == MAXIMUM_SERVICES {
                return None;
            }
            self.received
                .insert(service.to_owned(), Received::default());
        }
        self.received.get_mut(service)
    }
}

/// The `service.name` of a resource.
fn service(resource: Option<&Resource>) -> &str {
    resource
        .and_then(|resource| text(&resource.attributes, "service.name"))
        .unwrap_or("unknown_service")
}

/// The value of an attribute, where it is text.
pub(super) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
