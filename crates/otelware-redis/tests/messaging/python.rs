//! Streams between this crate and Python's client under OpenTelemetry's SDK, each way.

use crate::expected::{client, process_entry, producer};
use crate::support::Shared;
use otelware_redis::otelware::opentelemetry::baggage::BaggageExt;
use otelware_redis::otelware::opentelemetry::trace::FutureExt;
use otelware_redis::otelware::opentelemetry::{Context, KeyValue};
use otelware_redis::streams::StreamConsumer;
use otelware_testing::Capture;
use otelware_testing::python::{Python, PythonSpans};
use redis::streams::StreamRangeReply;
use redis::{Cmd, Commands};

/// Runs a script of `tests/python` with the stream's key, which prints one span.
fn python(script: &str, shared: &Shared, stream: &str) -> Option<PythonSpans> {
    let python = Python {
        directory: env!("CARGO_MANIFEST_DIR"),
        package: env!("CARGO_PKG_NAME"),
        module: "redis",
    };
    python.run(script, &[shared.url(), stream])
}

#[tokio::test]
async fn from_a_producer_in_python() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let Some(spans) = python("producer.py", &shared, &stream) else {
        return;
    };
    let added = spans.only();
    assert_eq!(added.text("/kind"), "SpanKind.PRODUCER");
    let reply: StreamRangeReply = shared.connection().xrange_all(&stream).unwrap();
    let entry = &reply.ids[0];
    let consumer = StreamConsumer::new(&client(&shared, &telemetry), "billing", "worker-1");
    let processing = async {
        let found = Context::current();
        Ok::<_, ()>(found.baggage().get("caller").map(ToString::to_string))
    };
    let baggage = consumer.process(&stream, entry, processing).await.unwrap();
    assert_eq!(baggage.as_deref(), Some("python;ü+"));
    telemetry.span(&format!("process {stream}")).assert(
        process_entry(&stream)
            .remote_child_of(added)
            .link_to(added)
            .attribute("messaging.message.id", entry.id.as_str()),
    );
}

#[tokio::test]
async fn to_a_consumer_in_python() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let producer = producer(&shared, &telemetry);
    let mut connection = producer.get_multiplexed_async_connection().await.unwrap();
    let add = Cmd::xadd(&stream, "*", &[("item", "teapot")]);
    let baggage = Context::new().with_baggage([KeyValue::new("caller", "rust; ü+")]);
    add.exec_async(&mut connection)
        .with_context(baggage)
        .await
        .unwrap();
    let Some(spans) = python("consumer.py", &shared, &stream) else {
        return;
    };
    let processed = spans.only();
    let added = telemetry.span("XADD");
    processed.assert_child_of(&added);
    assert_eq!(processed.link(), (added.trace_id, added.span_id));
    assert_eq!(
        processed.text("/attributes/fields"),
        "baggage,item,traceparent"
    );
    assert_eq!(processed.text("/attributes/baggage.caller"), "rust; ü+");
}
