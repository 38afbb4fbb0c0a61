//! The messages that a server's layer sees: events and counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use otelware::opentelemetry::KeyValue;
use otelware::operation::Signals;
use otelware_testing::suites::grpc::shapes::shapes_client::ShapesClient;
use otelware_testing::suites::grpc::{Moment, Script};
use otelware_testing::{Capture, expect_histogram};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use support::*;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Code;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tower::{Layer, ServiceExt, service_fn};

/// The metrics of messages.
const COUNTS: [&str; 4] = [
    "otelware.rpc.server.request.messages",
    "otelware.rpc.server.request.size",
    "otelware.rpc.server.response.messages",
    "otelware.rpc.server.response.size",
];

#[tokio::test]
async fn messages_are_events_in_the_order_in_which_they_went_by() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_message_events();
    let mut client = client_of(layer.layer(shapes()));
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let requests = told(UnboundedReceiverStream::new(receiver), Script::Answer);
    let mut answers = client.bidi(requests).await.unwrap().into_inner();
    for sent in [note(0, ""), note(300, "abc")] {
        sender.send(sent.clone()).unwrap();
        assert_eq!(
            answers.message().await.unwrap().unwrap().number,
            sent.number
        );
    }
    drop(sender);
    assert_eq!(answers.message().await.unwrap(), None);
    let call = ExpectedCall::server(BIDI);
    telemetry.span(BIDI).assert(
        call.span()
            .event("rpc.message", message("RECEIVED", 1, PLAIN, 0))
            .event("rpc.message", message("SENT", 1, PLAIN, 0))
            .event("rpc.message", message("RECEIVED", 2, PLAIN, 8))
            .event("rpc.message", message("SENT", 2, PLAIN, 8)),
    );
    assert_metrics(&telemetry, &[call], &[]);
}

#[tokio::test]
async fn compressed_messages_have_compressed_sizes() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_message_events();
    let answer = [framed(b"seven b", true), framed(b"four", false)].concat();
    let service = layer.layer(reading(vec![answer.into()]));
    let sent = [framed(b"plain", false), framed(b"compressed", true)].concat();
    let sent = request_with(&format!("/{BIDI}"), Full::new(Bytes::from(sent)));
    exchange(&service, sent).await;
    telemetry.span(BIDI).assert(
        ExpectedCall::server(BIDI)
            .span()
            .event("rpc.message", message("RECEIVED", 1, PLAIN, 5))
            .event("rpc.message", message("RECEIVED", 2, COMPRESSED, 10))
            .event("rpc.message", message("SENT", 1, COMPRESSED, 7))
            .event("rpc.message", message("SENT", 2, PLAIN, 4)),
    );
}

#[tokio::test]
async fn messages_that_tonic_compresses_have_the_sizes_of_the_wire() {
    let telemetry = Capture::new();
    let gzip = CompressionEncoding::Gzip;
    let service = listed_layer(&telemetry)
        .with_message_events()
        .layer(shapes().accept_compressed(gzip).send_compressed(gzip));
    // What goes over the wire, without the prefixes.
    let wire = Arc::new(Mutex::new(Vec::new()));
    let seen = wire.clone();
    let service = service_fn(move |request: Request<Body>| {
        let (service, seen) = (service.clone(), seen.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            seen.lock().unwrap().push((body[0], body.len() - 5));
            let request = Request::from_parts(parts, Body::new(Full::new(body)));
            let (parts, body) = service.oneshot(request).await?.into_parts();
            let body = body.collect().await.unwrap();
            let ending = body.trailers().cloned().unwrap();
            let body = body.to_bytes();
            seen.lock().unwrap().push((body[0], body.len() - 5));
            let body =
                frames::<Infallible>(vec![Ok(Frame::data(body)), Ok(Frame::trailers(ending))]);
            Ok::<_, Infallible>(Response::from_parts(parts, Body::new(body)))
        }
    });
    let mut client = client_of(service)
        .send_compressed(gzip)
        .accept_compressed(gzip);
    let long = note(1, &"a".repeat(10_000));
    client.unary(told(long, Script::Answer)).await.unwrap();
    let wire = wire.lock().unwrap().clone();
    let [(1, received), (1, sent)] = wire[..] else {
        panic!("not compressed: {wire:?}");
    };
    assert!(received < 1_000, "{received}");
    telemetry.span(UNARY).assert(
        ExpectedCall::server(UNARY)
            .span()
            .event(
                "rpc.message",
                message("RECEIVED", 1, COMPRESSED, received as u32),
            )
            .event("rpc.message", message("SENT", 1, COMPRESSED, sent as u32)),
    );
}

