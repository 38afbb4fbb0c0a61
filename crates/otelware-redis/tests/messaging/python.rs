//! Streams between this crate and Python's client under OpenTelemetry's SDK, each way.

use crate::expected::{client, process_entry, producer};
use crate::support::Shared;
use otelware_redis::otelware::opentelemetry::baggage::BaggageExt;
use otelware_redis::otelware::opentelemetry::trace::{
    FutureExt, SpanContext, SpanId, TraceFlags, TraceId, TraceState,
};
use otelware_redis::otelware::opentelemetry::{Context, KeyValue};
use otelware_redis::streams::StreamConsumer;
use otelware_testing::{Capture, SpanIdentity};
use redis::streams::StreamRangeReply;
use redis::{Cmd, Commands};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The status of `scripts/python-environment` where there is no Python, or nowhere to install from.
const NOT_HERE: i32 = 77;

/// Runs a script of `tests/python` with the stream's key, and gives the one span that it prints; none
/// where that cannot be. What the reason is, is printed.
fn python(script: &str, shared: &Shared, stream: &str) -> Option<PythonSpan> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut environment = Command::new(package.join("../../scripts/python-environment"));
    let environment = environment.args(["otelware-redis", "redis"]).output();
    let environment = environment.expect("the script runs");
    eprint!("{}", String::from_utf8_lossy(&environment.stderr));
    if environment.status.code() == Some(NOT_HERE) {
        eprintln!("skipped: there is no Python with Redis here (see above)");
        return None;
    }
    assert!(environment.status.success(), "{}", environment.status);
    let interpreter = String::from_utf8(environment.stdout).unwrap();
    let mut command = Command::new(interpreter.trim_end());
    // Neither side has any setting of the environment's, and nothing is left in the sources.
    command
        .args(["-B", "-E", "-s"])
        .arg(package.join("tests/python").join(script));
    command.args([shared.url(), stream]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OTEL_") {
            command.env_remove(name);
        }
    }
    let output = command.output().expect("Python runs");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaints}", output.status);
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut lines = printed.lines();
    let span = serde_json::from_str(lines.next().expect("a span")).expect("JSON");
    assert_eq!(lines.next(), None, "{printed}");
    Some(PythonSpan(span))
}

/// A span as Python's SDK prints it.
struct PythonSpan(Value);

impl PythonSpan {
    fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The ids of a context, in hexadecimal.
    fn ids(&self, context: &str) -> [&str; 2] {
        ["trace_id", "span_id"].map(|id| {
            let id = self.text(&format!("{context}/{id}"));
            id.strip_prefix("0x").expect("an id in hexadecimal")
        })
    }
}

impl SpanIdentity for PythonSpan {
    fn span_context(&self) -> SpanContext {
        let [trace, span] = self.ids("/context");
        let trace = TraceId::from_hex(trace).unwrap();
        let span = SpanId::from_hex(span).unwrap();
        SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE)
    }
}

#[tokio::test]
async fn from_a_producer_in_python() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let Some(added) = python("producer.py", &shared, &stream) else {
        return;
    };
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
            .remote_child_of(&added)
            .link_to(&added)
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
    let Some(processed) = python("consumer.py", &shared, &stream) else {
        return;
    };
    let added = telemetry.span("XADD");
    let ids = [added.trace_id.to_string(), added.span_id.to_string()];
    assert_eq!(processed.ids("/context")[0], ids[0]);
    assert_eq!(processed.text("/parent_id"), format!("0x{}", ids[1]));
    assert_eq!(
        processed.ids("/links/0/context"),
        ids.each_ref().map(String::as_str)
    );
    assert_eq!(
        processed.text("/attributes/fields"),
        "baggage,item,traceparent"
    );
    assert_eq!(processed.text("/attributes/baggage.caller"), "rust; ü+");
}
