//! Streams and channels, on real servers: who is linked to whom, and what is measured.
#![cfg(all(
    unix,
    feature = "cluster-async",
    feature = "script",
    feature = "streams",
    feature = "tokio-comp"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod consuming;
mod expected;
mod processes;
mod producing;
mod pubsub;
mod python;
mod secrets;
mod suite;
