//! Operations of one's own: futures, streams, tasks, messages and plain functions.
//!
//! The helpers speak to the global provider, so that all tests here share one, and each has its
//! own names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use otelware::{FutureExt, Message, StreamExt, operation};
use otelware_testing::{Capture, Span, expect_span};
use std::sync::OnceLock;

const SCHEMA: &str = "https://opentelemetry.io/schemas/1.45.0";

fn capture() -> &'static Capture {
    static CAPTURE: OnceLock<Capture> = OnceLock::new();
    CAPTURE.get_or_init(|| {
        let capture = Capture::new();
        opentelemetry::global::set_tracer_provider(capture.tracer_provider());
        capture
    })
}

fn span(name: &str) -> Span {
    capture().span(name)
}

fn expected(name: &'static str) -> otelware_testing::ExpectedSpan {
    expect_span(name)
        .kind(SpanKind::Internal)
        .scope("otelware", env!("CARGO_PKG_VERSION"), SCHEMA)
}

#[derive(Debug)]
struct Declined;

#[tokio::test]
async fn a_future() {
    let capture = capture();
    let _ = capture;
    let value = async {
        tokio::task::yield_now().await;
        async { 1 }.traced("a_future inner").await + 1
    }
    .traced("a_future outer")
    .await;
    assert_eq!(value, 2);
    let outer = span("a_future outer");
    outer.assert(expected("a_future outer").no_parent().status_unset());
    span("a_future inner").assert(expected("a_future inner").child_of(&outer).status_unset());
}

#[tokio::test]
async fn a_future_that_fails_or_succeeds() {
    capture();
    let result: Result<(), Declined> = async { Err(Declined) }.try_traced("fails").await;
    assert!(result.is_err());
    let result: Result<u32, Declined> = async { Ok(7) }.try_traced("succeeds").await;
    assert_eq!(result.unwrap(), 7);
    span("fails").assert(
        expected("fails")
            .attribute("error.type", "Declined")
            .error(),
    );
    span("succeeds").assert(expected("succeeds").status_unset());
}

#[tokio::test]
async fn a_future_that_is_dropped_early() {
    capture();
    let mut future = Box::pin(std::future::pending::<()>().traced("dropped"));
    assert!(futures_util::poll!(&mut future).is_pending());
    drop(future);
    span("dropped").assert(
        expected("dropped")
            .attribute("error.type", "cancelled")
            .status_unset(),
    );
    // One that was never polled has not begun.
    drop(std::future::pending::<()>().traced("never polled"));
    assert!(
        capture()
            .spans()
            .iter()
            .all(|span| span.name != "never polled")
    );
}

#[tokio::test]
async fn a_future_that_panics() {
    capture();
    let task = tokio::spawn(async { panic!("oops") }.traced("panics"));
    assert!(task.await.unwrap_err().is_panic());
    span("panics").assert(expected("panics").attribute("error.type", "panic").error());
}

#[tokio::test]
async fn a_stream_to_its_end_and_one_dropped_early() {
    use futures_util::StreamExt as _;
    capture();
    let numbers = futures_util::stream::iter(0..3)
        .inspect(|_| assert!(Context::current().span().span_context().is_valid()))
        .traced("stream");
    assert_eq!(
        futures_util::StreamExt::collect::<Vec<_>>(numbers).await,
        [0, 1, 2]
    );
    span("stream").assert(expected("stream").status_unset());
    let mut endless = StreamExt::traced(futures_util::stream::repeat(1), "endless");
    assert_eq!(futures_util::StreamExt::next(&mut endless).await, Some(1));
    drop(endless);
    span("endless").assert(
        expected("endless")
            .attribute("error.type", "cancelled")
            .status_unset(),
    );
}

#[tokio::test]
async fn tasks_go_on_in_the_current_context() {
    capture();
    async {
        otelware::spawn(async {}.traced("task")).await.unwrap();
        // The context is that of the call, wherever the future is polled.
        tokio::spawn(async {}.traced("plain task")).await.unwrap();
        otelware::spawn_blocking(|| operation("blocking task").run_blocking(|| ()))
            .await
            .unwrap();
    }
    .traced("spawner")
    .await;
    let spawner = span("spawner");
    span("task").assert(expected("task").child_of(&spawner));
    span("plain task").assert(expected("plain task").child_of(&spawner));
    span("blocking task").assert(expected("blocking task").child_of(&spawner));
}

#[tokio::test]
async fn messages_carry_their_context() {
    capture();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let with_baggage = Context::current().with_baggage([KeyValue::new("tenant", "acme")]);
    let _attached = with_baggage.attach();
    let mut sending = operation("send").start();
    let messages = sending.in_scope(|| [Message::new("child"), Message::from("linked")]);
    sending.finish();
    for message in messages {
        sender.send(message).await.unwrap();
    }
    drop(_attached);

    let (value, receive) = receiver.recv().await.unwrap().receive("receive");
    receive
        .run(async {
            assert_eq!(
                Context::current().baggage().get("tenant").unwrap().as_str(),
                "acme"
            );
        })
        .await;
    assert_eq!(value, "child");
    let linked = receiver.recv().await.unwrap();
    assert_eq!(*linked.get_ref(), "linked");
    let (_, receive) = linked.receive_linked("receive linked");
    receive.run(async {}).await;

    let sent = span("send");
    span("receive").assert(expected("receive").child_of(&sent));
    span("receive linked").assert(expected("receive linked").no_parent().link_to(&sent));
}

#[test]
fn a_function_and_a_guard() {
    capture();
    assert_eq!(operation("function").run_blocking(|| 42), 42);
    span("function").assert(expected("function").status_unset());

    let mut guard = operation("guard")
        .kind(SpanKind::Producer)
        .attribute("n", 1)
        .attribute("n", 2)
        .start();
    guard.set_attribute("late", "no");
    guard.set_attribute("late", "yes");
    guard.set_attribute("n", 3);
    guard.set_attribute("error.type", "the user's");
    guard.fail("out_of_stock");
    span("guard").assert(
        expected("guard")
            .kind(SpanKind::Producer)
            .attribute("n", 2)
            .attribute("late", "yes")
            .attribute("error.type", "out_of_stock")
            .error(),
    );
}
