//! Parcels. What cannot be shipped is tried again later, and given up in the end.

use crate::orders::{consume, item, publish};
use crate::topology::Topology;
use futures_util::StreamExt;
use otelware_lapin::message::Delivery;
use otelware_lapin::options::{BasicAckOptions, BasicRejectOptions};
use otelware_lapin::types::{AMQPValue, ShortString};
use otelware_lapin::{Channel, Error, Result};
use tokio::sync::mpsc::Sender;

/// How often a parcel is tried.
const ATTEMPTS: i64 = 3;

/// Why a parcel stays. The name of this type is what the span and the metrics have as the error.
#[derive(Debug)]
enum NotShipped {
    Refused(&'static str),
    Broker(Error),
}

impl From<Error> for NotShipped {
    fn from(error: Error) -> Self {
        Self::Broker(error)
    }
}

/// Ships what is sold.
pub(crate) async fn ship(channel: Channel, topology: Topology, done: Sender<()>) -> Result<()> {
    let mut parcels = consume(&channel, &topology.shipping).await?;
    while let Some(Ok(parcel)) = parcels.next().await {
        match parcel
            .process(try_to_ship(&parcel, &channel, &topology))
            .await
        {
            Ok(()) => done.send(()).await.unwrap_or_default(),
            Err(NotShipped::Refused(reason)) => {
                tracing::warn!(item = item(&parcel), reason, "not shipped");
                if attempt(&parcel, &topology.shipping) == ATTEMPTS {
                    done.send(()).await.unwrap_or_default();
                }
            }
            Err(NotShipped::Broker(error)) => return Err(error),
        }
    }
    Ok(())
}

/// One attempt, which settles the message in any case.
async fn try_to_ship(
    parcel: &Delivery,
    channel: &Channel,
    topology: &Topology,
) -> std::result::Result<(), NotShipped> {
    let attempt = attempt(parcel, &topology.shipping);
    let refused = match (&*item(parcel), attempt) {
        ("unicorn", _) => "there are none",
        ("samovar", 1 | 2) => "the van is full",
        _ => {
            tracing::info!(item = item(parcel), "shipped");
            parcel.ack(BasicAckOptions::default()).await?;
            return Ok(());
        }
    };
    if attempt < ATTEMPTS {
        // To the dead letters, from where it comes back.
        let requeue = BasicRejectOptions { requeue: false };
        parcel.reject(requeue).await?;
    } else {
        let exchange = ShortString::default();
        publish(channel, &exchange, &topology.failed, &parcel.data).await?;
        parcel.ack(BasicAckOptions::default()).await?;
    }
    Err(NotShipped::Refused(refused))
}

/// Which attempt this is: RabbitMQ notes how often a message was rejected from which queue.
fn attempt(parcel: &Delivery, queue: &ShortString) -> i64 {
    let headers = parcel.properties.headers().as_ref();
    let deaths = headers.and_then(|headers| headers.inner().get("x-death"));
    let Some(AMQPValue::FieldArray(deaths)) = deaths else {
        return 1;
    };
    let rejected = deaths.as_slice().iter().find_map(|death| {
        let AMQPValue::FieldTable(death) = death else {
            return None;
        };
        let (from, count) = (death.inner().get("queue")?, death.inner().get("count")?);
        match (from, count) {
            (AMQPValue::LongString(from), AMQPValue::LongLongInt(count)) => {
                (from.as_bytes() == queue.as_str().as_bytes()).then_some(*count)
            }
            _ => None,
        }
    });
    1 + rejected.unwrap_or(0)
}
