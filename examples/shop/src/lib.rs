//! A whole shop, instrumented: six services that talk to each other over HTTP, gRPC, Kafka and RabbitMQ,
//! and keep what they know in a database and in Redis. `src/services` has a file or a folder for each,
//! `src/service` what is the same in all of them.

pub mod launcher;
mod messages;
mod service;
mod services;

pub use service::{Service, run};
