//! Producer and consumer in processes of their own: one trace, by a link.

use crate::expected::{client, process_entry, producer, read};
use crate::support::Shared;
use otelware_redis::otelware::opentelemetry::trace::{
    SpanContext, SpanId, TraceFlags, TraceId, TraceState,
};
use otelware_redis::streams::StreamConsumer;
use otelware_testing::{Capture, Program};
use redis::streams::StreamRangeReply;
use redis::{Cmd, Commands};
use std::env;

/// The stream that the process given it adds to.
const STREAM: &str = "OTELWARE_TEST_STREAM";

/// The producer: a process of its own where the other test starts it, and a test otherwise.
#[test]
#[allow(clippy::print_stdout, reason = "the other process reads it")]
fn an_entry_is_added() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = env::var(STREAM).unwrap_or_else(|_| shared.key("orders"));
    let mut connection = producer(&shared, &telemetry).get_connection().unwrap();
    let mut around = otelware_redis::otelware::operation("place order")
        .with_tracer_provider(telemetry.tracer_provider())
        .start();
    let add = Cmd::xadd(&stream, "*", &[("item", "teapot")]);
    around.in_scope(|| add.exec(&mut connection).unwrap());
    around.finish();
    let span = telemetry.span("XADD");
    assert_eq!(
        span.parent_span_id,
        Some(telemetry.span("place order").span_id)
    );
    let (_, fields) = read(&mut shared.connection(), &stream).remove(0);
    assert_eq!(fields.last().unwrap().1, span.traceparent());
    println!("\nadded {} {}", span.trace_id, span.span_id);
}

#[tokio::test]
async fn it_is_one_trace_of_two_processes() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let arguments = ["--exact", "processes::an_entry_is_added", "--nocapture"];
    let variables = [(STREAM, stream.as_str())];
    let program = Program::start(env::current_exe().unwrap(), &arguments, &variables);
    let printed = program.end().assert_success().stdout;
    let mut ids = printed
        .lines()
        .find_map(|line| line.strip_prefix("added "))
        .unwrap()
        .split(' ');
    let trace_id = TraceId::from_hex(ids.next().unwrap()).unwrap();
    let span_id = SpanId::from_hex(ids.next().unwrap()).unwrap();
    let sampled = TraceFlags::SAMPLED;
    let added = SpanContext::new(trace_id, span_id, sampled, true, TraceState::NONE);

    let reply: StreamRangeReply = shared.connection().xrange_all(&stream).unwrap();
    let entry = &reply.ids[0];
    let consumer = StreamConsumer::new(&client(&shared, &telemetry), "billing", "worker-1");
    consumer
        .process(&stream, entry, async { Ok::<_, ()>(()) })
        .await
        .unwrap();
    let processed = telemetry.span(&format!("process {stream}"));
    assert_eq!(processed.trace_id, trace_id);
    processed.assert(
        process_entry(&stream)
            .remote_child_of(&added)
            .link_to(&added)
            .attribute("messaging.message.id", entry.id.as_str()),
    );
}
