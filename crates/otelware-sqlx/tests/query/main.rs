//! The reader of queries: what it makes of the conventions' own cases, of ours, and of any text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod limits;
mod linear;
mod official;
mod properties;
