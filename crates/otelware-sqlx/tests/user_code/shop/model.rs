//! What is in the database.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[sqlx(type_name = "order_status", rename_all = "lowercase")]
pub(crate) enum Status {
    Open,
    Paid,
    Cancelled,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
pub(crate) struct Customer {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) customer_id: i64,
    pub(crate) status: Status,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) product: i64,
    pub(crate) quantity: i64,
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Sale {
    pub(crate) product: String,
    pub(crate) quantity: i64,
}
