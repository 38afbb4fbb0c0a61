//! Fulfils orders: takes what has arrived in Kafka as a batch, and has each customer notified over
//! RabbitMQ.
//!
//! Shows `consumer.process_batch(…)`, linked to whoever sent the messages, and within it
//! `consumer.process(…)` for each of them in the trace of its own order.

use super::kafka;
use super::notifications::{LIMIT, Link, NOTIFICATIONS, PAUSE};
use crate::messages::{Notification, ORDER_EVENTS, OrderPlaced};
use crate::service::{Failure, say};
use futures_util::FutureExt;
use futures_util::future::join_all;
use otelware::messaging::Parenting;
use otelware_lapin::options::BasicPublishOptions;
use otelware_lapin::{BasicProperties, Channel, Confirmation};
use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::Message;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The most orders of a batch.
const BATCH: usize = 50;

/// How long the consumers of the group may take to find together before it is ready all the same.
const TOGETHER: Duration = Duration::from_secs(15);

/// Marks a message as one that stays after a restart of the broker.
const PERSISTENT: u8 = 2;

/// RabbitMQ does not have the notification.
#[derive(Debug)]
struct NotNotified;

/// Some orders of a batch are to be tried again: RabbitMQ went away.
#[derive(Debug)]
struct TryAgain(Vec<bool>);

pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    let mut config = kafka::clients("fulfilment");
    config
        .set("group.id", "fulfilment")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        // A group whose brokers were away finds together soon again.
        .set("session.timeout.ms", "6000")
        .set("allow.auto.create.topics", "true")
        .set("topic.metadata.refresh.interval.ms", "5000");
    // What is processed within a batch is a child of its own sender, not of the batch.
    let options = KafkaOptions::new().with_parenting(Parenting::Parent);
    let consumer: Arc<StreamConsumer> = Arc::new(options.create(&config)?);
    consumer.subscribe(&[ORDER_EVENTS])?;
    let ready = stop.run_until_cancelled(say_when_ready(&consumer));
    tokio::join!(ready, fulfil_all(&consumer, &stop));
    Ok(())
}

/// Says so when it has partitions, which takes a group some seconds.
async fn say_when_ready(consumer: &StreamConsumer) {
    let is_ready = || (consumer.assignment()).is_ok_and(|partitions| partitions.count() > 0);
    let finding_together = async {
        while !is_ready() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let _ = timeout(TOGETHER, finding_together).await;
    say("ready");
}

/// Takes batch after batch, until it is told to stop. Where that cuts one short nothing is lost: what is
/// not committed comes again.
async fn fulfil_all(consumer: &Arc<StreamConsumer>, stop: &CancellationToken) -> Option<()> {
    let mut link = stop.run_until_cancelled(Link::open()).await?;
    while let Some(orders) = stop.run_until_cancelled(next_batch(consumer)).await {
        let mut orders = match orders {
            Ok(orders) => orders,
            // The next comes when librdkafka has something to say: no pause is needed.
            Err(error) => {
                tracing::warn!(%error, "Kafka is away");
                continue;
            }
        };
        // The offsets are committed when RabbitMQ has all of the batch, and not before.
        while let Err(TryAgain(again)) = fulfil(consumer, &link.channel, &orders).await {
            let mut again = again.into_iter();
            orders.retain(|_| again.next().unwrap_or(true));
            tracing::warn!(orders = orders.len(), "RabbitMQ is lost");
            link.close().await;
            sleep(PAUSE).await;
            link = stop.run_until_cancelled(Link::open()).await?;
        }
    }
    link.close().await;
    Some(())
}

/// What has arrived; at least one order.
async fn next_batch(consumer: &StreamConsumer) -> Result<Vec<BorrowedMessage<'_>>, KafkaError> {
    let mut orders = vec![consumer.recv().await?];
    while orders.len() < BATCH
        && let Some(order) = consumer.recv().now_or_never()
    {
        match order {
            Ok(order) => orders.push(order),
            Err(error) => tracing::warn!(%error, "Kafka is away"),
        }
    }
    Ok(orders)
}

/// Fulfils a batch of orders, and commits it.
async fn fulfil(
    consumer: &Arc<StreamConsumer>,
    channel: &Channel,
    orders: &[BorrowedMessage<'_>],
) -> Result<(), TryAgain> {
    let fulfilling = async {
        let notifying = orders
            .iter()
            .map(|order| consumer.process(order, notify(channel, order)));
        let results = join_all(notifying).await;
        if results.iter().any(Result::is_err) {
            return Err(TryAgain(results.iter().map(Result::is_err).collect()));
        }
        // A commit waits for the brokers, so not on a thread of the runtime. Where it fails, these
        // orders come again.
        let consumer = Arc::clone(consumer);
        let commit = move || consumer.commit_consumer_state(CommitMode::Sync);
        if let Ok(Err(error)) = otelware::spawn_blocking(commit).await {
            tracing::warn!(%error, "not committed");
        }
        Ok(())
    };
    consumer.process_batch(orders, fulfilling).await
}

/// Has the customer of an order notified, and waits until RabbitMQ has it.
async fn notify(channel: &Channel, order: &BorrowedMessage<'_>) -> Result<(), NotNotified> {
    let order = serde_json::from_slice::<OrderPlaced>(order.payload().unwrap_or_default());
    let Ok(OrderPlaced { order, customer }) = order else {
        tracing::error!("an event that is none");
        return Ok(());
    };
    let notification = serde_json::json!(Notification { order, customer }).to_string();
    let publishing = async {
        // What no queue takes comes back, and is no success.
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let (exchange, queue, body) = ("".into(), NOTIFICATIONS.into(), notification.as_bytes());
        let publishing = channel.basic_publish(exchange, queue, options, body, properties);
        publishing.await?.await
    };
    match timeout(LIMIT, publishing).await {
        Ok(Ok(Confirmation::Ack(None))) => Ok(()),
        // The span of the publishing says why.
        _ => Err(NotNotified),
    }
}
