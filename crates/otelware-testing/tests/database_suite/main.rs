//! The suite of databases, with a store of keys and values that knows no SQL: a sound
//! instrumentation passes it, and one with a fault does not.
#![cfg(feature = "suites")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod expectations;
mod faults;
mod instrumentation;
mod pool;
mod store;
#[path = "../support/mod.rs"]
mod support;

use support::failure;

mod sound {
    otelware_testing::database_suite!(crate::store::Store<{ crate::faults::NONE }>, pooled);
}
