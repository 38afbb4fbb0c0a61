//! Calls between this crate and Python's gRPC under OpenTelemetry's instrumentation, each way.
#![cfg(all(unix, feature = "server", feature = "channel"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod python_support;

use bytes::Bytes;
use otelware::opentelemetry::baggage::BaggageExt;
use otelware::opentelemetry::trace::{FutureExt, SpanKind};
use otelware::opentelemetry::{Context, KeyValue};
use otelware::propagation::CompositePropagator;
use otelware_testing::{Capture, ExpectedSpan, Span, expect_span};
use otelware_tonic::{Channel, GrpcClientLayer, GrpcServerLayer};
use python_support::{BytesCodec, Interop, METHODS, PythonSpan, python, spans};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tonic::client::Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Status};

/// Long enough for the call to arrive on a busy machine.
const DEADLINE: Duration = Duration::from_millis(500);

/// The deadline of the client in Python, as it tells the server.
const PYTHON_DEADLINE: Duration = Duration::from_millis(1_010);

/// How the calls of [`METHODS`] end.
const CODES: [&str; 4] = ["OK", "OK", "NOT_FOUND", "DEADLINE_EXCEEDED"];

/// A span of this side, but for what only one role has.
fn expected(kind: SpanKind, method: &str, code: &str, port: u16) -> ExpectedSpan {
    let name = format!("interop.Interop/{method}");
    expect_span(&name)
        .kind(kind)
        .attribute("rpc.system.name", "grpc")
        .attribute("rpc.method", name)
        .attribute("rpc.status_code", code)
        .attribute("server.address", "127.0.0.1")
        .attribute("server.port", i64::from(port))
}

fn failed(span: ExpectedSpan, code: &str) -> ExpectedSpan {
    span.attribute("error.type", code).error()
}

#[tokio::test]
async fn a_client_in_python_calls_a_server_in_rust() {
    let Some(mut client) = python("client.py").await else {
        return;
    };
    let telemetry = Capture::new();
    let port = serve(&telemetry);

    let output = client.arg(format!("127.0.0.1:{port}")).output().await;
    let output = output.expect("Python runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", output.status);
    let callers = spans(&String::from_utf8(output.stdout).unwrap());

    assert_eq!(telemetry.wait_for_spans(4).await.len(), 4);
    assert_eq!(callers.len(), 4, "{callers:?}");
    let mut traces = BTreeSet::new();
    for (method, code) in METHODS.into_iter().zip(CODES) {
        let caller = &callers[&format!("/interop.Interop/{method}")];
        assert_eq!(caller.kind, "SpanKind.CLIENT");
        assert_eq!(caller.parent_span_id, None);
        let handler = telemetry.span(&format!("interop.Interop/{method}"));
        let code = if was_long_on_its_way(&handler, code) {
            "CANCELLED"
        } else {
            code
        };
        let mut span = expected(SpanKind::Server, method, code, port)
            .remote_child_of(caller)
            .attribute("network.peer.address", "127.0.0.1")
            .any_value("network.peer.port")
            .attribute("baggage.caller", "python;ü+");
        if code == "DEADLINE_EXCEEDED" {
            span = failed(span, code);
        }
        handler.assert(span);
        traces.insert(caller.trace_id.to_bytes());
    }
    assert_eq!(traces.len(), 4, "one trace per call");
}

/// Whether the caller's deadline passed so long before the one that the server counts from its own beginning that a server
/// can't tell it from any other cancellation, and doesn't: only on a machine that is very busy.
fn was_long_on_its_way(handler: &Span, code: &str) -> bool {
    let cancelled = handler.attributes.get("rpc.status_code") == Some(&"CANCELLED".into());
    let before = PYTHON_DEADLINE.saturating_sub(handler.duration());
    code == "DEADLINE_EXCEEDED" && cancelled && before > Duration::from_millis(9)
}

