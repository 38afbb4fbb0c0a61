//! Server and client as processes of their own, over real sockets: what they export together.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod health;
mod logs;
mod measurements;
mod process;
mod shopping;
mod telemetry;
mod unknown;
