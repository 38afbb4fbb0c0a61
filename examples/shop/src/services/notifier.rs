//! Notifies customers: takes messages from RabbitMQ, one by one.
//!
//! Shows `delivery.process(…)`, and the ways in which a message is settled: done, put back, given up.

use super::notifications::{LIMIT, Link, NOTIFICATIONS, PAUSE};
use crate::messages::Notification;
use crate::service::{Failure, say};
use futures_util::StreamExt;
use otelware::opentelemetry::metrics::Counter;
use otelware::opentelemetry::{KeyValue, global};
use otelware_lapin::message::Delivery;
use otelware_lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
};
use otelware_lapin::types::FieldTable;
use otelware_lapin::{Channel, Consumer, Error};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How many messages RabbitMQ sends ahead.
const PREFETCH: u16 = 50;

/// Why a customer is not notified. The name of this type is the error of the span.
#[derive(Debug)]
enum NotNotified {
    MailboxBusy,
    NoSuchMailbox,
    Broker(Failure),
}

pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    let notifications = global::meter("shop")
        .u64_counter("shop.notifications")
        .with_unit("{notification}")
        .with_description("Notifications, by what became of them")
        .build();
    say("ready");
    // Whatever ends this but the wish to stop: it begins anew, with another connection.
    while let Some(link) = stop.run_until_cancelled(Link::open()).await {
        if let Err(error) = consume(&link.channel, &notifications, &stop).await {
            tracing::warn!(error, "RabbitMQ is lost");
        }
        link.close().await;
        stop.run_until_cancelled(sleep(PAUSE)).await;
    }
    Ok(())
}

/// Consumes until the connection is lost, or the service is to stop.
async fn consume(
    channel: &Channel,
    notifications: &Counter<u64>,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut deliveries = timeout(LIMIT, subscribe(channel)).await??;
    while let Some(Some(delivery)) = stop.run_until_cancelled(deliveries.next()).await {
        let delivery = delivery?;
        let outcome = match delivery.process(notify(&delivery)).await {
            Ok(()) => "sent",
            Err(NotNotified::MailboxBusy) => "postponed",
            Err(NotNotified::NoSuchMailbox) => "undeliverable",
            Err(NotNotified::Broker(error)) => return Err(error),
        };
        notifications.add(1, &[KeyValue::new("shop.notification.outcome", outcome)]);
    }
    Ok(())
}

async fn subscribe(channel: &Channel) -> Result<Consumer, Error> {
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_qos(PREFETCH, BasicQosOptions::default())
        .await?;
    channel
        .basic_consume(NOTIFICATIONS.into(), "".into(), options, arguments)
        .await
}

/// Notifies a customer, and settles the message in any case: Grace's mailbox is busy at first, and
/// nobody's is none.
async fn notify(delivery: &Delivery) -> Result<(), NotNotified> {
    let customer = serde_json::from_slice(&delivery.data)
        .map(|notification: Notification| notification.customer);
    match customer {
        Ok(customer) if customer.starts_with("grace") && !delivery.redelivered => {
            let requeue = BasicNackOptions {
                requeue: true,
                ..BasicNackOptions::default()
            };
            settled(delivery.nack(requeue)).await?;
            Err(NotNotified::MailboxBusy)
        }
        Ok(customer) if !customer.starts_with("nobody") => {
            settled(delivery.ack(BasicAckOptions::default())).await?;
            tracing::info!("customer notified");
            Ok(())
        }
        _ => {
            let give_up = BasicRejectOptions { requeue: false };
            settled(delivery.reject(give_up)).await?;
            Err(NotNotified::NoSuchMailbox)
        }
    }
}

async fn settled<T>(settling: impl Future<Output = Result<T, Error>>) -> Result<(), NotNotified> {
    match timeout(LIMIT, settling).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(NotNotified::Broker(error.into())),
        Err(elapsed) => Err(NotNotified::Broker(elapsed.into())),
    }
}
