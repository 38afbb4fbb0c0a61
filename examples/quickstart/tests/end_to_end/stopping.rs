//! The end of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use otelware_testing::Program;
use otelware_testing::otlp::OtlpReceiver;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;

use crate::client::{Connection, traceparent};
use crate::process::serve;
use crate::propagation::hex;

const CLIENTS: usize = 8;
const RESPONSES_BEFORE_THE_SIGNAL: usize = 200;

/// Asks for orders, each in a trace of its own, until the server is gone; notes each response that came whole.
fn load(service: &Program, next_trace: &AtomicU64, responses: &Mutex<BTreeMap<u64, u16>>) {
    let Ok(mut connection) = Connection::open(service.listening_address()) else {
        return;
    };
    loop {
        let trace = next_trace.fetch_add(1, Ordering::Relaxed);
        let path = format!("/orders/{}", trace % 100);
        match connection.get(&path, &[&traceparent(trace)]) {
            Ok(response) => responses.lock().unwrap().insert(trace, response.status),
            Err(_) => return,
        };
    }
}

#[test]
fn sigterm_under_load_loses_no_span_that_had_ended() {
    let receiver = OtlpReceiver::http();
    let service = serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
        ("RUST_LOG", "warn,quickstart=info"),
    ]);
    let responses = Mutex::default();
    let next_trace = AtomicU64::new(1);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| load(&service, &next_trace, &responses));
        }
        service.wait_for("the load", || {
            (responses.lock().unwrap().len() >= RESPONSES_BEFORE_THE_SIGNAL).then_some(())
        });
        service.terminate();
    });
    let ended = service.end().assert_success();

    let responses = responses.into_inner().unwrap();
    let received = receiver.received();
    let mut traces: BTreeMap<String, Vec<&Span>> = BTreeMap::new();
    for span in received.spans() {
        traces.entry(hex(&span.trace_id)).or_default().push(span);
    }
    let spans = |trace: u64| {
        let spans = traces.get(&format!("{trace:032x}"));
        spans.map_or(&[][..], Vec::as_slice)
    };
    let without_server_span: Vec<u64> = responses
        .keys()
        .copied()
        .filter(|trace| {
            !spans(*trace)
                .iter()
                .any(|span| span.name == "GET /orders/{id}")
        })
        .collect();
    assert_eq!(without_server_span, Vec::<u64>::new());

    // A response that succeeded had asked for the stock: all three spans had ended.
    let shapes: BTreeSet<Vec<&str>> = responses
        .iter()
        .filter(|(_, status)| **status == 200)
        .map(|(trace, _)| {
            let mut names: Vec<&str> = spans(*trace)
                .iter()
                .map(|span| span.name.as_str())
                .collect();
            names.sort_unstable();
            names
        })
        .collect();
    assert_eq!(
        shapes,
        BTreeSet::from([vec![
            "GET /orders/{id}",
            "GET /stock/{id}",
            "GET /stock/{id}"
        ]])
    );
    let health = format!(
        "spans=SignalHealth {{ exported: {}, failed: 0, dropped: 0, pending: 0, last_error: None }}",
        received.spans().len()
    );
    assert!(ended.stderr.contains(&health), "{health}: {}", ended.stderr);
}
