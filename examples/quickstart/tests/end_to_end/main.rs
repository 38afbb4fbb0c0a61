//! The service as a process of its own, over real sockets: what it is asked, what it answers and what it exports.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod demo;
mod environment;
mod outage;
mod peer;
mod process;
mod propagation;
mod stopping;
