//! Entries are processed in spans that are linked to what added them, and measured.

use crate::expected::{client, metrics, of_ours, point, process, process_entry, producer};
use crate::support::Shared;
use otelware_redis::ConsumerOptions;
use otelware_redis::otelware::messaging::Parenting;
use otelware_redis::otelware::opentelemetry::baggage::BaggageExt;
use otelware_redis::otelware::opentelemetry::trace::FutureExt;
use otelware_redis::otelware::opentelemetry::{Context, KeyValue};
use otelware_redis::otelware::operation::Signals;
use otelware_redis::otelware::propagation::Trust;
use otelware_redis::otelware::semconv::boundaries::{MESSAGE_AGE_SECONDS, REQUEST_SECONDS};
use otelware_redis::streams::StreamConsumer;
use otelware_testing::{Capture, Span, attributes, expect_counter, expect_histogram};
use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, Cmd, Commands, Value};
use std::collections::HashMap;

/// Adds so many entries, each in a span of its own, with some baggage.
async fn add(shared: &Shared, stream: &str, count: usize) -> Vec<Span> {
    let telemetry = Capture::new();
    let client = producer(shared, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let context = Context::new().with_baggage([KeyValue::new("tenant", "7")]);
    for number in 0..count {
        let adding = Cmd::xadd(stream, "*", &[("number", number)]);
        let adding = adding.exec_async(&mut connection);
        adding.with_context(context.clone()).await.unwrap();
    }
    telemetry.spans()
}

/// The entries of the stream, read by a group on a connection that is not observed.
fn read(shared: &Shared, streams: &[&str]) -> StreamReadReply {
    let mut connection = shared.connection();
    for stream in streams {
        let _: Value = connection
            .xgroup_create_mkstream(stream, "billing", 0)
            .unwrap();
    }
    let options = StreamReadOptions::default().group("billing", "worker-1");
    let new = vec![">"; streams.len()];
    let reply: Option<StreamReadReply> = connection.xread_options(streams, &new, &options).unwrap();
    reply.unwrap()
}

fn consumer(shared: &Shared, telemetry: &Capture) -> StreamConsumer {
    StreamConsumer::new(&client(shared, telemetry), "billing", "worker-1")
}

#[tokio::test]
async fn an_entry_is_linked_to_what_added_it() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let added = add(&shared, &stream, 1).await.remove(0);
    let reply = read(&shared, &[&stream]);
    let entry = &reply.keys[0].ids[0];
    let consumer = consumer(&shared, &telemetry);
    let processing = async {
        let baggage = Context::current().baggage().to_string();
        Ok::<_, ()>(baggage)
    };
    let baggage = consumer.process(&stream, entry, processing).await;
    assert_eq!(baggage.as_deref(), Ok("tenant=7"));

    let expected = process_entry(&stream)
        .remote_child_of(&added)
        .link_to(&added)
        .status_unset()
        .attribute("messaging.message.id", entry.id.as_str());
    assert_eq!(telemetry.spans().len(), 1);
    telemetry
        .span(&format!("process {stream}"))
        .assert(expected);
    let names = [
        "messaging.client.consumed.messages",
        "messaging.process.duration",
        "otelware.redis.stream.lag",
    ];
    assert_eq!(metrics(&telemetry), names);
    let points = point("process", &stream, Some("billing"));
    telemetry.metric(names[0]).assert(of_ours(
        expect_counter(names[0]).point(points.clone(), 1),
        "{message}",
        "Number of messages that were delivered to the application.",
    ));
    telemetry.metric(names[1]).assert(of_ours(
        expect_histogram(names[1])
            .boundaries(&REQUEST_SECONDS)
            .point(points, 1),
        "s",
        "Duration of processing operation.",
    ));
    let waited = attributes! {
        "messaging.system.name" => "redis",
        "messaging.destination.name" => stream.as_str(),
        "messaging.consumer.group.name" => "billing",
    };
    let lag = telemetry.metric(names[2]);
    lag.assert(of_ours(
        expect_histogram(names[2])
            .boundaries(&MESSAGE_AGE_SECONDS)
            .point(waited, 1),
        "s",
        "Time from an entry's id to the begin of its processing.",
    ));
    // As long as the test lasts; one that goes by milliseconds or minutes is found out.
    assert!((0.0..300.0).contains(&lag.total_sum()), "{lag:?}");
}

#[tokio::test]
async fn a_batch_is_linked_to_all_that_added_to_it() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let added = add(&shared, &stream, 3).await;
    let reply = read(&shared, &[&stream]);
    let entries = &reply.keys[0].ids;
    let consumer = consumer(&shared, &telemetry);
    let done = consumer.process_batch(&stream, entries, async { "x".parse::<i32>() });
    done.await.unwrap_err();
    let mut expected = process_entry(&stream)
        .no_parent()
        .error()
        .attribute("error.type", "ParseIntError")
        .attribute("messaging.batch.message_count", 3);
    for (added, entry) in added.iter().zip(entries) {
        expected = expected.link_with(added, [("messaging.message.id", entry.id.as_str())]);
    }
    telemetry
        .span(&format!("process {stream}"))
        .assert(expected);
    let consumed = telemetry.metric("messaging.client.consumed.messages");
    assert_eq!((consumed.points.len(), consumed.total_sum()), (1, 3.0));
    assert_eq!(
        telemetry.metric("otelware.redis.stream.lag").total_count(),
        3
    );
    assert_eq!(
        telemetry.metric("messaging.process.duration").total_count(),
        1
    );
}

