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
mod claims;
mod clusters;
mod commands;
mod databases;
mod errors;
mod expected;
mod inherent;
mod lost;
mod nested;
mod options;
mod pools;
mod recycling;
mod secrets;
mod sentinels;
mod suite;
