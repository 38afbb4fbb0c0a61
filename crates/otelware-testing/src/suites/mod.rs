//! Suites of behaviour that every instrumentation of a kind must have, whatever the library.
//!
//! A suite runs against real servers and clients on loopback, in this process. It asserts on whole
//! spans, metrics and headers; what an instrumentation can't do, it declares.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure to set up a test is a failure of the test"
)]

pub mod database;
pub mod grpc;
pub mod http_client;
pub mod http_server;
pub mod messaging;
mod peer;

pub use peer::{Peer, Received};

/// The keys of a query whose values the semantic conventions have redacted by default.
pub const SECRET_KEYS: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
];
