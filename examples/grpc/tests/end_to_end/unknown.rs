//! Methods that the `.proto` file does not have, whose names callers make up.

use otelware_testing::otlp::OtlpReceiver;
use otelware_testing::otlp::opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Response};
use tonic_prost::ProstCodec;

use crate::measurements::histograms;
use crate::process::OrdersServer;
use crate::telemetry::{expected, number, text, traces};

async fn cancel_order(channel: Channel) -> Result<(), Code> {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/shop.v1.Orders/CancelOrder");
    let codec = ProstCodec::<(), ()>::default();
    let answer = client.unary(Request::new(()), path, codec).await;
    answer
        .map(Response::into_inner)
        .map_err(|status| status.code())
}

#[test]
fn an_unknown_method_is_one_of_many() {
    let receiver = OtlpReceiver::http();
    let server = OrdersServer::start(&receiver);
    assert_eq!(server.call(cancel_order), Err(Code::Unimplemented));
    let port = server.address().port();
    server.stop();

    let received = receiver.received();
    let ended_as = || {
        expected([
            ("rpc.system.name", text("grpc")),
            ("rpc.method", text("_OTHER")),
            ("rpc.status_code", text("UNIMPLEMENTED")),
            ("error.type", text("UNIMPLEMENTED")),
        ])
    };
    let traces = traces(&received);
    let [trace] = &traces[..] else {
        panic!("{traces:?}");
    };
    let [span] = &trace[..] else {
        panic!("{trace:?}");
    };
    let mut attributes = ended_as();
    attributes.extend(expected([
        ("rpc.method_original", text("shop.v1.Orders/CancelOrder")),
        ("server.address", text("127.0.0.1")),
        ("server.port", number(port)),
        ("network.peer.address", text("127.0.0.1")),
        (
            "network.peer.port",
            span.attributes["network.peer.port"].clone(),
        ),
    ]));
    assert_eq!(
        (span.name.as_str(), span.kind, &span.attributes),
        ("grpc", SpanKind::Server, &attributes)
    );
    let points: Vec<_> = histograms(&received)
        .into_iter()
        .map(|histogram| histogram.points)
        .collect();
    assert_eq!(points, [[(1, ended_as())]]);
}
