//! What a request brings is what the outgoing request carries on.

use otelware_testing::otlp::OtlpReceiver;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::Span;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::client::{Response, get};
use crate::peer::Stock;
use crate::process::serve;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const REMOTE_PARENT: &str = "00f067aa0ba902b7";
/// Both parts, in the order of the headers.
const TRACE_STATE: &str = "shop=edge,vendor=a:1,other=b";
/// The random and the sampled flag; and for a span whose parent is remote, OTLP's two bits that say so.
const LOCAL_PARENT_FLAGS: u32 = 0x103;
const REMOTE_PARENT_FLAGS: u32 = 0x303;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, PartialEq)]
struct Identity {
    name: String,
    kind: SpanKind,
    trace_id: String,
    parent: String,
    trace_state: String,
    flags: u32,
}

fn identity(span: &Span) -> Identity {
    Identity {
        name: span.name.clone(),
        kind: span.kind(),
        trace_id: hex(&span.trace_id),
        parent: hex(&span.parent_span_id),
        trace_state: span.trace_state.clone(),
        flags: span.flags,
    }
}

#[test]
fn traceparent_split_tracestate_and_baggage_reach_the_outgoing_request() {
    let receiver = OtlpReceiver::http();
    let stock = Stock::start();
    let service = serve(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
        ("STOCK_URL", stock.url()),
    ]);
    let response = get(
        service.listening_address(),
        "/orders/7",
        &[
            &format!("traceparent: 00-{TRACE_ID}-{REMOTE_PARENT}-03"),
            "tracestate: shop=edge",
            "baggage: tenant=acme",
            "tracestate: vendor=a:1,other=b",
            "baggage: caf%C3%A9=no%20sugar;ttl=5",
        ],
    );
    assert_eq!(
        response,
        Response {
            status: 200,
            body: "order 7: 42 in stock\n".to_owned()
        }
    );
    let outgoing = stock.next_request();
    service.stop();

    let received = receiver.received();
    let find = |name: &str| {
        let spans = received.spans();
        *spans.iter().find(|span| span.name == name).unwrap()
    };
    let (server, client) = (find("GET /orders/{id}"), find("GET /stock/{id}"));
    let identity_of = |name: &str, kind, parent: &str, flags| Identity {
        name: name.to_owned(),
        kind,
        trace_id: TRACE_ID.to_owned(),
        parent: parent.to_owned(),
        trace_state: TRACE_STATE.to_owned(),
        flags,
    };
    assert_eq!(received.spans().len(), 2);
    assert_eq!(
        identity(server),
        identity_of(
            "GET /orders/{id}",
            SpanKind::Server,
            REMOTE_PARENT,
            REMOTE_PARENT_FLAGS
        )
    );
    assert_eq!(
        identity(client),
        identity_of(
            "GET /stock/{id}",
            SpanKind::Client,
            &hex(&server.span_id),
            LOCAL_PARENT_FLAGS
        )
    );
    assert_eq!(
        outgoing,
        [
            "GET /stock/7 HTTP/1.1".to_owned(),
            "accept: */*".to_owned(),
            "baggage: caf%C3%A9=no%20sugar;ttl=5,tenant=acme".to_owned(),
            format!(
                "host: {}",
                stock
                    .url()
                    .trim_start_matches("http://")
                    .trim_end_matches("/stock")
            ),
            format!("traceparent: 00-{TRACE_ID}-{}-03", hex(&client.span_id)),
            format!("tracestate: {TRACE_STATE}"),
        ]
    );
}
