//! Outages, overload and the end: what is delivered, what is counted as lost, and what is said about it.

#![cfg(all(feature = "otlp-grpc", feature = "otlp-http"))]
#![allow(clippy::unwrap_used)]

mod telemetry_support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use opentelemetry::logs::{LogRecord as _, Logger as _, LoggerProvider as _};
use otelware::telemetry::{Signal, SignalHealth, Telemetry};
use otelware_testing::otlp::{Answer, OtlpReceiver};
use telemetry_support::{Lines, builder, emit, end_span, eventually, free_address, wait};

fn counts(health: &SignalHealth) -> (u64, u64, u64, u64) {
    (
        health.exported,
        health.failed,
        health.dropped,
        health.pending,
    )
}

/// Batches go out at once, and an attempt to send one lasts 300 ms.
const FAST: &[(&str, &str)] = &[
    ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "300"),
    ("OTEL_LOGS_EXPORTER", "none"),
    ("OTEL_METRICS_EXPORTER", "none"),
];

#[test]
fn http_exports_resume_when_the_endpoint_appears() {
    let address = free_address();
    let telemetry = builder("http/protobuf", address, FAST).install().unwrap();
    end_span(&telemetry, "before");
    eventually("a failed export", || telemetry.health().spans.failed == 1);
    let error = telemetry.health().spans.last_error.unwrap();
    assert!(
        error.starts_with(&format!("sending to http://{address}/v1/traces failed: ")),
        "{error}"
    );
    assert!(error.contains("Connection refused"), "{error}");

    let endpoint = OtlpReceiver::builder()
        .address(address)
        .http(Answer::Status(200));
    end_span(&telemetry, "after");
    eventually("an export", || telemetry.health().spans.exported == 1);
    assert_eq!(endpoint.received().span_names(), ["after"]);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(counts(&telemetry.health().spans), (1, 1, 0, 0));
}

#[test]
fn grpc_exports_resume_when_the_endpoint_appears() {
    let address = free_address();
    let telemetry = builder("grpc", address, FAST).install().unwrap();
    end_span(&telemetry, "before");
    eventually("a failed export", || telemetry.health().spans.failed == 1);
    let error = telemetry.health().spans.last_error.unwrap();
    assert!(
        error.starts_with(&format!("sending to http://{address} failed: ")),
        "{error}"
    );
    assert!(error.contains("Connection refused"), "{error}");

    let endpoint = OtlpReceiver::builder().address(address).grpc();
    end_span(&telemetry, "after");
    eventually("an export", || telemetry.health().spans.exported == 1);
    assert_eq!(endpoint.received().span_names(), ["after"]);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(counts(&telemetry.health().spans), (1, 1, 0, 0));
}

#[test]
fn a_short_outage_loses_nothing() {
    let endpoint = OtlpReceiver::builder().http(Answer::UnavailableAtFirst(3));
    let more = [
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .install()
        .unwrap();
    end_span(&telemetry, "checkout");
    assert_eq!(wait(telemetry.force_flush()), Ok(()));
    assert_eq!(endpoint.received().requests.len(), 4);
    assert_eq!(endpoint.received().span_names(), ["checkout"]);
    assert_eq!(counts(&telemetry.health().spans), (1, 0, 0, 0));
}

#[test]
fn a_rejected_batch_is_reported_by_the_flush() {
    let endpoint = OtlpReceiver::builder().http(Answer::Status(400));
    let telemetry = builder("http/protobuf", endpoint.address(), FAST)
        .install()
        .unwrap();
    end_span(&telemetry, "one");
    eventually("the rejection", || telemetry.health().spans.failed == 1);
    let more = [
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .install()
        .unwrap();
    end_span(&telemetry, "two");
    let error = wait(telemetry.force_flush()).unwrap_err();
    let address = endpoint.address();
    assert_eq!(
        error.to_string(),
        format!(
            "traces: sending to http://{address}/v1/traces failed: HTTP export failed with status code: 400; 1 span was \
             not exported"
        )
    );
}

#[test]
fn nothing_that_ended_before_the_shutdown_is_lost() {
    const SPANS: usize = 10_000;
    let endpoint = OtlpReceiver::http();
    let more = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "20000"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "20000"),
    ];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .install()
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..SPANS / 4 {
                    end_span(&telemetry, "work");
                }
            });
        }
        scope.spawn(|| {
            let logger = telemetry.logger_provider().logger("test");
            for number in 0..1000_i64 {
                let mut record = logger.create_log_record();
                record.set_body(number.into());
                logger.emit(record);
            }
        });
    });
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    let received = endpoint.received();
    let ids: HashSet<Vec<u8>> = received
        .spans()
        .iter()
        .map(|span| span.span_id.clone())
        .collect();
    assert_eq!((received.spans().len(), ids.len()), (SPANS, SPANS));
    assert_eq!(received.log_records().len(), 1000);
    assert_eq!(counts(&telemetry.health().spans), (10_000, 0, 0, 0));
    assert_eq!(counts(&telemetry.health().logs), (1000, 0, 0, 0));
}

