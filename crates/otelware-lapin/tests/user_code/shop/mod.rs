//! A shop that sends and receives orders, as programs that use lapin do.

mod handlers;

use super::amqp;
use amqp::message::{BasicGetMessage, Delivery};
use amqp::options::*;
use amqp::types::{FieldTable, ShortString};
use amqp::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    ExchangeKind, PublisherConfirm, Result,
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use handlers::Collector;
use tokio::sync::mpsc;

const KEY: &str = "orders.new";

pub(crate) async fn connect(url: &str) -> Result<Connection> {
    let properties = ConnectionProperties::default().with_connection_name("shop".into());
    Connection::connect(url, properties).await
}

/// What sends orders: it owns a channel, and knows where to.
struct Publisher {
    channel: Channel,
    exchange: ShortString,
}

impl Publisher {
    async fn new(connection: &Connection, exchange: &str) -> Result<Self> {
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let exchange = ShortString::from(exchange);
        Ok(Self { channel, exchange })
    }

    async fn publish(&self, key: &str, body: &str) -> Result<PublisherConfirm> {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default().with_content_type("text/plain".into());
        self.channel
            .basic_publish(
                self.exchange.clone(),
                key.into(),
                options,
                body.as_bytes(),
                properties,
            )
            .await
    }
}

/// The exchange and the queue, which live as long as the connection.
async fn declare(channel: &Channel, exchange: &str) -> Result<ShortString> {
    let options = ExchangeDeclareOptions {
        auto_delete: true,
        ..Default::default()
    };
    let arguments = FieldTable::default();
    channel
        .exchange_declare(exchange.into(), ExchangeKind::Topic, options, arguments)
        .await?;
    let queue = channel
        .queue_declare(
            format!("{exchange}-orders").into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    channel
        .queue_bind(
            queue.name().clone(),
            exchange.into(),
            "orders.*".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok(queue.name().clone())
}

async fn consumer(channel: &Channel, queue: &ShortString) -> Result<Consumer> {
    channel
        .basic_consume(
            queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
}

/// The bodies of so many orders of any stream.
async fn bodies<S>(orders: S, count: usize) -> Result<Vec<String>>
where
    S: Stream<Item = Result<Delivery>>,
{
    let acknowledged = orders.take(count).and_then(|delivery| async move {
        delivery.ack(BasicAckOptions::default()).await?;
        let Delivery {
            data, delivery_tag, ..
        } = delivery;
        Ok(format!("{} {delivery_tag}", String::from_utf8_lossy(&data)))
    });
    acknowledged.try_collect().await
}

pub(crate) async fn scenario(connection: &Connection, exchange: &str) -> Result<Vec<String>> {
    let mut results = Vec::new();
    let channel = connection.create_channel().await?;
    let queue = declare(&channel, exchange).await?;
    channel.basic_qos(10, BasicQosOptions::default()).await?;
    let publisher = Publisher::new(connection, exchange).await?;

    let mut told = Vec::new();
    for (key, body) in [(KEY, "pen"), (KEY, "ink"), ("nobody", "lost")] {
        // One by one: lapin may take a message that came back for another that is confirmed.
        let confirm = publisher.publish(key, body).await?;
        told.push(match confirm.await? {
            Confirmation::Ack(None) => "ack",
            Confirmation::Ack(Some(returned)) if returned.reply_code == 312 => "no route",
            other => panic!("{other:?}"),
        });
    }
    results.push(format!("published {}: {}", told.len(), told.join(", ")));

    let stream = consumer(&channel, &queue).await?;
    let tag = stream.tag();
    results.push(format!(
        "by stream: {}",
        bodies(stream, 2).await?.join(", ")
    ));
    channel
        .basic_cancel(tag, BasicCancelOptions::default())
        .await
        .ok();

    for body in ["cup", "mug"] {
        drop(publisher.publish(KEY, body).await?);
    }
    let returned = publisher.channel.wait_for_confirms().await?;
    results.push(format!("dropped confirms: {} returned", returned.len()));

    let (sender, mut received) = mpsc::unbounded_channel();
    let by_closure = consumer(&channel, &queue).await?;
    by_closure.set_delegate(handlers::closure(sender.clone()));
    let mut delegated = [
        received.recv().await.unwrap(),
        received.recv().await.unwrap(),
    ];
    delegated.sort();
    results.push(format!("by delegate: {}", delegated.join(", ")));
    let cancel = BasicCancelOptions::default();
    channel.basic_cancel(by_closure.tag(), cancel).await?;

    let by_trait = consumer(&channel, &queue).await?;
    by_trait.set_delegate(Collector { sender });
    publisher.publish(KEY, "jug").await?.await?;
    results.push(format!("by trait: {}", received.recv().await.unwrap()));
    channel.basic_cancel(by_trait.tag(), cancel).await?;

    publisher.publish(KEY, "hat").await?.await?;
    let options = BasicGetOptions::default();
    let got: Option<BasicGetMessage> = channel.basic_get(queue.clone(), options).await?;
    let got = got.unwrap();
    channel
        .basic_ack(got.delivery_tag, BasicAckOptions::default())
        .await?;
    let body = String::from_utf8_lossy(&got.data);
    let nothing = channel.basic_get(queue.clone(), options).await?;
    assert_eq!(nothing, None);
    results.push(format!("got: {body}, {} left; nothing", got.message_count));

    let lost = Publisher::new(connection, &format!("{exchange}-unknown")).await?;
    let error = lost.publish(KEY, "lost").await?.await.unwrap_err();
    results.push(format!("unknown exchange: {}", error.is_amqp_soft_error()));
    channel.close(200, "done".into()).await?;
    Ok(results)
}
