//! The suite of messaging, with a post office in this process: a sound instrumentation passes it, and
//! one with a fault does not.
#![cfg(feature = "suites")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod contexts;
mod expectations;
mod faults;
mod headers;
mod instrumentation;
mod post;
mod running;
#[path = "../support/mod.rs"]
mod support;

mod sound {
    otelware_testing::messaging_suite!(crate::post::Post<{ crate::faults::NONE }>);
}
