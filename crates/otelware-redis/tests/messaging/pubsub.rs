//! Subscriptions, and the messages that come of them.

use crate::expected::{client, metrics, of_ours, options, point, process};
use crate::support::Shared;
use futures_util::StreamExt;
use otelware_redis::otelware::opentelemetry::InstrumentationScope;
use otelware_redis::otelware::opentelemetry::metrics::{Meter, MeterProvider};
use otelware_redis::otelware::opentelemetry::trace::SpanKind;
use otelware_redis::otelware::semconv::boundaries::REQUEST_SECONDS;
use otelware_redis::pubsub::Subscriber;
use otelware_redis::{ConsumerOptions, Instrument, Server};
use otelware_testing::{Attributes, Capture, Span, expect_counter, expect_histogram};
use redis::{AsyncConnectionConfig, Commands, Msg, PushInfo, PushKind, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Publishes a message, which someone receives.
fn publish(shared: &Shared, channel: &str) {
    let received: usize = shared.connection().publish(channel, "b0dy").unwrap();
    assert!(received > 0, "nobody has subscribed to {channel}");
}

fn shown(spans: &[Span]) -> Vec<String> {
    let text = |span: &Span| span.attribute("db.query.text").map(ToString::to_string);
    spans.iter().filter_map(text).collect()
}

/// What one message of a channel and one of a pattern leave behind, once they are processed.
fn assert_processed(telemetry: &Capture, channel: &str, found: &str, pattern: &str) {
    let spans: Vec<_> = telemetry.spans();
    let processed: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Consumer)
        .collect();
    assert_eq!(processed.len(), 2);
    processed[0].assert(process(channel, channel).no_parent().no_links());
    processed[1].assert(process(found, pattern).no_parent().no_links());
    let of_pattern = |operation| -> Attributes {
        let mut point = point(operation, pattern, None);
        let name = point.remove("messaging.destination.name").unwrap();
        point.insert("messaging.destination.template".to_owned(), name);
        point
    };
    let (consumed, duration) = (
        "messaging.client.consumed.messages",
        "messaging.process.duration",
    );
    telemetry.metric(consumed).assert(of_ours(
        expect_counter(consumed)
            .point(point("receive", channel, None), 1)
            .point(of_pattern("receive"), 1),
        "{message}",
        "Number of messages that were delivered to the application.",
    ));
    telemetry.metric(duration).assert(of_ours(
        expect_histogram(duration)
            .boundaries(&REQUEST_SECONDS)
            .point(point("process", channel, None), 1)
            .point(of_pattern("process"), 1),
        "s",
        "Duration of processing operation.",
    ));
    telemetry.assert_never_contains("b0dy");
}

#[tokio::test]
async fn of_a_connection_of_their_own() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (news, alarm, alarms) = (
        shared.key("news"),
        shared.key("alarm.1"),
        shared.key("alarm.*"),
    );
    let mut pubsub = client(&shared, &telemetry)
        .get_async_pubsub()
        .await
        .unwrap();
    pubsub.subscribe(&news).await.unwrap();
    pubsub.psubscribe(&alarms).await.unwrap();
    let _: redis::Value = pubsub.ping().await.unwrap();
    let subscriber = pubsub.subscriber();
    publish(&shared, &news);
    let message = pubsub.on_message().next().await.unwrap();
    let payload = async { message.get_payload::<String>() };
    assert_eq!(subscriber.process(&message, payload).await.unwrap(), "b0dy");

    let (mut sink, mut messages) = pubsub.split();
    publish(&shared, &alarm);
    let message = messages.next().await.unwrap();
    let subscriber = messages.subscriber();
    let done = subscriber.process(&message, async { Ok::<_, ()>(()) });
    assert_eq!(done.await, Ok(()));
    sink.unsubscribe(&news).await.unwrap();
    sink.punsubscribe(&alarms).await.unwrap();
    assert_processed(&telemetry, &news, &alarm, &alarms);
    let texts = [
        format!("\"SUBSCRIBE {news}\""),
        format!("\"PSUBSCRIBE {alarms}\""),
        "\"PING\"".to_owned(),
        format!("\"UNSUBSCRIBE {news}\""),
        format!("\"PUNSUBSCRIBE {alarms}\""),
    ];
    assert_eq!(shown(&telemetry.spans()), texts);
    let names = [
        "db.client.operation.duration",
        "messaging.client.consumed.messages",
        "messaging.process.duration",
    ];
    assert_eq!(metrics(&telemetry), names);
}

/// The stream alone keeps the connection open.
#[tokio::test]
async fn of_a_stream_that_is_kept() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let news = shared.key("news");
    let mut pubsub = client(&shared, &telemetry)
        .get_async_pubsub()
        .await
        .unwrap();
    pubsub.subscribe(&news).await.unwrap();
    let mut messages = pubsub.into_on_message();
    // What publishes is a command.
    let publisher = Capture::new();
    let client = client(&shared, &publisher);
    let mut connection = client.get_connection().unwrap();
    let _: usize = connection.publish(&news, "b0dy").unwrap();
    let texts = shown(&publisher.spans());
    assert_eq!(texts, [format!("\"PUBLISH {news} ?\"")]);
    assert_eq!(messages.next().await.unwrap().get_channel_name(), news);
    let consumed = telemetry.metric("messaging.client.consumed.messages");
    assert_eq!(consumed.total_sum(), 1.0);
}

