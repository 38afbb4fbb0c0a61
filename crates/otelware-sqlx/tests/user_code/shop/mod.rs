//! A shop: ordinary code on sqlx, as one who has never heard of otelware writes it.
//!
//! `super::db` has the types of sqlx or those of otelware, by the names that both give them.

mod customers;
mod forms;
mod model;
mod orders;
mod reports;
mod scenario;
mod stock;
mod web;

use super::db;
pub(crate) use scenario::STEPS;
pub(crate) use web::router;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("tests/user_code/migrations");