/// The call with these messages and bytes of the request, and those of the response.
fn with_counts(call: ExpectedCall, counts: [u32; 4]) -> ExpectedCall {
    call.on_span("otelware.rpc.request.messages", counts[0])
        .on_span("otelware.rpc.request.size", counts[1])
        .on_span("otelware.rpc.response.messages", counts[2])
        .on_span("otelware.rpc.response.size", counts[3])
}

const MESSAGE_BOUNDARIES: [f64; 12] = [
    0.0,
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
];

/// The histograms of one call with these messages and bytes of the request, and those of the
/// response.
#[track_caller]
fn assert_counts(telemetry: &Capture, call: &ExpectedCall, counts: [u32; 4]) {
    let bytes: [f64; 10] = std::array::from_fn(|power| 4_f64.powi(power as i32 + 3));
    let (scope, version, schema) = SCOPE;
    for ((name, count), (unit, description, boundaries)) in COUNTS.into_iter().zip(counts).zip([
        (
            "{message}",
            "Number of messages of requests.",
            &MESSAGE_BOUNDARIES[..],
        ),
        ("By", "Size of all messages of a request.", &bytes[..]),
        (
            "{message}",
            "Number of messages of responses.",
            &MESSAGE_BOUNDARIES[..],
        ),
        ("By", "Size of all messages of a response.", &bytes[..]),
    ]) {
        telemetry.metric(name).assert(
            expect_histogram(name)
                .unit(unit)
                .description(description)
                .boundaries(boundaries)
                .scope(scope, version, schema)
                .point_with_sum(call.metric_attributes(), 1, f64::from(count)),
        );
    }
}

#[tokio::test]
async fn messages_and_bytes_are_counted_however_they_are_cut() {
    for cut in [1, 2, 3, 5, 6, 7, 100] {
        let telemetry = Capture::new();
        let sent = [
            framed(b"abc", false),
            framed(b"", false),
            framed(b"compressed", true),
        ]
        .concat();
        let answer = [framed(b"0123456789", false), framed(b"x", false)].concat();
        let cut_up = |bytes: Vec<u8>| -> Vec<Bytes> {
            bytes.chunks(cut).map(Bytes::copy_from_slice).collect()
        };
        let service = listed_layer(&telemetry)
            .with_message_counts()
            .layer(reading(cut_up(answer)));
        let sent = cut_up(sent).into_iter().map(Frame::data).map(Ok);
        let sent = frames::<Infallible>(sent.collect());
        exchange(&service, request_with(&format!("/{BIDI}"), sent)).await;
        let counts = [3, 13, 2, 11];
        let call = ExpectedCall::server(BIDI);
        let whole = with_counts(call.clone(), counts);
        telemetry.span(BIDI).assert(whole.span());
        assert_metrics(&telemetry, std::slice::from_ref(&call), &COUNTS);
        assert_counts(&telemetry, &call, counts);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_has_counts_of_what_went_by() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_message_counts();
    let mut client = client_of(layer.layer(shapes()));
    let script = Script::Hang(Moment::First);
    let answers = client.server_stream(told(note(3, ""), script)).await;
    let mut answers = answers.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap(), Some(note(0, "")));
    drop(answers);
    let counts = [1, 2, 1, 0];
    let call = ExpectedCall::server(SERVER_STREAM).cancelled();
    telemetry
        .span(SERVER_STREAM)
        .assert(with_counts(call.clone(), counts).span());
    assert_counts(&telemetry, &call, counts);
}

#[tokio::test]
async fn a_refusal_is_a_response_of_no_messages() {
    let telemetry = Capture::new();
    let layer = listed_layer(&telemetry).with_message_counts();
    let mut client = client_of(layer.layer(shapes()));
    let failing = told(note(1, ""), Script::Fail(Moment::Instead, Code::NotFound));
    client.unary(failing).await.unwrap_err();
    let counts = [1, 2, 0, 0];
    let call = ExpectedCall::server(UNARY).code("NOT_FOUND");
    telemetry
        .span(UNARY)
        .assert(with_counts(call.clone(), counts).span());
    assert_counts(&telemetry, &call, counts);
}