/// As programs do: read by the group, process, acknowledge.
#[tokio::test]
async fn a_reply_of_several_streams_is_gone_through() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (orders, returns) = (shared.key("orders"), shared.key("returns"));
    let added = [
        add(&shared, &orders, 2).await,
        add(&shared, &returns, 1).await,
    ]
    .concat();
    let reply = read(&shared, &[&orders, &returns]);
    let client = client(&shared, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let consumer = StreamConsumer::new(&connection, "billing", "worker-1");
    let mut ids = Vec::new();
    for entry in consumer.entries(&reply) {
        let (stream, id) = (entry.stream(), entry.entry().id.as_str());
        ids.push((stream, id));
        // The connection's own commands are within.
        let acknowledged = [id];
        let acknowledge = connection.xack(stream, "billing", &acknowledged);
        let count: redis::RedisResult<usize> = entry.process(acknowledge).await;
        assert_eq!(count.unwrap(), 1);
    }
    let spans = telemetry.spans();
    let (processed, acknowledged): (Vec<_>, Vec<_>) = spans
        .iter()
        .partition(|span| span.name.starts_with("process"));
    assert_eq!((processed.len(), acknowledged.len()), (3, 3));
    for (((stream, id), span), added) in ids.into_iter().zip(&processed).zip(&added) {
        let expected = process_entry(stream)
            .remote_child_of(added)
            .link_to(added)
            .attribute("messaging.message.id", id);
        span.assert(expected);
    }
    for (span, around) in acknowledged.iter().zip(&processed) {
        assert_eq!(
            (span.name.as_str(), span.parent_span_id),
            ("XACK", Some(around.span_id))
        );
    }
}

#[tokio::test]
async fn policies_decide_on_parents_and_what_is_shown() {
    let (shared, stream) = (Shared::new(), "customers.7");
    let key = shared.key(stream);
    let added = add(&shared, &key, 1).await.remove(0);
    let reply = read(&shared, &[&key]);
    let entry = &reply.keys[0].ids[0];
    let template = "customers.{id}";
    let run = |change: &dyn Fn(ConsumerOptions) -> ConsumerOptions| {
        let telemetry = Capture::new();
        let options = ConsumerOptions::of(&client(&shared, &telemetry));
        let options = options.with_destination_template(move |_| Some(template.to_owned()));
        let consumer = change(options).stream_reader();
        consumer.start_process(&key, entry).finish();
        (telemetry.span("process customers.{id}"), telemetry)
    };
    // No group, so no name in it.
    let expected = || {
        process(&key, template)
            .link_to(&added)
            .attribute("messaging.message.id", entry.id.as_str())
    };
    let (span, telemetry) = run(&|options| options.with_parenting(Parenting::Link));
    span.assert(expected().no_parent());
    let waited = attributes! {
        "messaging.system.name" => "redis",
        "messaging.destination.template" => template,
    };
    let lag = "otelware.redis.stream.lag";
    telemetry
        .metric(lag)
        .assert(expect_histogram(lag).point(waited, 1));
    let (_, telemetry) = run(&|options| options.with_filter(|_| Signals::TRACES));
    assert_eq!(telemetry.metrics(), []);
    let (span, _) = run(&|options| options.with_trust(Trust::Public));
    span.assert(expected().no_parent());
    let (span, _) = run(&|options| options.with_parenting(Parenting::Parent));
    span.assert(expected().remote_child_of(&added));
    let (span, _) = run(&|options| options.with_body_sizes().with_captured_headers(["number"]));
    // `number`, `0`, `traceparent` with 55 characters, `baggage` and `tenant=7`.
    let size = 6 + 1 + 11 + 55 + 7 + 8;
    span.assert(
        expected()
            .remote_child_of(&added)
            .attribute("messaging.message.body.size", size)
            .any_value("messaging.header.number"),
    );
}

/// Whatever is in an entry, it is processed.
#[test]
fn odd_entries_are_processed_too() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let consumer = consumer(&shared, &telemetry);
    for (id, value) in [
        ("", Value::Nil),
        ("5-1", Value::BulkString(vec![0xff, 0])),
        ("x", Value::Array(vec![Value::Int(1)])),
        (
            "18446744073709551615-18446744073709551615",
            Value::Double(1.5),
        ),
        ("1-1", Value::SimpleString("00-not-a-context".to_owned())),
    ] {
        let entry = StreamId {
            id: id.to_owned(),
            map: HashMap::from([("traceparent".to_owned(), value)]),
            ..StreamId::default()
        };
        let done = consumer.process_sync("odd", &entry, || Ok::<_, ()>(()));
        assert_eq!(done, Ok(()));
        let span = telemetry.span("process odd");
        span.assert(
            process_entry("odd")
                .attribute("messaging.message.id", id)
                .no_parent(),
        );
        telemetry.reset();
    }
    // That of the future alone has a time, and none to wait.
    let empty = consumer.start_process_batch("odd", &[]);
    empty.finish();
    let lag = telemetry
        .metrics()
        .into_iter()
        .find(|metric| metric.name.ends_with(".lag"));
    assert_eq!(lag.map_or(0.0, |lag| lag.total_sum()), 0.0);
}
