//! What is settled, comes back, and is never settled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{
    BasicAckOptions, BasicNackOptions, BasicRecoverOptions, BasicRejectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, ShortString};
use otelware_lapin::Consumer;
use otelware_lapin::message::Delivery;
use otelware_lapin::otelware::opentelemetry::logs::Severity;
use otelware_testing::{Value, expect_log};
use std::time::Duration;
use support::*;

const REQUEUE: &str = "otelware.rabbitmq.requeue";
const REDELIVERED: &str = "otelware.rabbitmq.redelivered";

async fn next(consumer: &mut Consumer) -> Delivery {
    consumer.next().await.unwrap().unwrap()
}

/// Publishes that many messages.
async fn fill(shop: &Shop, queue: &ShortString, count: usize) {
    for _ in 0..count {
        let _unasked = shop.publish(queue, "hello").await;
    }
}

fn open(shop: &Shop, queue: &ShortString, count: i64) {
    shop.telemetry
        .metric("otelware.rabbitmq.unacknowledged_deliveries")
        .assert(unacknowledged(queue, count));
}

#[tokio::test]
async fn each_settlement_has_a_span_by_the_delivery_by_its_acker_and_by_the_channel() {
    let shop = Shop::open().await;
    let queue = shop.queue("settled").await;
    fill(&shop, &queue, 7).await;
    let mut consumer = shop.consume(&queue).await;
    let mut deliveries = Vec::new();
    for _ in 0..7 {
        deliveries.push(next(&mut consumer).await);
    }
    open(&shop, &queue, 7);
    let keep = BasicNackOptions {
        requeue: false,
        multiple: false,
    };
    deliveries[0].ack(BasicAckOptions::default()).await.unwrap();
    deliveries[1].nack(keep).await.unwrap();
    deliveries[2]
        .acker
        .reject(BasicRejectOptions { requeue: false })
        .await
        .unwrap();
    shop.channel
        .basic_ack(4, BasicAckOptions::default())
        .await
        .unwrap();
    shop.channel.basic_nack(5, keep).await.unwrap();
    shop.channel
        .basic_reject(6, BasicRejectOptions { requeue: false })
        .await
        .unwrap();
    open(&shop, &queue, 1);
    deliveries[6]
        .acker
        .clone()
        .ack(BasicAckOptions::default())
        .await
        .unwrap();
    open(&shop, &queue, 0);
    // What was settled is not settled again.
    assert!(!deliveries[6].ack(BasicAckOptions::default()).await.unwrap());

    let spans = shop.telemetry.spans();
    let settlements: Vec<_> = spans
        .iter()
        .filter(|span| !span.name.starts_with("publish"))
        .collect();
    assert_eq!(settlements.len(), 7);
    let verbs = ["ack", "nack", "reject", "ack", "nack", "reject", "ack"];
    for (tag, (found, verb)) in (1..).zip(settlements.iter().zip(verbs)) {
        let expected = settled(verb, &queue, tag);
        found.assert(match verb {
            "ack" => expected,
            _ => expected.attribute(REQUEUE, false),
        });
    }
    shop.telemetry
        .metric("messaging.client.operation.duration")
        .assert(durations(vec![
            (measured("publish", queue.as_str()), 7),
            (measured("ack", queue.as_str()), 3),
            (measured("nack", queue.as_str()), 2),
            (measured("reject", queue.as_str()), 2),
        ]));
    shop.settle().await;
}

#[tokio::test]
async fn several_at_once_are_told() {
    let shop = Shop::open().await;
    let queue = shop.queue("multiple").await;
    fill(&shop, &queue, 5).await;
    let mut consumer = shop.consume(&queue).await;
    for _ in 0..4 {
        next(&mut consumer).await;
    }
    let multiple = BasicAckOptions { multiple: true };
    shop.channel.basic_ack(2, multiple).await.unwrap();
    open(&shop, &queue, 2);
    let expected = |verb: &'static str, tag, count: i64| {
        settled(verb, &queue, tag)
            .attribute("otelware.rabbitmq.multiple", true)
            .attribute("messaging.batch.message_count", count)
    };
    shop.last(&format!("ack {queue}"))
        .assert(expected("ack", 2, 2));
    let fifth = next(&mut consumer).await;
    let back = BasicNackOptions {
        multiple: true,
        requeue: true,
    };
    fifth.nack(back).await.unwrap();
    open(&shop, &queue, 0);
    shop.last(&format!("nack {queue}"))
        .assert(expected("nack", 5, 3).attribute(REQUEUE, true));
    for _ in 0..3 {
        next(&mut consumer).await;
    }
    open(&shop, &queue, 3);
    // All there are.
    shop.channel.basic_ack(0, multiple).await.unwrap();
    open(&shop, &queue, 0);
    shop.last(&format!("ack {queue}"))
        .assert(expected("ack", 0, 3));
    let name = "otelware.rabbitmq.redelivered_messages";
    let all = with(server(), "otelware.rabbitmq.queue", queue.as_str());
    shop.telemetry
        .metric(name)
        .assert(counter(name, "{message}", vec![(all, 3)]));
}