/// Starts the service in Rust; it ends with the test.
fn serve(telemetry: &Capture) -> u16 {
    let layer = GrpcServerLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .with_known_methods_of::<Interop>(METHODS);
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let port = incoming.local_addr().unwrap().port();
    let server = Server::builder().layer(layer).add_service(Interop);
    tokio::spawn(server.serve_with_incoming(incoming));
    port
}

#[tokio::test]
async fn a_client_in_rust_calls_a_server_in_python() {
    let Some(mut server) = python("server.py").await else {
        return;
    };
    let mut server = server
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut printed = BufReader::new(server.stdout.take().unwrap());
    let mut first = String::new();
    printed.read_line(&mut first).await.unwrap();
    let port: u16 = first.trim_end().parse().expect("a port");

    let telemetry = Capture::new();
    let baggage = [KeyValue::new("caller", "rust; ü+")];
    call(&telemetry, port)
        .with_context(Context::new().with_baggage(baggage))
        .await;

    // It serves until its input ends.
    drop(server.stdin.take());
    let mut rest = String::new();
    printed.read_to_string(&mut rest).await.unwrap();
    assert!(server.wait().await.unwrap().success());
    let handlers = spans(&rest);

    assert_eq!(telemetry.spans().len(), 4);
    assert_eq!(handlers.len(), 4, "{handlers:?}");
    let mut traces = BTreeSet::new();
    for (method, code) in METHODS.into_iter().zip(CODES) {
        let mut span = expected(SpanKind::Client, method, code, port);
        if code != "OK" {
            span = failed(span, code);
        }
        let caller = telemetry.span(&format!("interop.Interop/{method}"));
        caller.assert(span);
        let handler = &handlers[&format!("/interop.Interop/{method}")];
        assert_eq!(*handler, handler_of(&caller, handler));
        traces.insert(caller.trace_id.to_bytes());
    }
    assert_eq!(traces.len(), 4, "one trace per call");
}

/// The span of the handler that the call of `caller` reached; only its own id is as `found`.
fn handler_of(caller: &Span, found: &PythonSpan) -> PythonSpan {
    PythonSpan {
        kind: "SpanKind.SERVER".to_owned(),
        trace_id: caller.trace_id,
        span_id: found.span_id,
        parent_span_id: Some(caller.span_id),
        baggage: BTreeMap::from([("caller".to_owned(), "rust; ü+".to_owned())]),
    }
}

/// Calls all methods at the port.
async fn call(telemetry: &Capture, port: u16) {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
    let channel = GrpcClientLayer::new()
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(telemetry.meter_provider())
        .with_propagator(CompositePropagator::default())
        .connect(&endpoint)
        .await
        .unwrap();
    let mut client = Grpc::new(channel);

    assert_eq!(unary(&mut client, "Unary", "one").await.unwrap(), "one");
    assert_eq!(stream(&mut client, "two").await.unwrap(), ["two"; 3]);
    let missing = unary(&mut client, "Missing", "").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    unary(&mut client, "Endless", "").await.unwrap_err();
}

async fn unary(
    client: &mut Grpc<Channel>,
    method: &str,
    message: &'static str,
) -> Result<Bytes, Status> {
    let path = format!("/interop.Interop/{method}").parse().unwrap();
    let mut request = Request::new(Bytes::from(message));
    if method == "Endless" {
        request.set_timeout(DEADLINE);
    }
    client.ready().await.unwrap();
    Ok(client.unary(request, path, BytesCodec).await?.into_inner())
}

async fn stream(client: &mut Grpc<Channel>, message: &'static str) -> Result<Vec<Bytes>, Status> {
    let path = "/interop.Interop/Stream".parse().unwrap();
    let request = Request::new(Bytes::from(message));
    client.ready().await.unwrap();
    let answer = client.server_streaming(request, path, BytesCodec).await?;
    let mut answer = answer.into_inner();
    let mut messages = Vec::new();
    while let Some(message) = answer.message().await? {
        messages.push(message);
    }
    Ok(messages)
}
