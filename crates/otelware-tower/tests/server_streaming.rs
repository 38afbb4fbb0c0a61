//! Server-sent events in each mode of observation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "axum")]

mod server_support;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use http_body::Frame;
use http_body_util::StreamBody;
use otelware::opentelemetry::logs::Severity;
use otelware::operation::Cancellation;
use otelware_testing::suites::http_server::{TestServer, Wire};
use otelware_testing::{
    Capture, ExpectedSpan, RemoteParent, Span, expect_log, expect_span, expect_up_down_counter,
};
use otelware_tower::HttpServerLayer;
use otelware_tower::server::Streaming;
use server_support::{axum_server, layer, scope};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

const STREAMS: &str = "otelware.http.server.active_streams";

type Chunk = Result<Frame<Bytes>, io::Error>;

/// A server whose route `/events` sends what the test says.
struct Events {
    server: TestServer,
    sender: mpsc::UnboundedSender<Chunk>,
}

impl std::ops::Deref for Events {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        &self.server
    }
}

async fn serve(telemetry: &Capture, layer: HttpServerLayer, content_type: &'static str) -> Events {
    let (sender, receiver) = mpsc::unbounded_channel::<Chunk>();
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let events = async move || {
        let receiver = receiver.lock().unwrap().take();
        let chunks = futures_util::stream::unfold(receiver, async |receiver| {
            let mut receiver = receiver?;
            Some((receiver.recv().await?, Some(receiver)))
        });
        let body = Body::new(StreamBody::new(chunks));
        Response::builder()
            .header("content-type", content_type)
            .body(body)
            .unwrap()
    };
    let router = Router::new().route("/events", get(events));
    let server = axum_server(telemetry, router.layer(layer)).await;
    Events { server, sender }
}

impl Events {
    /// Asks for the events and reads the response's head.
    async fn open(&self, headers: &[(&str, &str)]) -> Wire {
        let mut wire = self.wire().await;
        wire.send(format!("{}\r\n", self.head("GET", "/events", headers)))
            .await;
        wire.read_until("\r\n\r\n").await;
        wire
    }

    /// Sends an event and waits until it has come.
    async fn send(&self, wire: &mut Wire, text: &'static str) {
        self.sender
            .send(Ok(Frame::data(Bytes::from_static(text.as_bytes()))))
            .unwrap();
        wire.read_until(text).await;
    }

    fn expect(&self) -> otelware_testing::suites::http_server::ExpectedRequest {
        self.server
            .expect("GET", "/events")
            .route("/events")
            .status(200)
    }
}

fn segment(request: &Span, number: u32, frames: u32, bytes: u32) -> ExpectedSpan {
    let scope = scope();
    expect_span("GET /events stream")
        .link_to(request)
        .attribute("otelware.stream.segment.number", number)
        .attribute("otelware.stream.segment.frames", frames)
        .attribute("otelware.stream.segment.bytes", bytes)
        .scope(
            &scope.name,
            &scope.version.unwrap(),
            &scope.schema_url.unwrap(),
        )
}

fn segments(telemetry: &Capture) -> Vec<Span> {
    let mut spans = telemetry.spans();
    spans.retain(|span| span.name == "GET /events stream");
    spans
}

#[track_caller]
fn assert_streams(telemetry: &Capture, count: i64) {
    let scope = scope();
    telemetry.metric(STREAMS).assert(
        expect_up_down_counter(STREAMS)
            .unit("{stream}")
            .description("Number of response streams that are observed in segments.")
            .scope(
                &scope.name,
                &scope.version.unwrap(),
                &scope.schema_url.unwrap(),
            )
            .point(
                [("http.request.method", "GET"), ("url.scheme", "http")],
                count,
            ),
    );
}

#[tokio::test]
async fn by_default_the_request_lasts_as_long_as_its_stream() {
    let telemetry = Capture::new();
    let events = serve(&telemetry, layer(&telemetry), "text/event-stream").await;
    let mut wire = events.open(&[]).await;
    events.send(&mut wire, "data: 1").await;
    assert_eq!(telemetry.open_spans(), 1);
    events
        .sender
        .send(Err(io::ErrorKind::BrokenPipe.into()))
        .unwrap();
    wire.read_to_end().await;
    events.assert(&[events.expect().error("broken_pipe")]).await;
}

#[tokio::test]
async fn a_request_may_end_with_the_head_of_a_stream() {
    let telemetry = Capture::new();
    let head = layer(&telemetry).with_streaming(Streaming::head());
    let events = serve(&telemetry, head, "Text/Event-Stream; charset=utf-8").await;
    let mut wire = events.open(&[]).await;
    events.assert(&[events.expect()]).await;
    events.send(&mut wire, "data: 1").await;
    drop(wire);
    drop(events.sender.clone());
    events.sender.closed().await;
    events.assert(&[events.expect()]).await;
}

#[tokio::test]
async fn other_content_types_are_no_streams() {
    let telemetry = Capture::new();
    let head = layer(&telemetry).with_streaming(Streaming::head());
    let events = serve(&telemetry, head, "application/json").await;
    let wire = events.open(&[]).await;
    drop(wire);
    events.assert(&[events.expect().cancelled()]).await;
}

