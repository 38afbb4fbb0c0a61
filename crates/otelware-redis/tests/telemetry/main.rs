//! What connections leave behind, on real servers.
#![cfg(all(
    feature = "bb8",
    feature = "cluster-async",
    feature = "connection-manager",
    feature = "deadpool",
    feature = "r2d2",
    feature = "script",
    feature = "sentinel",
    feature = "streams",
    feature = "tokio-comp"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod batches;
mod clusters;
mod commands;
mod errors;
mod expected;
mod inherent;
mod lost;
mod options;
mod pools;
mod secrets;
mod sentinels;
mod suite;
