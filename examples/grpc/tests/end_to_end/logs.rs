//! The log records of the server, and the calls that they belong to.

use std::collections::BTreeMap;

use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::logs::v1::LogRecord;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use otelware_testing::otlp::{OtlpReceiver, Received};

use crate::process::{OrdersServer, run_client};
use crate::telemetry::service;

/// The text of each record of the server that belongs to a span of kind `SERVER`, with that span's name.
fn records_in_calls(received: &Received) -> Vec<(String, &str)> {
    let spans = received.spans().into_iter();
    let calls: BTreeMap<_, _> = spans
        .filter(|span| span.kind() == SpanKind::Server)
        .map(|span| ((&span.trace_id, &span.span_id), span.name.as_str()))
        .collect();
    let resources = received.logs.iter().flat_map(|logs| &logs.resource_logs);
    resources
        .filter(|logs| service(logs.resource.as_ref()) == "orders")
        .flat_map(|logs| &logs.scope_logs)
        .flat_map(|logs| &logs.log_records)
        .filter_map(|record| {
            let call = calls.get(&(&record.trace_id, &record.span_id))?;
            Some((body(record), *call))
        })
        .collect()
}

fn body(record: &LogRecord) -> String {
    match record.body.clone().and_then(|body| body.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_logged_while_a_stream_goes_on_belongs_to_its_call() {
    let receiver = OtlpReceiver::http();
    let server = OrdersServer::start(&receiver);
    run_client(&receiver, &server);
    server.stop();
    assert_eq!(
        records_in_calls(&receiver.received()),
        [
            ("order placed", "shop.v1.Orders/PlaceOrder"),
            ("order moves on", "shop.v1.Orders/WatchOrder"),
            ("order moves on", "shop.v1.Orders/WatchOrder"),
            ("order moves on", "shop.v1.Orders/WatchOrder"),
        ]
        .map(|(text, call)| (text.to_owned(), call))
    );
}