#[tokio::test]
async fn streams_are_known_by_the_content_types_that_are_given_too() {
    for content_type in [
        "application/x-ndjson",
        "application/json-seq",
        "text/event-stream",
    ] {
        let telemetry = Capture::new();
        let types = Streaming::head()
            .for_content_types(["application/x-ndjson"])
            .for_content_types(["application/json-seq"]);
        let head = layer(&telemetry).with_streaming(types);
        let events = serve(&telemetry, head, content_type).await;
        let _wire = events.open(&[]).await;
        events.assert(&[events.expect()]).await;
    }
}

#[tokio::test]
async fn segments_are_linked_to_their_request() {
    let telemetry = Capture::new();
    // Each frame comes after the time of the segment before it.
    let each = layer(&telemetry).with_streaming(Streaming::segments(Duration::ZERO));
    let events = serve(&telemetry, each, "text/event-stream").await;
    let parent = RemoteParent::sampled();
    let traceparent = parent.traceparent();
    let mut wire = events
        .open(&[("traceparent", &traceparent), ("connection", "close")])
        .await;
    telemetry.wait_for_spans(1).await;
    assert_streams(&telemetry, 1);
    for text in ["data: 1", "data: 22"] {
        events.send(&mut wire, text).await;
    }
    // The end of the stream.
    let Events { server, sender } = events;
    drop(sender);
    wire.read_to_end().await;
    telemetry.wait_for_spans(3).await;
    let expected = server
        .expect("GET", "/events")
        .route("/events")
        .status(200)
        .child_of(&parent);
    let request = server
        .assert_besides(&[expected], &[STREAMS])
        .await
        .remove(0);
    let segments = segments(&telemetry);
    segments[0].assert(segment(&request, 0, 1, 7));
    segments[1].assert(segment(&request, 1, 1, 8));
    assert_eq!(segments.len(), 2);
    assert_ne!(segments[0].trace_id, segments[1].trace_id);
    assert_streams(&telemetry, 0);
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_segment_takes_the_frames_of_its_time() {
    let telemetry = Capture::new();
    let long = layer(&telemetry).with_streaming(Streaming::segments(LONG));
    let events = serve(&telemetry, long, "text/event-stream").await;
    let mut wire = events.open(&[("te", "trailers")]).await;
    for text in ["data: 1", "data: 22"] {
        events.send(&mut wire, text).await;
    }
    assert_eq!(segments(&telemetry), []);
    // Nothing follows trailers, and nobody asks.
    events
        .sender
        .send(Ok(Frame::trailers(Default::default())))
        .unwrap();
    telemetry.wait_for_spans(2).await;
    let request = events
        .assert_besides(&[events.expect()], &[STREAMS])
        .await
        .remove(0);
    segments(&telemetry)[0].assert(segment(&request, 0, 3, 15));
    assert_streams(&telemetry, 0);
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_segment() {
    for cancellation in [
        Cancellation::Mark,
        Cancellation::Error,
        Cancellation::Ignore,
    ] {
        let telemetry = Capture::new();
        let long = layer(&telemetry)
            .with_streaming(Streaming::segments(LONG))
            .with_cancellation(cancellation);
        let events = serve(&telemetry, long, "text/event-stream").await;
        let mut wire = events.open(&[]).await;
        events.send(&mut wire, "data: 1").await;
        drop(wire);
        telemetry.wait_for_spans(2).await;
        let request = events
            .assert_besides(&[events.expect()], &[STREAMS])
            .await
            .remove(0);
        let mut expected = segment(&request, 0, 1, 7);
        if cancellation != Cancellation::Ignore {
            expected = expected.attribute("error.type", "cancelled");
        }
        if cancellation == Cancellation::Error {
            expected = expected.error();
        }
        segments(&telemetry)[0].assert(expected);
        assert_streams(&telemetry, 0);
    }
}

#[tokio::test]
async fn a_stream_that_fails_is_an_error_of_the_segment() {
    let telemetry = Capture::new();
    let long = layer(&telemetry)
        .with_streaming(Streaming::segments(LONG))
        .with_logger_provider(telemetry.logger_provider());
    let events = serve(&telemetry, long, "text/event-stream").await;
    let mut wire = events.open(&[]).await;
    events.send(&mut wire, "data: 1").await;
    events
        .sender
        .send(Err(io::ErrorKind::BrokenPipe.into()))
        .unwrap();
    telemetry.wait_for_spans(2).await;
    let request = events
        .assert_besides(&[events.expect()], &[STREAMS])
        .await
        .remove(0);
    let failed = segment(&request, 0, 1, 7)
        .attribute("error.type", "broken_pipe")
        .error();
    let segments = segments(&telemetry);
    segments[0].assert(failed);
    assert_streams(&telemetry, 0);
    let logs = telemetry.wait_for_logs(1).await;
    assert_eq!(logs.len(), 1);
    let scope = scope();
    logs[0].assert(
        expect_log(Severity::Error)
            .event_name("http.server.request.exception")
            .in_span(&segments[0])
            .attribute("exception.type", "broken_pipe")
            .attribute("exception.message", "broken pipe")
            .scope(
                &scope.name,
                &scope.version.unwrap(),
                &scope.schema_url.unwrap(),
            ),
    );
}