#[test]
fn what_does_not_fit_is_dropped_counted_and_reported_once() {
    let endpoint = OtlpReceiver::builder().http(Answer::Never);
    let more = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let telemetry = builder("http/protobuf", endpoint.address(), &more)
        .shutdown_timeout(Duration::from_millis(500))
        .install()
        .unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..5 {
            end_span(&telemetry, "first batch");
        }
        eventually("the first batch on its way", || {
            !endpoint.received().requests.is_empty()
        });
        for _ in 0..17 {
            end_span(&telemetry, "queued or dropped");
        }
    });
    assert_eq!(counts(&telemetry.health().spans), (0, 0, 7, 15));
    assert_eq!(
        lines.text(),
        " WARN otelware: traces: 1 span dropped so far, because the export queue is full (capacity 10): the endpoint is \
         away or slower than the service. OTEL_BSP_MAX_QUEUE_SIZE sets the capacity\n"
    );
    let error = wait(telemetry.shutdown()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "traces: timed out after 300 ms; 15 spans were not exported"
    );
    assert_eq!(error.failures()[0].signal(), Signal::Traces);
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    end_span(&telemetry, "after the end");
}

#[test]
fn a_shutdown_does_not_wait_for_an_endpoint_that_is_away() {
    std::thread::scope(|scope| {
        for protocol in ["http/protobuf", "grpc"] {
            scope.spawn(move || ends_in_time(protocol));
        }
    });
}

fn ends_in_time(protocol: &str) {
    let telemetry = builder(protocol, free_address(), &[]).install().unwrap();
    emit(&telemetry);
    let started = Instant::now();
    let error = wait(telemetry.shutdown()).unwrap_err();
    // For each signal: the pause before the last attempt of the batch under way, and the one after.
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
    let losses: Vec<(Signal, &str)> = error
        .failures()
        .iter()
        .map(|failure| {
            (
                failure.signal(),
                failure.message().rsplit("; ").next().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        losses,
        [
            (Signal::Traces, "1 span was not exported"),
            (Signal::Logs, "1 log record was not exported"),
            (Signal::Metrics, "1 collection of metrics was not exported"),
        ]
    );
}

fn endpoint_and_telemetry() -> (OtlpReceiver, Telemetry) {
    let endpoint = OtlpReceiver::http();
    let telemetry = builder("http/protobuf", endpoint.address(), &[])
        .install()
        .unwrap();
    (endpoint, telemetry)
}

#[tokio::test(flavor = "current_thread")]
async fn dropped_inside_a_current_thread_runtime() {
    for protocol in ["http/protobuf", "grpc"] {
        let (http, grpc) = (OtlpReceiver::http(), OtlpReceiver::grpc());
        let address = if protocol == "grpc" {
            grpc.address()
        } else {
            http.address()
        };
        let telemetry = builder(protocol, address, &[]).install().unwrap();
        emit(&telemetry);
        drop(telemetry);
        let received = if protocol == "grpc" {
            grpc.received()
        } else {
            http.received()
        };
        assert_eq!(received.span_names(), ["checkout"]);
        assert_eq!(
            (received.log_records().len(), received.metrics.len()),
            (1, 1)
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn flushed_and_shut_down_inside_a_current_thread_runtime() {
    let (endpoint, telemetry) = endpoint_and_telemetry();
    emit(&telemetry);
    assert_eq!(telemetry.force_flush().await, Ok(()));
    assert_eq!(endpoint.received().span_names(), ["checkout"]);
    end_span(&telemetry, "later");
    assert_eq!(telemetry.shutdown().await, Ok(()));
    assert_eq!(endpoint.received().span_names(), ["checkout", "later"]);
    assert_eq!(telemetry.shutdown().await, Ok(()));
    assert_eq!(telemetry.force_flush().await, Ok(()));
}

#[test]
fn dropped_after_the_runtime_is_gone() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (endpoint, telemetry) = runtime.block_on(async { endpoint_and_telemetry() });
    emit(&telemetry);
    drop(runtime);
    drop(telemetry);
    assert_eq!(endpoint.received().span_names(), ["checkout"]);
}

#[test]
fn shut_down_through_the_provider() {
    let (endpoint, telemetry) = endpoint_and_telemetry();
    end_span(&telemetry, "checkout");
    assert!(telemetry.tracer_provider().shutdown().is_ok());
    assert_eq!(wait(telemetry.shutdown()), Ok(()));
    assert_eq!(endpoint.received().span_names(), ["checkout"]);
}
