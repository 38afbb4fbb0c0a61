//! The same shop on otelware's types.

pub(crate) mod db {
    pub(crate) use otelware_sqlx::{
        PgConnection, PgPool, PgTransaction, Pool, PoolConnection, Transaction,
    };
    pub(crate) use sqlx::Postgres;
}

#[allow(
    unused_imports,
    reason = "sqlx's traits `Acquire` and `Connection`, whose methods otelware's types have themselves"
)]
#[path = "shop/mod.rs"]
pub(crate) mod shop;
