//! The stand-in, driven by plain lapin.

use super::AmqpStandIn;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions,
    BasicPublishOptions, BasicQosOptions, BasicRejectOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, Error,
    ExchangeKind,
};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A stand-in with the queues `work`, whose dead letters go to `dead`, and `dead`; a channel with confirms.
async fn start() -> (AmqpStandIn, Connection, Channel) {
    let stand_in = AmqpStandIn::start().await.unwrap();
    let connection = connect(&stand_in.url()).await;
    let channel = connection.create_channel().await.unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    declare(&channel, "dead", FieldTable::default())
        .await
        .unwrap();
    declare(&channel, "work", to_dead_letters()).await.unwrap();
    (stand_in, connection, channel)
}

async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap()
}

async fn declare(
    channel: &Channel,
    queue: &str,
    arguments: FieldTable,
) -> Result<lapin::Queue, Error> {
    let durable = QueueDeclareOptions::durable();
    channel
        .queue_declare(queue.into(), durable, arguments)
        .await
}

fn to_dead_letters() -> FieldTable {
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text("dead"));
    arguments
}

async fn publish(channel: &Channel, queue: &str, body: &[u8]) -> Confirmation {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let mut headers = FieldTable::default();
    headers.insert("from".into(), AMQPValue::LongString("ada".into()));
    let properties = BasicProperties::default().with_headers(headers);
    let publishing = channel.basic_publish("".into(), queue.into(), options, body, properties);
    publishing.await.unwrap().await.unwrap()
}

async fn consume(channel: &Channel, queue: &str, prefetch: u16) -> Consumer {
    let qos = BasicQosOptions::default();
    channel.basic_qos(prefetch, qos).await.unwrap();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_consume(queue.into(), "".into(), options, arguments)
        .await
        .unwrap()
}

async fn next(consumer: &mut Consumer) -> Delivery {
    let delivery = timeout(PATIENCE, consumer.next()).await;
    delivery.expect("a delivery in time").unwrap().unwrap()
}

/// Whether nothing is delivered: what is asked for later has been answered.
async fn is_idle(consumer: &mut Consumer, channel: &Channel) -> bool {
    count(channel, "dead").await;
    timeout(Duration::ZERO, consumer.next()).await.is_err()
}

/// How many messages are ready.
async fn count(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(queue.into(), passive, FieldTable::default());
    declared.await.unwrap().message_count()
}

fn body(delivery: &Delivery) -> &str {
    std::str::from_utf8(&delivery.data).unwrap()
}

