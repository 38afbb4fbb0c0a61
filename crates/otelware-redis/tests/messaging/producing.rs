//! Entries carry the context of what adds them, where that is wanted.

use crate::expected::{client, client_with, options, producer, read};
use crate::support::{Cluster, Shared};
use otelware_redis::otelware::opentelemetry::baggage::BaggageExt;
use otelware_redis::otelware::opentelemetry::trace::FutureExt;
use otelware_redis::otelware::opentelemetry::{Context, KeyValue};
use otelware_redis::otelware::propagation::Outbound;
use otelware_redis::{Instrument, RedisOptions, cluster};
use otelware_testing::{Capture, Span};
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{AsyncCommands, Cmd, Commands, Pipeline, Value};
use std::time::Duration;

const FIELDS: [(&str, &str); 2] = [("item", "teapot"), ("quantity", "2")];

fn add(stream: &str) -> Cmd {
    Cmd::xadd(stream, "*", &FIELDS)
}

fn text(stream: &str) -> String {
    format!("XADD {stream} * item ? quantity ?")
}

fn both(stream: &str, other: &str) -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline
        .add_command(add(stream))
        .ignore()
        .set(other, 1)
        .add_command(add(stream));
    pipeline
}

/// The fields of an entry that was added within this span.
fn carried(span: &Span) -> Vec<(String, String)> {
    let context = [("traceparent", span.traceparent())];
    let fields = FIELDS.map(|(name, value)| (name, value.to_owned()));
    let all = fields.into_iter().chain(context);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Each entry carries the span that added it, and that shows the program's own fields only.
#[track_caller]
fn assert_carried(shared: &Shared, telemetry: &Capture, texts: &[(String, usize)]) {
    let spans = telemetry.spans();
    let mut expected = Vec::new();
    let mut found = Vec::new();
    for (span, (_, count)) in spans.iter().zip(texts) {
        found.push((span.attribute("db.query.text").unwrap().to_string(), *count));
        expected.extend(vec![carried(span); *count]);
    }
    let shown = |(text, count): &(String, usize)| (format!("{text:?}"), *count);
    assert_eq!(found, texts.iter().map(shown).collect::<Vec<_>>());
    assert_eq!(spans.len(), texts.len());
    let entries = read(&mut shared.connection(), &shared.key("orders"));
    let entries: Vec<_> = entries.into_iter().map(|(_, fields)| fields).collect();
    assert_eq!(entries, expected);
}

fn texts(shared: &Shared) -> Vec<(String, usize)> {
    let (stream, other) = (shared.key("orders"), shared.key("other"));
    let both = format!("{0}; SET {other} ?; {0}", text(&stream));
    vec![
        (text(&stream), 1),
        (both.clone(), 2),
        (both, 2),
        (format!("GET {other}"), 0),
    ]
}

#[tokio::test]
async fn of_asynchronous_connections() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (stream, other) = (shared.key("orders"), shared.key("other"));
    let client = producer(&shared, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let id: String = add(&stream).query_async(&mut connection).await.unwrap();
    // The replies are those to the pipeline that was given.
    let pipeline = both(&stream, &other);
    let (set, second): (String, String) = pipeline.query_async(&mut connection).await.unwrap();
    assert_eq!((set.as_str(), second > id), ("OK", true));
    let mut transaction = both(&stream, &other);
    let transaction = transaction.atomic();
    let (set, third): (String, String) = transaction.query_async(&mut connection).await.unwrap();
    assert_eq!((set.as_str(), third > second), ("OK", true));
    let _: i64 = connection.get(&other).await.unwrap();
    assert_carried(&shared, &telemetry, &texts(&shared));
}

#[test]
fn of_connections_that_block() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (stream, other) = (shared.key("orders"), shared.key("other"));
    let mut connection = producer(&shared, &telemetry).get_connection().unwrap();
    let id: String = add(&stream).query(&mut connection).unwrap();
    let (set, second): (String, String) = both(&stream, &other).query(&mut connection).unwrap();
    assert_eq!((set.as_str(), second > id), ("OK", true));
    let mut transaction = both(&stream, &other);
    let (set, third): (String, String) = transaction.atomic().query(&mut connection).unwrap();
    assert_eq!((set.as_str(), third > second), ("OK", true));
    let _: i64 = connection.get(&other).unwrap();
    assert_carried(&shared, &telemetry, &texts(&shared));
}

#[test]
fn of_packed_commands() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let stream = shared.key("orders");
    let mut connection = producer(&shared, &telemetry).get_connection().unwrap();
    let packed = add(&stream).get_packed_command();
    redis::ConnectionLike::req_packed_command(&mut connection, &packed).unwrap();
    assert_carried(&shared, &telemetry, &[(text(&stream), 1)]);
}

#[tokio::test]
async fn of_clusters() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let options = options(&telemetry).with_stream_context();
    let client: cluster::ClusterClient = client.instrument_with(options);
    let anywhere = || RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
    let mut connection = client.get_async_connection().await.unwrap();
    add("a").exec_async(&mut connection).await.unwrap();
    connection
        .route_command(add("a"), anywhere())
        .await
        .unwrap();
    let mut pipeline = redis::pipe();
    pipeline.add_command(add("a"));
    let slot = Route::new(cluster.slot("a"), SlotAddr::Master);
    let node = SingleNodeRoutingInfo::SpecificNode(slot);
    connection
        .route_pipeline(pipeline, 0, 1, node)
        .await
        .unwrap();
    let mut connection = client.get_connection().unwrap();
    add("a").exec(&mut connection).unwrap();
    connection.route_command(&add("a"), anywhere()).unwrap();

    let owner = cluster.node(cluster.owner("a"));
    let entries = read(&mut owner.connection(), "a");
    let spans: Vec<_> = telemetry.spans();
    assert_eq!(spans.len(), 5);
    let found: Vec<_> = entries.into_iter().map(|(_, fields)| fields).collect();
    assert_eq!(found, spans.iter().map(carried).collect::<Vec<_>>());
}

