#![allow(clippy::unwrap_used)]

use futures_util::FutureExt as _;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};

use super::*;
use crate::console::test_support::{Captured, at, span};

fn export(exporter: &ConsoleSpanExporter, batch: Vec<SpanData>) -> String {
    format!("{:?}", exporter.export(batch).now_or_never().unwrap())
}

#[test]
fn a_trace_is_printed_once_and_continued_when_spans_come_late() {
    let captured = Captured::default();
    let mut exporter = ConsoleSpanExporter::to_writer(captured.clone());
    exporter.set_resource(
        &Resource::builder_empty()
            .with_service_name("orders")
            .build(),
    );
    assert_eq!(
        export(&exporter, vec![span(2, 1, "child", (0, 500))]),
        "Ok(())"
    );
    assert_eq!(captured.text(), "");
    assert_eq!(
        export(&exporter, vec![span(1, 0, "root", (0, 1_000))]),
        "Ok(())"
    );
    assert_eq!(
        export(&exporter, vec![span(3, 2, "late", (500, 2_000))]),
        "Ok(())"
    );
    assert_eq!(
        captured.text(),
        "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.0 ms
└─ root      INTERNAL  1.0 ms  ▕████████████████████▏
   └─ child  INTERNAL  500 µs  ▕██████████          ▏
trace 4bf92f3577b34da6a3ce929d0e0e4736  orders  1.5 ms  (continued)
└─ … 0000000000000002
   └─ late             INTERNAL  1.5 ms  ▕████████████████████▏
"
    );
}

const UNFINISHED: &str = "\
trace 4bf92f3577b34da6a3ce929d0e0e4736  1.0 ms  (incomplete: root has not ended)
└─ … 0000000000000001
   └─ child            INTERNAL  1.0 ms  ▕████████████████████▏
";

#[test]
fn force_flush_on_a_clone_prints_unfinished_traces() {
    let captured = Captured::default();
    let exporter = ConsoleSpanExporter::to_writer(captured.clone());
    assert_eq!(
        export(&exporter, vec![span(2, 1, "child", (0, 1_000))]),
        "Ok(())"
    );
    exporter.clone().force_flush().unwrap();
    exporter.force_flush().unwrap();
    assert_eq!(captured.text(), UNFINISHED);
}

#[test]
fn shutdown_prints_unfinished_traces_and_ends_exporting() {
    let captured = Captured::default();
    let exporter = ConsoleSpanExporter::to_writer(captured.clone());
    assert_eq!(
        export(&exporter, vec![span(2, 1, "child", (0, 1_000))]),
        "Ok(())"
    );
    exporter.shutdown().unwrap();
    assert_eq!(
        export(&exporter, vec![span(1, 0, "root", (0, 1_000))]),
        "Err(AlreadyShutdown)"
    );
    assert_eq!(format!("{:?}", exporter.shutdown()), "Err(AlreadyShutdown)");
    assert_eq!(captured.text(), UNFINISHED);
}

#[test]
fn the_root_timeout_is_configurable() {
    let captured = Captured::default();
    let exporter =
        ConsoleSpanExporter::to_writer(captured.clone()).with_root_timeout(Duration::from_secs(1));
    let now = Instant::now();
    exporter
        .export_at(vec![span(2, 1, "child", (0, 1_000))], now)
        .unwrap();
    exporter
        .export_at(Vec::new(), now + Duration::from_millis(999))
        .unwrap();
    assert_eq!(captured.text(), "");
    exporter
        .export_at(Vec::new(), now + Duration::from_secs(1))
        .unwrap();
    assert_eq!(captured.text(), UNFINISHED);
}

#[test]
fn a_failing_writer_fails_the_export() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let exporter = ConsoleSpanExporter::to_writer(Broken);
    assert_eq!(
        export(&exporter, vec![span(1, 0, "root", (0, 1))]),
        "Err(InternalFailure(\"console output failed: broken pipe\"))"
    );
}

#[test]
fn colour_can_be_forced() {
    let captured = Captured::default();
    let exporter = ConsoleSpanExporter::to_writer(captured.clone()).with_color(true);
    assert_eq!(
        export(&exporter, vec![span(1, 0, "root", (0, 1_000))]),
        "Ok(())"
    );
    assert_eq!(
        captured.text(),
        "\
\u{1b}[1mtrace 4bf92f3577b34da6a3ce929d0e0e4736\u{1b}[0m  1.0 ms
└─ root  \u{1b}[2mINTERNAL\u{1b}[0m  1.0 ms  ▕████████████████████▏
"
    );
}

#[test]
fn a_provider_prints_through_the_batch_processor() {
    let captured = Captured::default();
    let processor =
        BatchSpanProcessor::builder(ConsoleSpanExporter::to_writer(captured.clone())).build();
    let provider = SdkTracerProvider::builder()
        .with_resource(
            Resource::builder_empty()
                .with_service_name("orders")
                .build(),
        )
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("test");
    let root = tracer.build_with_context(
        SpanBuilder::from_name("GET /")
            .with_kind(SpanKind::Server)
            .with_start_time(at(0)),
        &Context::new(),
    );
    let context = Context::new().with_span(root);
    let mut child = tracer.build_with_context(
        SpanBuilder::from_name("load")
            .with_start_time(at(250))
            .with_attributes([KeyValue::new("rows", 2)]),
        &context,
    );
    child.end_with_timestamp(at(500));
    context.span().end_with_timestamp(at(1_000));
    provider.shutdown().unwrap();
    assert_eq!(
        captured.text(),
        format!(
            "\
trace {}  orders  1.0 ms
└─ GET /    SERVER    1.0 ms  ▕████████████████████▏
   └─ load  INTERNAL  250 µs  ▕     █████          ▏ rows=2
",
            context.span().span_context().trace_id()
        )
    );
}
