//! The whole shop as it is started by hand: processes, real sockets, and what all of them export together.
//!
//! | File | Shows |
//! |---|---|
//! | `one_trace` | an order is one trace through all services, and what the launcher prints of it |
//! | `real_parts` | the same with PostgreSQL, MariaDB, Redis, RabbitMQ and a broker of Kafka's |
//! | `outages` | each part goes away under load and comes back |
//! | `load` | nothing is lost, nothing stays in flight, memory stays as it is |
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod demonstration;
mod load;
mod logs;
mod metrics;
mod one_trace;
mod outages;
mod printed;
mod processes;
mod real_parts;
mod servers;
mod shop;
mod traces;