#[test]
fn of_connections_that_block() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (news, alarm, alarms) = (
        shared.key("news"),
        shared.key("alarm.1"),
        shared.key("alarm.*"),
    );
    let mut connection = client(&shared, &telemetry).get_connection().unwrap();
    let mut pubsub = connection.as_pubsub();
    pubsub
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    pubsub.subscribe(&news).unwrap();
    pubsub.psubscribe(&alarms).unwrap();
    let _: redis::Value = pubsub.ping_message("b0dy").unwrap();
    let subscriber = pubsub.subscriber();
    for channel in [&news, &alarm] {
        publish(&shared, channel);
        let message = pubsub.get_message().unwrap();
        let payload = subscriber.process_sync(&message, || message.get_payload::<String>());
        assert_eq!(payload.unwrap(), "b0dy");
    }
    pubsub.unsubscribe(&news).unwrap();
    pubsub.punsubscribe(&alarms).unwrap();
    drop(pubsub);
    assert_processed(&telemetry, &news, &alarm, &alarms);
    let texts = [
        format!("\"SUBSCRIBE {news}\""),
        format!("\"PSUBSCRIBE {alarms}\""),
        "\"PING ?\"".to_owned(),
        format!("\"UNSUBSCRIBE {news}\""),
        format!("\"PUNSUBSCRIBE {alarms}\""),
    ];
    assert_eq!(shown(&telemetry.spans()), texts);
}

/// The pushes of a connection that does other things too.
#[tokio::test]
async fn of_pushes() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (news, alarm, alarms) = (
        shared.key("news"),
        shared.key("alarm.1"),
        shared.key("alarm.*"),
    );
    let url = format!("{}/?protocol=resp3", shared.url());
    let client = redis::Client::open(url)
        .unwrap()
        .instrument_with(options(&telemetry));
    let (sender, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connecting.await.unwrap();
    connection.subscribe(&news).await.unwrap();
    connection.psubscribe(&alarms).await.unwrap();
    publish(&shared, &news);
    publish(&shared, &alarm);
    let subscriber = Subscriber::of(&connection);
    let mut messages: Vec<Msg> = Vec::new();
    while messages.len() < 2 {
        // Those of the subscriptions themselves are none.
        messages.extend(subscriber.message(pushes.recv().await.unwrap()));
    }
    for message in &messages {
        subscriber.start_process(message).finish();
    }
    assert_processed(&telemetry, &news, &alarm, &alarms);
}

#[tokio::test]
async fn with_options_of_its_own() {
    let (shared, telemetry) = (Shared::new(), Capture::new());
    let (alarm, alarms) = (shared.key("alarm.1"), shared.key("alarm.*"));
    let client = client(&shared, &telemetry);
    let options = ConsumerOptions::of(&client)
        .with_body_sizes()
        .with_destination_template(|_| Some("alarms".to_owned()));
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.set_subscriber(options.subscriber());
    pubsub.psubscribe(&alarms).await.unwrap();
    publish(&shared, &alarm);
    let message = pubsub.on_message().next().await.unwrap();
    pubsub.subscriber().start_process(&message).fail("too_late");
    // The options' own template goes before the pattern.
    telemetry.span("process alarms").assert(
        process(&alarm, "alarms")
            .attribute("messaging.message.body.size", 4)
            .attribute("error.type", "too_late")
            .error(),
    );
    let template = telemetry.metric("messaging.client.consumed.messages");
    let template = template.points[0]
        .attribute("messaging.destination.template")
        .cloned();
    assert_eq!(template, Some("alarms".into()));
}

/// Counts the meters that it is asked for.
struct Counting<P> {
    provider: P,
    meters: Arc<AtomicUsize>,
}

impl<P: MeterProvider> MeterProvider for Counting<P> {
    fn meter_with_scope(&self, scope: InstrumentationScope) -> Meter {
        self.meters.fetch_add(1, Ordering::Relaxed);
        self.provider.meter_with_scope(scope)
    }
}

/// As of a program that subscribes to a pattern for each of its users: all share one telemetry.
#[test]
fn of_many_patterns() {
    const PATTERNS: usize = 300;
    let (telemetry, meters) = (Capture::new(), Arc::default());
    let provider = Counting {
        provider: telemetry.meter_provider(),
        meters: Arc::clone(&meters),
    };
    let subscriber = ConsumerOptions::new(Server::default())
        .with_tracer_provider(telemetry.tracer_provider())
        .with_meter_provider(provider)
        .subscriber();
    let bytes = |text: &str| Value::BulkString(text.into());
    let patterns: Vec<_> = (0..PATTERNS).map(|user| format!("user:{user}:*")).collect();
    for _ in 0..2 {
        for pattern in &patterns {
            let channel = pattern.replace('*', "seen");
            let push = PushInfo {
                kind: PushKind::PMessage,
                data: vec![bytes(pattern), bytes(&channel), bytes("b0dy")],
            };
            let message = subscriber.message(push).unwrap();
            subscriber.start_process(&message).finish();
        }
    }
    assert_eq!(meters.load(Ordering::Relaxed), 1);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2 * PATTERNS);
    for (span, pattern) in spans.iter().zip(patterns.iter().cycle()) {
        assert_eq!(span.name, format!("process {pattern}"));
        let template = span.attribute("messaging.destination.template");
        assert_eq!(template, Some(&pattern.as_str().into()));
        let channel = span.attribute("messaging.destination.name");
        assert_eq!(channel, Some(&pattern.replace('*', "seen").into()));
    }
    let consumed = telemetry.metric("messaging.client.consumed.messages");
    assert_eq!(consumed.total_sum(), 2.0 * PATTERNS as f64);
    let told: BTreeSet<_> = consumed
        .points
        .iter()
        .filter_map(|point| point.attribute("messaging.destination.template"))
        .map(ToString::to_string)
        .collect();
    let all: BTreeSet<_> = patterns
        .iter()
        .map(|pattern| format!("{pattern:?}"))
        .collect();
    assert!(told.is_subset(&all) && told.len() > 64, "{told:?}");
}