#[tokio::test]
async fn a_message_that_comes_back_says_so() {
    let shop = Shop::open().await;
    let queue = shop.queue("back").await;
    fill(&shop, &queue, 1).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let mut consumer = shop.consume(&queue).await;
    let first = next(&mut consumer).await;
    first
        .reject(BasicRejectOptions { requeue: true })
        .await
        .unwrap();
    shop.last(&format!("reject {queue}"))
        .assert(settled("reject", &queue, 1).attribute(REQUEUE, true));
    let second = next(&mut consumer).await;
    assert!(second.redelivered);
    second.start_process().finish();
    shop.last(&format!("process {queue}")).assert(
        processed(&queue, 2)
            .attribute(REDELIVERED, true)
            .remote_child_of(&publish)
            .link_to(&publish),
    );
    // All that is open comes back.
    shop.channel
        .basic_recover(BasicRecoverOptions { requeue: true })
        .await
        .unwrap();
    let third = next(&mut consumer).await;
    assert!(third.redelivered);
    open(&shop, &queue, 1);
    third.ack(BasicAckOptions::default()).await.unwrap();
    open(&shop, &queue, 0);
}

#[tokio::test]
async fn a_dead_letter_tells_its_death() {
    let shop = Shop::open().await;
    let dead = shop.queue("dead").await;
    let arguments = headers([
        ("x-dead-letter-exchange", AMQPValue::LongString("".into())),
        (
            "x-dead-letter-routing-key",
            AMQPValue::LongString(dead.as_str().into()),
        ),
    ]);
    let queue = shop.queue_with("mortal", arguments).await;
    fill(&shop, &queue, 1).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let mut consumer = shop.consume(&queue).await;
    let rejected = next(&mut consumer).await;
    rejected
        .reject(BasicRejectOptions { requeue: false })
        .await
        .unwrap();
    let mut cemetery = shop.consume(&dead).await;
    let letter = next(&mut cemetery).await;
    letter.start_process().finish();
    let tag = i64::try_from(letter.delivery_tag).unwrap();
    shop.telemetry.span(&format!("process {dead}")).assert(
        processed(&dead, tag)
            .attribute("otelware.rabbitmq.dead_letter.count", 1)
            .attribute("otelware.rabbitmq.dead_letter.reason", "rejected")
            .attribute("otelware.rabbitmq.dead_letter.queue", queue.as_str())
            .remote_child_of(&publish)
            .link_to(&publish),
    );
    let all = with(server(), "otelware.rabbitmq.queue", dead.as_str());
    let all = with(all, "otelware.rabbitmq.dead_letter.reason", "rejected");
    let name = "otelware.rabbitmq.dead_lettered_messages";
    shop.telemetry
        .metric(name)
        .assert(counter(name, "{message}", vec![(all, 1)]));
}

#[tokio::test]
async fn a_quorum_queue_counts_deliveries() {
    let shop = Shop::open().await;
    let queue: ShortString = unique("quorum").into();
    let options = QueueDeclareOptions {
        durable: true,
        ..Default::default()
    };
    let arguments = headers([("x-queue-type", AMQPValue::LongString("quorum".into()))]);
    shop.channel
        .queue_declare(queue.clone(), options, arguments)
        .await
        .unwrap();
    fill(&shop, &queue, 1).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let mut consumer = shop.consume(&queue).await;
    for _ in 0..2 {
        let back = BasicNackOptions {
            requeue: true,
            ..Default::default()
        };
        next(&mut consumer).await.nack(back).await.unwrap();
    }
    let third = next(&mut consumer).await;
    third.start_process().finish();
    third.ack(BasicAckOptions::default()).await.unwrap();
    shop.channel
        .queue_delete(queue.clone(), Default::default())
        .await
        .unwrap();
    shop.telemetry.span(&format!("process {queue}")).assert(
        processed(&queue, 3)
            .attribute(REDELIVERED, true)
            .attribute("otelware.rabbitmq.delivery_count", 2)
            .remote_child_of(&publish)
            .link_to(&publish),
    );
}

