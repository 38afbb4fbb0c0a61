//! Orders: they are placed, taken from a work queue, and told to all who want to know.

use crate::topology::Topology;
use futures_util::StreamExt;
use otelware_lapin::message::Delivery;
use otelware_lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions,
};
use otelware_lapin::types::{FieldTable, ShortString};
use otelware_lapin::{BasicProperties, Channel, Consumer, Result};
use tokio::sync::mpsc::Sender;

/// Publishes a message and waits until the broker has it. The span of publishing ends then.
pub(crate) async fn publish(
    channel: &Channel,
    exchange: &ShortString,
    routing_key: &ShortString,
    body: &[u8],
) -> Result<()> {
    // Nothing happens to a channel that confirms already.
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let (exchange, key) = (exchange.clone(), routing_key.clone());
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let publishing = channel.basic_publish(exchange, key, options, body, properties);
    publishing.await?.await?;
    Ok(())
}

/// Consumes a queue, one message at a time.
pub(crate) async fn consume(channel: &Channel, queue: &ShortString) -> Result<Consumer> {
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_consume(queue.clone(), ShortString::default(), options, arguments)
        .await
}

/// What a message is about.
pub(crate) fn item(delivery: &Delivery) -> String {
    String::from_utf8_lossy(&delivery.data).into_owned()
}

/// Puts an order into the work queue, by the exchange that has no name.
pub(crate) async fn place(channel: &Channel, topology: &Topology, item: &str) -> Result<()> {
    let exchange = ShortString::default();
    publish(channel, &exchange, &topology.orders, item.as_bytes()).await
}

/// Takes orders one by one, and tells of each that it is sold.
pub(crate) async fn work(channel: Channel, topology: Topology) -> Result<()> {
    let mut orders = consume(&channel, &topology.orders).await?;
    while let Some(Ok(order)) = orders.next().await {
        let selling = async {
            tracing::info!(item = item(&order), "sold");
            let to_all = ShortString::default();
            publish(&channel, &topology.sold, &to_all, &order.data).await?;
            order.ack(BasicAckOptions::default()).await
        };
        order.process(selling).await?;
    }
    Ok(())
}

/// Bills what is sold.
pub(crate) async fn bill(channel: Channel, topology: Topology, done: Sender<()>) -> Result<()> {
    let mut sales = consume(&channel, &topology.billing).await?;
    while let Some(Ok(sale)) = sales.next().await {
        let billing = async {
            tracing::info!(item = item(&sale), "billed");
            sale.ack(BasicAckOptions::default()).await
        };
        sale.process(billing).await?;
        done.send(()).await.ok();
    }
    Ok(())
}
