#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use futures_util::FutureExt as _;
use opentelemetry::Key;
use opentelemetry::logs::{LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::logs::SdkLoggerProvider;

use super::*;
use crate::console::test_support::{Captured, TRACE, at};

/// The text for one record that `fill` filled.
fn exported(fill: impl FnOnce(&mut SdkLogRecord)) -> String {
    let captured = Captured::default();
    let exporter = ConsoleLogExporter::to_writer(captured.clone());
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    let logger = provider.logger("scope");
    let mut record = logger.create_log_record();
    record.set_timestamp(at(123_000));
    fill(&mut record);
    logger.emit(record);
    captured.text()
}

#[test]
fn a_record_has_the_shape_of_a_formatted_event() {
    let text = exported(|record| {
        record.set_severity_number(Severity::Warn);
        record.set_severity_text("WARN");
        record.set_target("orders");
        record.set_body("charged\n".into());
        record.set_trace_context(
            TraceId::from(TRACE),
            SpanId::from(0x00f0_67aa_0ba9_02b7),
            None,
        );
        record.add_attribute("amount", 12);
        record.add_attribute("note", "two words");
    });
    assert_eq!(
        text,
        "2026-11-21T03:14:10.123Z  WARN trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 \
         orders: charged\\n amount=12 note=\"two words\"\n"
    );
}

#[test]
fn a_bare_record_falls_back_to_number_scope_and_event_name() {
    let text = exported(|record| {
        record.set_severity_number(Severity::Info2);
        record.set_event_name("order.placed");
    });
    assert_eq!(text, "2026-11-21T03:14:10.123Z INFO2 scope: order.placed\n");
    assert_eq!(exported(|_| {}), "2026-11-21T03:14:10.123Z     - scope:\n");
}

#[test]
fn structured_values_are_sorted_and_bounded_in_depth() {
    let deep = (0..20).fold(AnyValue::Int(1), |inner, _| {
        AnyValue::ListAny(Box::new(vec![inner]))
    });
    let map = HashMap::from([
        (Key::new("b"), AnyValue::Boolean(true)),
        (Key::new("a"), AnyValue::Bytes(Box::new(vec![0, 255]))),
        (Key::new("c\u{1b}"), AnyValue::from("x\u{1b}")),
    ]);
    let text = exported(|record| {
        record.set_body(AnyValue::Map(Box::new(map)));
        record.add_attribute("deep", deep);
        record.add_attribute("half", 0.5);
    });
    assert_eq!(
        text,
        "2026-11-21T03:14:10.123Z     - scope: {a: 00ff, b: true, c\\u{1b}: \"x\\u{1b}\"} deep=[[[[[[[[[…]]]]]]]]] half=0.5\n"
    );
}

#[test]
fn shutdown_ends_exporting() {
    let exporter = ConsoleLogExporter::to_writer(Captured::default());
    exporter.shutdown().unwrap();
    let result = exporter.export(LogBatch::new(&[])).now_or_never().unwrap();
    assert_eq!(format!("{result:?}"), "Err(AlreadyShutdown)");
}
