//! The calls of the client, as both processes tell of them.

use otelware_testing::otlp::OtlpReceiver;
use otelware_testing::otlp::opentelemetry_proto::tonic::common::v1::any_value::Value;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::process::{OrdersServer, run_client};
use crate::telemetry::{Attributes, SpanSeen, expected, number, text, traces};

const PLACE_ORDER: &str = "shop.v1.Orders/PlaceOrder";
const WATCH_ORDER: &str = "shop.v1.Orders/WatchOrder";
/// The sampled flag, and OTLP's bit which says that where the parent is, is known. (The SDK does not call the trace ids
/// that it makes random.)
const LOCAL: u32 = 0x101;
/// As above, and the parent is in another process.
const REMOTE: u32 = 0x301;
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";
const UNSET: i32 = 0;
const ERROR: i32 = 2;

/// What is the same in all the calls of a run.
struct Calls {
    server_port: i64,
    /// The port of the client's connection.
    peer_port: Value,
}

impl Calls {
    fn attributes<const N: usize>(
        &self,
        method: &str,
        status_code: &str,
        more: [(&str, Value); N],
    ) -> Attributes {
        let mut all = expected([
            ("rpc.system.name", text("grpc")),
            ("rpc.method", text(method)),
            ("rpc.status_code", text(status_code)),
            ("server.address", text("127.0.0.1")),
            ("server.port", number(self.server_port)),
        ]);
        all.extend(expected(more));
        all
    }

    fn client(&self, method: &str, status_code: &str) -> SpanSeen {
        let failed = status_code != "OK";
        let mut attributes = self.attributes(method, status_code, []);
        if failed {
            attributes.insert("error.type".to_owned(), text(status_code));
        }
        SpanSeen {
            status: (if failed { ERROR } else { UNSET }, String::new()),
            ..span(1, "customer", SpanKind::Client, method, attributes)
        }
    }

    /// Of a code that is no error of the server's.
    fn server(&self, method: &str, status_code: &str) -> SpanSeen {
        let peer = [
            ("network.peer.address", text("127.0.0.1")),
            ("network.peer.port", self.peer_port.clone()),
        ];
        let attributes = self.attributes(method, status_code, peer);
        SpanSeen {
            flags: REMOTE,
            ..span(2, "orders", SpanKind::Server, method, attributes)
        }
    }
}

fn span(
    depth: usize,
    service: &str,
    kind: SpanKind,
    name: &str,
    attributes: Attributes,
) -> SpanSeen {
    let scope = match kind {
        SpanKind::Internal => "otelware",
        _ => "otelware-tonic",
    };
    SpanSeen {
        depth,
        service: service.to_owned(),
        scope: [scope, env!("CARGO_PKG_VERSION"), SCHEMA_URL].map(str::to_owned),
        name: name.to_owned(),
        kind,
        flags: LOCAL,
        trace_state: String::new(),
        status: (UNSET, String::new()),
        attributes,
        events: 0,
        links: 0,
    }
}

fn reserve_stock(item: &str, quantity: u32) -> SpanSeen {
    let attributes = expected([
        ("shop.item", text(item)),
        ("shop.quantity", number(quantity)),
    ]);
    span(3, "orders", SpanKind::Internal, "reserve stock", attributes)
}

#[test]
fn one_trace_goes_through_both_processes() {
    let receiver = OtlpReceiver::http();
    let server = OrdersServer::start(&receiver);
    run_client(&receiver, &server);
    let server_port = i64::from(server.address().port());
    server.stop();

    let traces = traces(&receiver.received());
    let peer_port = traces
        .iter()
        .flatten()
        .find_map(|span| span.attributes.get("network.peer.port").cloned())
        .unwrap();
    let calls = Calls {
        server_port,
        peer_port,
    };
    let mut refused = reserve_stock("samovar", 1);
    refused.status = (ERROR, String::new());
    refused
        .attributes
        .insert("error.type".to_owned(), text("UnknownItem"));
    let trace = vec![
        span(
            0,
            "customer",
            SpanKind::Internal,
            "go shopping",
            Attributes::new(),
        ),
        calls.client(PLACE_ORDER, "OK"),
        calls.server(PLACE_ORDER, "OK"),
        reserve_stock("teapot", 2),
        calls.client(WATCH_ORDER, "OK"),
        calls.server(WATCH_ORDER, "OK"),
        calls.client(PLACE_ORDER, "NOT_FOUND"),
        calls.server(PLACE_ORDER, "NOT_FOUND"),
        refused,
    ];
    assert_eq!(traces, [trace]);
}