/// Without the option nothing is added.
#[tokio::test]
async fn by_default_nothing_is_carried() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (stream, other) = (shared.key("orders"), shared.key("other"));
    let client = client(&shared, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    add(&stream).exec_async(&mut connection).await.unwrap();
    both(&stream, &other)
        .exec_async(&mut connection)
        .await
        .unwrap();
    let mut connection = client.get_connection().unwrap();
    add(&stream).exec(&mut connection).unwrap();
    both(&stream, &other).exec(&mut connection).unwrap();
    let own = FIELDS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let entries = read(&mut shared.connection(), &stream);
    assert_eq!(entries.len(), 6);
    for (_, fields) in entries {
        assert_eq!(fields, own);
    }
}

/// An entry that is sent on has one context, that of what sends it on.
#[test]
fn a_context_that_an_entry_has_is_replaced() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (stream, parent) = (
        shared.key("orders"),
        otelware_testing::RemoteParent::sampled(),
    );
    let mut connection = producer(&shared, &telemetry).get_connection().unwrap();
    let mut command = redis::cmd("XADD");
    command
        .arg(&stream)
        .arg("*")
        .arg("traceparent")
        .arg(parent.traceparent());
    command.arg("tracestate").arg("a=b").arg(&FIELDS);
    command.exec(&mut connection).unwrap();
    let entries = read(&mut shared.connection(), &stream);
    assert_eq!(entries[0].1, carried(&telemetry.spans()[0]));
}

/// What adds entries without being asked to make fields of it is refused as ever.
#[test]
fn what_redis_refuses_stays_refused() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let mut connection = producer(&shared, &telemetry).get_connection().unwrap();
    for arguments in [
        &["*"][..],
        &["*", "item"],
        &["*", "item", "teapot", "quantity"],
    ] {
        let mut command = redis::cmd("XADD");
        command.arg(shared.key("orders")).arg(arguments);
        let error = command.query::<Value>(&mut connection).unwrap_err();
        assert!(
            error.to_string().contains("wrong number of arguments"),
            "{error}"
        );
    }
    assert_eq!(read(&mut shared.connection(), &shared.key("orders")), []);
}

#[tokio::test]
async fn what_leaves_is_decided() {
    let shared = Shared::new();
    for (number, (outbound, names)) in [
        (Outbound::Everything, &["traceparent", "baggage"][..]),
        (Outbound::baggage(["tenant"]), &["traceparent", "baggage"]),
        (Outbound::TraceContextOnly, &["traceparent"]),
        (Outbound::Nothing, &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let telemetry = Capture::new();
        let options = options(&telemetry).with_stream_context_of(outbound.clone());
        let client = client_with(&shared, options);
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let baggage = [KeyValue::new("tenant", "7"), KeyValue::new("other", "8")];
        let stream = shared.key(&number.to_string());
        let adding = add(&stream);
        let adding = adding.exec_async(&mut connection);
        adding
            .with_context(Context::new().with_baggage(baggage))
            .await
            .unwrap();
        let (_, fields) = read(&mut shared.connection(), &stream).remove(0);
        let (own, context) = fields.split_at(FIELDS.len());
        assert_eq!(
            own,
            FIELDS.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        let mut found: Vec<_> = context.iter().map(|(name, _)| name.as_str()).collect();
        found.sort_by_key(|name| std::cmp::Reverse(*name));
        assert_eq!(found, names, "{outbound:?}");
        let baggage = context.iter().find(|(name, _)| name == "baggage");
        let entries = baggage.map(|(_, value)| value.split(',').count());
        let expected = match outbound {
            Outbound::Everything => Some(2),
            Outbound::Baggage(_) => Some(1),
            _ => None,
        };
        assert_eq!(entries, expected, "{outbound:?}");
    }
}

/// Of a span that a filter leaves out, or that is made after the fact, the one around is carried.
#[test]
fn context_goes_on_where_there_is_no_span() {
    type Change = fn(RedisOptions) -> RedisOptions;
    let changes: [Change; 2] = [
        |options| options.without_commands(["XADD"]),
        |options| options.with_minimum_duration(Duration::from_secs(3_600)),
    ];
    for change in changes {
        let (shared, telemetry) = (Shared::new(), Capture::new());
        let stream = shared.key("orders");
        let options = change(options(&telemetry).with_stream_context());
        let mut connection = client_with(&shared, options).get_connection().unwrap();
        let mut around = otelware_redis::otelware::operation("around")
            .with_tracer_provider(telemetry.tracer_provider())
            .start();
        around.in_scope(|| add(&stream).exec(&mut connection).unwrap());
        around.finish();
        assert_eq!(telemetry.spans().len(), 1);
        let entries = read(&mut shared.connection(), &stream);
        assert_eq!(entries[0].1, carried(&telemetry.span("around")));
    }
}
