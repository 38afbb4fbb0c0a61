//! Waiting, blocking and asynchronous, for what ends elsewhere.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::thread;
use std::time::Duration;

use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
use otelware_testing::Capture;
use support::failure;

fn impatient() -> Capture {
    Capture::builder()
        .deadline(Duration::from_millis(20))
        .build()
}

fn work(telemetry: &Capture) {
    telemetry
        .tracer_provider()
        .tracer("test")
        .start("work")
        .end();
}

fn log(telemetry: &Capture) {
    let logger = telemetry.logger_provider().logger("test");
    logger.emit(logger.create_log_record());
}

#[test]
fn spans_and_logs_of_another_thread_are_waited_for() {
    let telemetry = Capture::new();
    let other = telemetry.clone();
    let thread = thread::spawn(move || {
        work(&other);
        work(&other);
        log(&other);
    });
    assert_eq!(telemetry.blocking_wait_for_spans(2).len(), 2);
    assert_eq!(telemetry.blocking_wait_for_logs(1).len(), 1);
    thread.join().unwrap();
}

#[tokio::test]
async fn spans_and_logs_of_another_task_are_waited_for() {
    let telemetry = Capture::new();
    let other = telemetry.clone();
    let task = tokio::spawn(async move {
        tokio::task::yield_now().await;
        work(&other);
        log(&other);
    });
    assert_eq!(telemetry.wait_for_spans(1).await.len(), 1);
    assert_eq!(telemetry.wait_for_logs(1).await.len(), 1);
    task.await.unwrap();
}

#[tokio::test]
async fn settling_waits_for_open_spans_and_in_flight_counters() {
    let telemetry = Capture::new();
    let active = telemetry
        .meter_provider()
        .meter("test")
        .i64_up_down_counter("active")
        .build();
    let mut span = telemetry.tracer_provider().tracer("test").start("work");
    active.add(1, &[]);
    let task = tokio::spawn(async move {
        tokio::task::yield_now().await;
        span.end();
        tokio::task::yield_now().await;
        active.add(-1, &[]);
    });
    telemetry.settle().await;
    telemetry.assert_in_flight_zero();
    assert_eq!((telemetry.open_spans(), telemetry.spans().len()), (0, 1));
    task.await.unwrap();
    telemetry.blocking_settle();
}

#[tokio::test]
async fn any_condition_can_be_waited_for() {
    let telemetry = Capture::new();
    let mut looks = 0;
    telemetry
        .wait_until("the third look", || {
            looks += 1;
            looks == 3
        })
        .await;
    assert_eq!(looks, 3);
}

#[test]
fn a_deadline_that_passes_fails_with_everything_captured() {
    let telemetry = impatient();
    work(&telemetry);
    let _open = telemetry.tracer_provider().tracer("test").start("open");
    let line = line!() + 1;
    let message = failure(|| telemetry.blocking_wait_for_spans(2));
    assert!(
        message.starts_with(&format!(
            "waited 20ms in vain for 2 finished spans at {}:{line}:",
            file!()
        )),
        "{message}"
    );
    assert!(
        message.contains("captured so far (1 spans open)"),
        "{message}"
    );
    assert!(message.contains("name: \"work\""), "{message}");
    assert!(failure(|| telemetry.blocking_settle()).contains("in vain for no operation in flight"));
    assert!(failure(|| telemetry.blocking_wait_for_logs(1)).contains("in vain for 1 log records"));
}

#[test]
fn an_asynchronous_deadline_passes_in_real_time_even_under_a_paused_clock() {
    let message = failure(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(impatient().wait_for_spans(1));
    });
    assert!(
        message.starts_with("waited 20ms in vain for 1 finished spans at "),
        "{message}"
    );
}