#[tokio::test]
async fn a_delivery_that_is_never_settled_is_reported_once_and_leaks_no_span() {
    let timeout = Duration::from_millis(40);
    let telemetry = otelware_testing::Capture::new();
    let logger = telemetry.logger_provider();
    let connection = connect(
        options(&telemetry)
            .with_logger_provider(logger)
            .with_ack_timeout(timeout),
    )
    .await;
    let channel = connection.create_channel().await.unwrap();
    let shop = Shop {
        telemetry,
        connection,
        channel,
    };
    let queue = shop.queue("overdue").await;
    fill(&shop, &queue, 3).await;
    let mut consumer = shop.consume(&queue).await;
    let forgotten = next(&mut consumer).await;
    forgotten.start_process().finish();
    let process = shop.telemetry.span(&format!("process {queue}"));
    drop(forgotten);
    let late = next(&mut consumer).await;
    let name = "otelware.rabbitmq.overdue_deliveries";
    let is_counted = {
        let telemetry = shop.telemetry.clone();
        move || {
            let metrics = telemetry.metrics();
            metrics
                .iter()
                .any(|metric| metric.name == name && metric.total_sum() >= 2.0)
        }
    };
    shop.telemetry
        .wait_until("two deliveries are overdue", is_counted)
        .await;
    let in_time = next(&mut consumer).await;
    let logs = shop.telemetry.logs();
    assert_eq!(logs.len(), 2);
    let expected = || {
        expect_log(Severity::Warn)
            .event_name("otelware.rabbitmq.delivery.overdue")
            .attribute("exception.type", "ack_timeout")
    };
    logs[0].assert(expected().in_span(&process));
    logs[1].assert(expected());
    let by_queue = || with(server(), "otelware.rabbitmq.queue", queue.as_str());
    let age = shop
        .telemetry
        .metric("otelware.rabbitmq.unacknowledged_age");
    assert_eq!((age.points.len(), age.unit.as_str()), (1, "s"));
    assert!(age.point(by_queue()).sum() > timeout.as_secs_f64());
    late.ack(BasicAckOptions::default()).await.unwrap();
    in_time.into_inner();
    shop.last(&format!("ack {queue}"))
        .assert(settled("ack", &queue, 2).any_value("otelware.rabbitmq.unacknowledged_time"));
    let waited = shop.last(&format!("ack {queue}"));
    let waited = waited.attribute("otelware.rabbitmq.unacknowledged_time");
    assert!(waited.and_then(Value::as_double).unwrap() > timeout.as_secs_f64());
    open(&shop, &queue, 1);
    shop.telemetry
        .metric(name)
        .assert(counter(name, "{delivery}", vec![(by_queue(), 2)]));
    assert_eq!(shop.telemetry.logs().len(), 2);
    assert_eq!(shop.telemetry.open_spans(), 0);
    drop((consumer, shop.channel));
    let age = shop
        .telemetry
        .metric("otelware.rabbitmq.unacknowledged_age");
    assert_eq!(age.point(by_queue()).sum(), 0.0);
    shop.telemetry
        .metric("otelware.rabbitmq.unacknowledged_deliveries")
        .assert(unacknowledged(&queue, 0));
}

#[tokio::test]
async fn the_last_handle_of_a_channel_takes_its_deliveries_along() {
    let shop = Shop::open().await;
    let queue = shop.queue("handles").await;
    fill(&shop, &queue, 1).await;
    let channel = shop.connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let delivery = next(&mut consumer).await;
    drop(channel);
    open(&shop, &queue, 1);
    drop(consumer);
    open(&shop, &queue, 0);
    // The broker gave it back meanwhile.
    let mut again = shop.consume(&queue).await;
    assert!(next(&mut again).await.redelivered);
    let late = delivery.ack(BasicAckOptions::default()).await;
    assert!(!late.unwrap());
    shop.telemetry.span(&format!("ack {queue}")).assert(
        settled("ack", &queue, 1)
            .error()
            .attribute("error.type", "channel_closed"),
    );
}

#[tokio::test]
async fn a_channel_that_is_closed_has_no_open_deliveries() {
    let shop = Shop::open().await;
    let queue = shop.queue("closed").await;
    // By the program.
    fill(&shop, &queue, 1).await;
    let channel = shop.connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let delivery = next(&mut consumer).await;
    open(&shop, &queue, 1);
    channel.close(200, "done".into()).await.unwrap();
    open(&shop, &queue, 0);
    drop(delivery);
    // By the broker: the number of a delivery that there never was.
    let channel = shop.connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let delivery = next(&mut consumer).await;
    open(&shop, &queue, 1);
    channel
        .basic_ack(99, BasicAckOptions::default())
        .await
        .unwrap();
    let error = consumer.next().await.unwrap().unwrap_err();
    assert!(error.is_amqp_soft_error());
    open(&shop, &queue, 0);
    let ack = shop.telemetry.span("ack");
    assert_eq!(
        ack.attribute("rabbitmq.message.delivery_tag"),
        Some(&Value::Int(99))
    );
    assert!(delivery.acker.poisoned());
    // Metrics that are collected notice it without the consumer.
    let channel = shop.connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, &queue).await;
    let delivery = next(&mut consumer).await;
    open(&shop, &queue, 1);
    channel
        .basic_ack(99, BasicAckOptions::default())
        .await
        .unwrap();
    shop.settle().await;
    assert!(delivery.acker.poisoned());
}

#[tokio::test]
async fn settlements_have_no_spans_if_so_told() {
    let shop = Shop::open_with(|options| options.without_settle_spans()).await;
    let queue = shop.queue("quiet").await;
    let _unasked = publish(&shop.channel, &queue, "", BasicProperties::default()).await;
    let mut consumer = shop.consume(&queue).await;
    next(&mut consumer)
        .await
        .ack(BasicAckOptions::default())
        .await
        .unwrap();
    assert_eq!(shop.telemetry.spans().len(), 1);
    let all = vec![
        (measured("publish", queue.as_str()), 1),
        (measured("ack", queue.as_str()), 1),
    ];
    shop.telemetry
        .metric("messaging.client.operation.duration")
        .assert(durations(all));
}
