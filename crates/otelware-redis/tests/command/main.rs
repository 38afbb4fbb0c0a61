//! What commands tell about themselves: our cases, any arguments at all, and what a server says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod limits;
mod line;
mod properties;
mod resp;
mod samples;
mod server;
