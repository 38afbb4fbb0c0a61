//! How an order is placed: prices, stock, money, database, and at last the event.

use super::Shop;
use super::refusal::Refusal;
use crate::messages::{NewOrder, Order, Placed};
use otelware::opentelemetry::KeyValue;
use uuid::Uuid;

/// An order that stands.
pub(super) enum Accepted {
    Placed(Placed),
    /// Kafka does not have the event yet.
    Delayed(Placed),
}

/// Places an order, and counts what became of it.
pub(super) async fn place(shop: Shop, order: NewOrder) -> Result<Accepted, Refusal> {
    let result = try_to_place(&shop, order).await;
    let outcome = match &result {
        Ok(Accepted::Placed(_)) => "placed",
        Ok(Accepted::Delayed(_)) => "delayed",
        Err(Refusal::Declined) => "declined",
        Err(Refusal::UnknownProduct) => "unknown_product",
        Err(Refusal::OutOfStock) => "out_of_stock",
        Err(Refusal::Unavailable(_)) => "unavailable",
    };
    let outcome = KeyValue::new("shop.order.outcome", outcome);
    shop.orders.add(1, &[outcome]);
    result
}

async fn try_to_place(shop: &Shop, order: NewOrder) -> Result<Accepted, Refusal> {
    let order = Order {
        order: Uuid::now_v7().to_string(),
        total: shop.prices.total(&order.lines).await?,
        customer: order.customer,
        lines: order.lines,
    };
    shop.stock.reserve(&order.lines).await?;
    if let Err(refusal) = pay_and_keep(shop, &order).await {
        shop.stock.release(&order.lines).await;
        return Err(refusal);
    }
    // From here on the event is in the outbox: whatever happens to it now, it is not lost.
    let sent = shop.events.send(&order.event()).await.is_ok();
    if sent && let Err(error) = shop.database.sent(&order.order).await {
        tracing::warn!(%error, "the event will be sent once more");
    }
    let placed = Placed {
        order: order.order,
        total: order.total,
    };
    tracing::info!(placed.order, placed.total, sent, "order placed");
    Ok(match sent {
        true => Accepted::Placed(placed),
        false => Accepted::Delayed(placed),
    })
}

/// Charges the card and keeps the order, both or none; but where the answer to the commit is lost, the
/// order may be kept all the same.
async fn pay_and_keep(shop: &Shop, order: &Order) -> Result<(), Refusal> {
    let charged = shop.money.charge(order).await;
    let kept = match charged {
        Ok(()) => shop.database.keep(order).await.map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    // A charge that was not answered may have been made.
    if let Err(Refusal::Unavailable(_)) = &kept {
        shop.money.refund(order).await;
    }
    kept
}
