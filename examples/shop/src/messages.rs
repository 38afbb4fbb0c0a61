//! What the services, and their customers, say to each other; all but the words of gRPC.

use serde::{Deserialize, Serialize};

/// The topic of Kafka that tells of orders that were placed.
pub(crate) const ORDER_EVENTS: &str = "order-events";

/// `POST /orders`: what a customer orders.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) customer: String,
    pub(crate) lines: Vec<Line>,
}

/// So many pieces of a product.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Line {
    pub(crate) product: String,
    pub(crate) quantity: u32,
}

/// The answer to an order that was placed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Placed {
    pub(crate) order: String,
    /// In cents.
    pub(crate) total: i64,
}

/// `GET /orders/{id}`: an order, as it is in the database.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) order: String,
    pub(crate) customer: String,
    pub(crate) total: i64,
    pub(crate) lines: Vec<Line>,
}

impl Order {
    /// What Kafka is told of it.
    pub(crate) fn event(&self) -> OrderPlaced {
        OrderPlaced {
            order: self.order.clone(),
            customer: self.customer.clone(),
        }
    }
}

/// `POST /charges`: what is to be paid for an order. Asked again, it is the same charge.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Charge {
    pub(crate) order: String,
    pub(crate) customer: String,
    pub(crate) amount: i64,
}

/// In Kafka: an order was placed.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct OrderPlaced {
    pub(crate) order: String,
    pub(crate) customer: String,
}

/// In RabbitMQ: a customer is to be told that an order is on its way.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Notification {
    pub(crate) order: String,
    pub(crate) customer: String,
}