#[tokio::test]
async fn what_is_published_is_confirmed_and_delivered_once() {
    let (_stand_in, connection, channel) = start().await;
    let mut consumer = consume(&channel, "work", 0).await;
    let long = "x".repeat(60_000);
    for text in ["one", "", &long] {
        let confirmation = publish(&channel, "work", text.as_bytes()).await;
        assert_eq!(confirmation, Confirmation::Ack(None));
        let delivery = next(&mut consumer).await;
        let from = delivery.properties.headers().clone().unwrap_or_default();
        assert_eq!(
            (
                body(&delivery),
                delivery.redelivered,
                delivery.routing_key.as_str()
            ),
            (text, false, "work")
        );
        assert!(from.contains_key("from"));
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    assert!(is_idle(&mut consumer, &channel).await);
    connection.close(200, "done".into()).await.unwrap();
}

#[tokio::test]
async fn a_message_without_a_queue_comes_back() {
    let (_stand_in, _connection, channel) = start().await;
    let Confirmation::Ack(Some(returned)) = publish(&channel, "nowhere", b"lost").await else {
        panic!("nothing came back");
    };
    assert_eq!(
        (returned.reply_code, &*returned.delivery.data),
        (312, &b"lost"[..])
    );
}

#[tokio::test]
async fn what_is_put_back_is_delivered_again_in_its_place() {
    let (_stand_in, _connection, channel) = start().await;
    for text in ["one", "two", "three"] {
        publish(&channel, "work", text.as_bytes()).await;
    }
    let mut consumer = consume(&channel, "work", 1).await;
    let requeue = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    let first = next(&mut consumer).await;
    first.nack(requeue).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let delivery = next(&mut consumer).await;
        seen.push((body(&delivery).to_owned(), delivery.redelivered));
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    let expected = [("one", true), ("two", false), ("three", false)];
    assert_eq!(seen, expected.map(|(text, again)| (text.to_owned(), again)));
}

#[tokio::test]
async fn what_is_rejected_is_a_dead_letter_that_tells_why() {
    let (_stand_in, _connection, channel) = start().await;
    publish(&channel, "work", b"hopeless").await;
    let mut consumer = consume(&channel, "work", 10).await;
    let delivery = next(&mut consumer).await;
    let give_up = BasicRejectOptions { requeue: false };
    delivery.reject(give_up).await.unwrap();
    assert_eq!(count(&channel, "dead").await, 1);
    let got = channel.basic_get("dead".into(), BasicGetOptions { no_ack: true });
    let got = got.await.unwrap().expect("a dead letter").delivery;
    let headers = got.properties.headers().clone().unwrap_or_default();
    let text = |key| match headers.inner().get(key) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(
        (
            body(&got),
            got.redelivered,
            text("from"),
            text("x-first-death-queue")
        ),
        ("hopeless", false, "ada".to_owned(), "work".to_owned())
    );
    let Some(AMQPValue::FieldArray(deaths)) = headers.inner().get("x-death") else {
        panic!("{headers:?}");
    };
    let [AMQPValue::FieldTable(death)] = deaths.as_slice() else {
        panic!("{deaths:?}");
    };
    assert_eq!(
        death.inner().get("reason"),
        Some(&AMQPValue::LongString("rejected".into()))
    );
}

#[tokio::test]
async fn a_consumer_has_as_many_messages_as_it_wishes_at_once() {
    let (_stand_in, _connection, channel) = start().await;
    for number in 0..5 {
        publish(&channel, "work", format!("{number}").as_bytes()).await;
    }
    let mut consumer = consume(&channel, "work", 2).await;
    let (_first, second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert!(is_idle(&mut consumer, &channel).await);
    assert_eq!(count(&channel, "work").await, 3);
    // With all before it.
    let multiple = BasicAckOptions { multiple: true };
    second.ack(multiple).await.unwrap();
    let next_two = [next(&mut consumer).await, next(&mut consumer).await];
    assert_eq!(next_two.each_ref().map(body), ["2", "3"]);
    assert!(is_idle(&mut consumer, &channel).await);
}

#[tokio::test]
async fn what_was_not_settled_goes_to_another_consumer() {
    let (stand_in, connection, channel) = start().await;
    let mut consumer = consume(&channel, "work", 10).await;
    publish(&channel, "work", b"one").await;
    publish(&channel, "work", b"two").await;
    next(&mut consumer).await;
    next(&mut consumer).await;
    connection.close(200, "gone".into()).await.unwrap();

    let connection = connect(&stand_in.url()).await;
    let channel = connection.create_channel().await.unwrap();
    let mut consumer = consume(&channel, "work", 10).await;
    let again = [next(&mut consumer).await, next(&mut consumer).await];
    let again = again.each_ref().map(|it| (body(it), it.redelivered));
    assert_eq!(again, [("one", true), ("two", true)]);
}

#[tokio::test]
async fn consumers_share_a_queue_and_may_leave_it() {
    let (_stand_in, connection, channel) = start().await;
    let other = connection.create_channel().await.unwrap();
    let mut ada = consume(&channel, "work", 1).await;
    let mut bob = consume(&other, "work", 1).await;
    publish(&channel, "work", b"one").await;
    publish(&channel, "work", b"two").await;
    let both = [next(&mut ada).await, next(&mut bob).await];
    let mut both = both.each_ref().map(body);
    both.sort_unstable();
    assert_eq!(both, ["one", "two"]);
    let cancel = BasicCancelOptions::default();
    channel.basic_cancel(ada.tag(), cancel).await.unwrap();
    publish(&channel, "work", b"three").await;
    assert_eq!(count(&channel, "work").await, 1);
    let purged = channel.queue_purge("work".into(), QueuePurgeOptions::default());
    assert_eq!(purged.await.unwrap(), 1);
    let got = channel.basic_get("work".into(), BasicGetOptions::default());
    assert!(got.await.unwrap().is_none());
}

#[tokio::test]
async fn a_mistake_ends_its_channel_and_what_cannot_be_done_the_connection() {
    let (stand_in, connection, channel) = start().await;
    // Other arguments than those that the queue has.
    let error = declare(&channel, "work", FieldTable::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("PRECONDITION-FAILED"), "{error}");

    let channel = connection.create_channel().await.unwrap();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let consuming = channel.basic_consume("nowhere".into(), "".into(), options, arguments);
    let error = consuming.await.unwrap_err();
    assert!(error.to_string().contains("NOT-FOUND"), "{error}");

    let channel = connection.create_channel().await.unwrap();
    let (options, arguments) = (ExchangeDeclareOptions::default(), FieldTable::default());
    let declaring =
        channel.exchange_declare("all".into(), ExchangeKind::Fanout, options, arguments);
    let error = declaring.await.unwrap_err();
    assert!(error.to_string().contains("NOT-IMPLEMENTED"), "{error}");

    // Everybody else goes on.
    let connection = connect(&stand_in.url()).await;
    let channel = connection.create_channel().await.unwrap();
    assert_eq!(count(&channel, "work").await, 0);
}

#[tokio::test]
async fn heartbeats_keep_a_silent_connection() {
    let (stand_in, ..) = start().await;
    let connection = connect(&format!("{}?heartbeat=1", stand_in.url())).await;
    let channel = connection.create_channel().await.unwrap();
    // lapin gives a connection up after two intervals without a word.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(count(&channel, "work").await, 0);
}

#[tokio::test]
async fn a_thousand_messages_are_delivered_in_their_order() {
    let (_stand_in, connection, channel) = start().await;
    let consuming = connection.create_channel().await.unwrap();
    let mut consumer = consume(&consuming, "work", 0).await;
    let mut confirms = Vec::new();
    for number in 0..1_000 {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let text = format!("{number}");
        let publishing = channel.basic_publish(
            "".into(),
            "work".into(),
            options,
            text.as_bytes(),
            properties,
        );
        confirms.push(publishing.await.unwrap());
    }
    for confirm in confirms {
        assert!(confirm.await.unwrap().is_ack());
    }
    for number in 0..1_000 {
        let delivery = next(&mut consumer).await;
        assert_eq!(body(&delivery), number.to_string());
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    assert!(is_idle(&mut consumer, &consuming).await);
}
