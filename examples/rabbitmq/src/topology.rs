//! The queues and exchanges, which are gone when the program is.

use otelware_lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use otelware_lapin::types::{AMQPValue, FieldTable, ShortString};
use otelware_lapin::{Channel, ExchangeKind, Result};

/// How many milliseconds a parcel waits before it is tried again.
const LATER: i32 = 50;

/// What there is at the broker.
#[derive(Clone)]
pub(crate) struct Topology {
    /// A work queue: each order is taken by one worker.
    pub(crate) orders: ShortString,
    /// An exchange that tells all who want to know what was sold.
    pub(crate) sold: ShortString,
    pub(crate) billing: ShortString,
    /// What is rejected here waits in `shop.shipping.later`, and comes back.
    pub(crate) shipping: ShortString,
    /// Parcels that were given up, for a person to look at.
    pub(crate) failed: ShortString,
}

impl Topology {
    pub(crate) async fn declare(channel: &Channel, shop: &str) -> Result<Self> {
        let name = |what: &str| ShortString::from(format!("{shop}.{what}"));
        let topology = Self {
            orders: name("orders"),
            sold: name("sold"),
            billing: name("billing"),
            shipping: name("shipping"),
            failed: name("shipping.failed"),
        };
        let later = name("shipping.later");
        for (queue, arguments) in [
            (&topology.orders, FieldTable::default()),
            (&topology.billing, FieldTable::default()),
            (&topology.shipping, dead_letters(&later)),
            (&later, waiting(dead_letters(&topology.shipping))),
            (&topology.failed, FieldTable::default()),
        ] {
            let exclusive = QueueDeclareOptions::exclusive();
            channel
                .queue_declare(queue.clone(), exclusive, arguments)
                .await?;
        }
        let options = ExchangeDeclareOptions {
            auto_delete: true,
            ..ExchangeDeclareOptions::default()
        };
        let (sold, none) = (&topology.sold, FieldTable::default);
        channel
            .exchange_declare(sold.clone(), ExchangeKind::Fanout, options, none())
            .await?;
        for queue in [&topology.billing, &topology.shipping] {
            let (options, any) = (QueueBindOptions::default(), ShortString::default());
            channel
                .queue_bind(queue.clone(), sold.clone(), any, options, none())
                .await?;
        }
        Ok(topology)
    }
}

/// Has what is rejected, or is there for too long, go on to another queue.
fn dead_letters(queue: &ShortString) -> FieldTable {
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue.as_str()));
    arguments
}

/// Has messages stay for a while.
fn waiting(mut arguments: FieldTable) -> FieldTable {
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(LATER));
    arguments
}
