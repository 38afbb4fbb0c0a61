//! Redis servers for the tests: the one that all share, and ones of a test's own.
#![allow(dead_code, unused_imports, reason = "each test uses some of it")]

pub(crate) mod cluster;
pub(crate) mod port;
pub(crate) mod server;
pub(crate) mod shared;

pub(crate) use cluster::Cluster;
pub(crate) use server::Server;
pub(crate) use shared::{Shared, shared_url};
