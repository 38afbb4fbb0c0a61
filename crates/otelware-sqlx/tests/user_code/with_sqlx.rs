//! The shop on sqlx.

pub(crate) mod db {
    pub(crate) use sqlx::pool::PoolConnection;
    pub(crate) use sqlx::{PgConnection, PgPool, PgTransaction, Pool, Postgres, Transaction};
}

#[path = "shop/mod.rs"]
pub(crate) mod shop;