#[tokio::test]
async fn filters_cover_the_counts() {
    for signals in [Signals::TRACES, Signals::METRICS] {
        let telemetry = Capture::new();
        let layer = listed_layer(&telemetry)
            .with_filter(move |_| signals)
            .with_message_counts()
            .with_message_events();
        let mut client = client_of(layer.layer(shapes()));
        client.unary(plain()).await.unwrap();
        let counts = [1, 2, 1, 2];
        let call = ExpectedCall::server(UNARY);
        if signals.traces() {
            let whole = with_counts(call, counts).span();
            telemetry.span(UNARY).assert(
                whole
                    .event("rpc.message", message("RECEIVED", 1, PLAIN, 2))
                    .event("rpc.message", message("SENT", 1, PLAIN, 2)),
            );
            assert_eq!(telemetry.metrics(), []);
        } else {
            assert_eq!(telemetry.spans(), []);
            assert_metrics(&telemetry, std::slice::from_ref(&call), &COUNTS);
            assert_counts(&telemetry, &call, counts);
        }
    }
}

/// Whether it goes around all services or around one, tonic's server takes it.
#[tokio::test]
async fn a_layer_that_sees_messages_fits_on_a_server_and_on_a_service() {
    use tokio::net::TcpListener;
    use tonic::transport::server::TcpIncoming;
    use tonic::transport::{Endpoint, Server};

    fn name<S: NamedService>(_: &S) -> &'static str {
        S::NAME
    }

    for around_all in [true, false] {
        let telemetry = Capture::new();
        let layer = listed_layer(&telemetry).with_message_counts();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = TcpIncoming::from(listener);
        let serving = if around_all {
            let server = Server::builder().layer(layer).add_service(shapes());
            tokio::spawn(server.serve_with_incoming(incoming))
        } else {
            let service = layer.layer(shapes());
            assert_eq!(name(&service), "otelware.test.Shapes");
            let server = Server::builder().add_service(service);
            tokio::spawn(server.serve_with_incoming(incoming))
        };
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        ShapesClient::new(channel).unary(plain()).await.unwrap();
        let span = telemetry.wait_for_spans(1).await.remove(0);
        let call = with_counts(ExpectedCall::server(UNARY), [1, 2, 1, 2])
            .address(Some(("127.0.0.1", Some(address.port()))));
        let mut expected = call.span();
        if cfg!(feature = "server") {
            expected = expected
                .attribute("network.peer.address", "127.0.0.1")
                .any_value("network.peer.port");
        }
        span.assert(expected);
        telemetry.settle().await;
        assert_counts(&telemetry, &ExpectedCall::server(UNARY), [1, 2, 1, 2]);
        serving.abort();
    }
}

#[tokio::test]
async fn hooks_set_no_counts_of_messages() {
    let telemetry = Capture::new();
    let hooked = listed_layer(&telemetry)
        .with_message_counts()
        .with_span_attributes(|_| {
            [
                "otelware.rpc.request.messages",
                "otelware.rpc.request.size",
                "otelware.rpc.response.messages",
                "otelware.rpc.response.size",
            ]
            .map(|key| KeyValue::new(key, "ignored"))
            .to_vec()
        });
    let mut client = client_of(hooked.layer(shapes()));
    client.unary(plain()).await.unwrap();
    let call = with_counts(ExpectedCall::server(UNARY), [1, 2, 1, 2]);
    telemetry.span(UNARY).assert(call.span());
}

/// However long a stream is: an SDK keeps 128 events of a span, and counts the rest.
#[tokio::test]
async fn a_stream_of_a_hundred_thousand_messages_is_counted_and_bounded() {
    const MESSAGES: u32 = 100_000;
    let telemetry = Capture::new();
    let answers = vec![framed(b"7 bytes", false); MESSAGES as usize];
    let layer = listed_layer(&telemetry).with_message_counts();
    let service = layer.with_message_events().layer(reading(answers));
    let call = request_with(&format!("/{SERVER_STREAM}"), Full::new(framed(b"", false)));
    exchange(&service, call).await;
    let expected = ExpectedCall::server(SERVER_STREAM);
    let span = telemetry.span(SERVER_STREAM);
    assert_eq!(
        (span.events.len(), span.dropped_events),
        (128, MESSAGES + 1 - 128)
    );
    let last = &span.events[127];
    assert_eq!(last.attributes, message("SENT", 127, PLAIN, 7));
    assert_counts(&telemetry, &expected, [1, 0, MESSAGES, 7 * MESSAGES]);
}
