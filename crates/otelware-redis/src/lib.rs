//! OpenTelemetry for redis-rs: commands, pipelines, transactions, scripts and scans of connections,
//! clusters, sentinels and pools, in the place of redis-rs' own.
//!
//! ```no_run
//! # fn example() -> redis::RedisResult<()> {
//! use otelware_redis::{Connection, Instrument};
//! use redis::Commands;
//!
//! let client = redis::Client::open("redis://cache/")?.instrument();
//! let mut connection: Connection = client.get_connection()?;
//! let _: () = connection.set("greeting", "hello")?;
//! # Ok(())
//! # }
//! ```
//!
//! Code goes on as it is, with `otelware_redis::{Client, Connection}`,
//! `otelware_redis::aio::{MultiplexedConnection, ConnectionManager}` and such imported in the place
//! of redis-rs' types: `AsyncCommands` and `Commands`, `cmd`, `pipe`, `Script`, scans, and functions
//! that are generic over these traits. A connection that was opened elsewhere is
//! [wrapped](Instrumented::wrap). [`get_mut`](Instrumented::get_mut) gives redis-rs' own, which goes
//! past the spans.
//!
//! Providers are the global ones, which `otelware::init` sets, unless [`RedisOptions`] hand others to
//! [`instrument_with`](Instrument::instrument_with).
//!
//! # Spans
//!
//! Kind `CLIENT`, named by the command (`GET`). Several commands that are sent at once are one
//! operation, `PIPELINE` or, as a transaction, `MULTI`, with the command's name where that is the
//! same (`PIPELINE SET`); one alone in a pipeline is no more than itself. An operation begins with
//! its first poll, and ends with its result or its drop.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `db.system.name` | required | `redis` |
//! | `db.operation.name` | required | the span's name; `_OTHER` for what can't be the name of a command |
//! | `db.namespace` | conditional | the number of the database that the connection is opened with, or that `SELECT` chose by it; none after a `SELECT` whose reply did not come; not of clusters |
//! | `server.address` | recommended | the host or the Unix socket that the client is told; of a cluster where one node alone is known beforehand; what a sentinel tells |
//! | `server.port` | conditional | the port, where it is not 6379 |
//! | `db.operation.batch.size` | recommended | how many commands, where those are not one |
//! | `db.query.text` | recommended | the command with `?` for each value, and in the place of all that the table of commands does not know to be a key, a field or a word of the command; several are joined by `; `; none [`without_query_text`](RedisOptions::without_query_text), no keys [`without_keys`](RedisOptions::without_keys) |
//! | `db.stored_procedure.name` | recommended | of `EVALSHA` the script's digest, of `FCALL` the function's name |
//! | `db.response.status_code` | conditional | the code that the server's error begins with: `WRONGTYPE`; of several commands, and within a reply, the first error |
//! | `error.type` | conditional | the same, or the class of an error that has no code, such as `timeout` or `connection_dropped` |
//! | `otelware.redis.batch.errors` | none | how many of several commands failed, where some did |
//!
//! All but the last three are there when the span starts, for samplers to see. What a script answers
//! as an error may be any text: what is not a code of Redis, its modules or Valkey is `_OTHER`, but
//! for those that [`with_error_codes`](RedisOptions::with_error_codes) tells.
//!
//! Two more spans are of kind `INTERNAL`, each if so told: `connect` for what the client opens
//! ([`with_connect_spans`](RedisOptions::with_connect_spans)), and `acquire` for the wait for a
//! connection of a pool ([`with_acquire_spans`](RedisOptions::with_acquire_spans)).
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `db.client.operation.duration` | `s` | recommended | all of the span's but the text, the procedure, the size and the errors of a batch |
//! | `otelware.redis.timeouts` | `{timeout}` | none | the same; of commands to which no reply came in time |
//! | `otelware.redis.reconnections` | `{connection}` | none | system, address and port; of connections that worked again after they had been lost |
//! | `otelware.redis.redirections` | `{command}` | none | system, address and port, and the code: `MOVED`, `ASK` or `TRYAGAIN`; of the nodes of a cluster |
//! | `db.client.connection.count` | `{connection}` | recommended | pool's name, state: `idle` or `used` |
//! | `db.client.connection.limit`, `db.client.connection.idle.min` | `{connection}` | recommended | pool's name |
//! | `db.client.connection.pending_requests` | `{request}` | recommended | pool's name |
//! | `db.client.connection.timeouts` | `{timeout}` | recommended | pool's name |
//! | `db.client.connection.create_time`, `db.client.connection.wait_time`, `db.client.connection.use_time` | `s` | recommended | pool's name |
//!
//! The pool's metrics are those of `bb8::Pool`, `deadpool::Pool` and `r2d2::Pool` in the modules of
//! these names. The libraries' own pools take our clients as well, and then only `create_time` is
//! measured. A client is to have one pool: two of the same name could not be told apart. A pool is
//! told of from when it is made, by the providers that there are then, whether it is used or not. To
//! ask whether a connection is healthy is no operation.
//!
//! # Clusters
//!
//! A command is one operation, wherever it is sent to, and however often. Redirections are counted by
//! asynchronous connections of a client that was made by
//! [`ClusterClient::new`](Instrumented::<redis::cluster::ClusterClient>::new) or `builder`, unless
//! they are opened with a `ClusterConfig`, and by blocking ones of
//! `get_connection_counting_redirections`. Of several clients of one cluster each counts its own, as
//! far as they can be told apart, which redis-rs does not help with: by the task that runs an
//! asynchronous connection, if that is tokio's (`tokio-comp`) and no other client of that cluster
//! begins to connect at the same time, and by the thread that a blocking one has worked on last. Else
//! they are counted by the client that began to connect last.
//!
//! For `cluster_pipe().query(&mut connection)`, which wants redis-rs' own connection, it is
//! `connection.query_pipeline(&pipeline)`.
//!
//! # How an operation ends
//!
//! | End | Status of the span | `error.type` |
//! |---|---|---|
//! | a reply, also none (`nil`) | unset | none |
//! | an error, also of one command among several, or within a reply | error | as above |
//! | its future was dropped | unset; see [`with_cancellation`](RedisOptions::with_cancellation) | none |
//!
//! A command whose future was dropped may have been sent all the same. The messages of errors may have
//! values in them, so spans and events of exceptions have none unless
//! [`with_error_messages`](RedisOptions::with_error_messages) says so.
//!
//! # What is not seen
//!
//! - What redis-rs does on its own: the commands with which a connection begins, reconnections that
//!   a manager makes in the background, and what clusters ask their nodes.
//! - `MONITOR`, and what `send_packed_command` of a blocking connection sends without waiting for the
//!   reply.
//! - Of client-side caching, whether a command was answered from the cache: that is an operation as
//!   any other.
//! - The node of a cluster that answered, and the address of the server in the network: redis-rs does
//!   not tell, so that `network.peer.address` and `network.peer.port`, which are recommended, are left
//!   out.
//!
//! redis-rs' `Script` tries `EVALSHA` first, and loads the script where the server does not know it yet:
//! that first operation is seen as it is, as one that failed with `NOSCRIPT`.
//!
//! # Streams and channels
//!
//! Entries of streams can carry the context of what added them, and are processed in spans that are
//! linked to that: see [`streams`]. Messages of channels are counted, and are processed in spans: see
//! [`pubsub`]. [`ConsumerOptions`] say how.
//!
//! | Span | Kind | Metrics |
//! |---|---|---|
//! | `process {stream}` | `CONSUMER` | `messaging.process.duration`, `messaging.client.consumed.messages`, `otelware.redis.stream.lag` |
//! | `process {channel}`, `process {pattern}` | `CONSUMER` | `messaging.process.duration`, `messaging.client.consumed.messages` |
//!
//! # Features
//!
//! Those of redis-rs by the same names: `aio` and `tokio-comp`, which are on, `connection-manager`,
//! `cluster`, `cluster-async`, `sentinel`, `streams`, `script`, `cache-aio`; and a pool each: `bb8`,
//! `deadpool`, `r2d2`. What else redis-rs has, as TLS and other runtimes, is chosen with redis-rs
//! itself. Whatever is asynchronous (`aio`, and those that need it: `connection-manager`,
//! `cluster-async`, `cache-aio`, `bb8`, `deadpool`) does not compile without the feature of a runtime:
//! `tokio-comp`, or redis-rs' own `smol-comp`. `bound-instruments`, which is on too, is that of
//! [`otelware`].

#[cfg(feature = "aio")]
pub mod aio;
mod batch;
#[cfg(feature = "bb8")]
pub mod bb8;
mod call;
#[cfg(feature = "cluster")]
mod claims;
mod client;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "cluster-async")]
pub mod cluster_async;
#[doc(hidden)]
pub mod command;
mod connection;
mod consumer_options;
mod core;
mod database;
#[cfg(feature = "deadpool")]
pub mod deadpool;
mod error;
mod instrumented;
mod label;
#[cfg(feature = "cluster")]
mod node;
mod options;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
mod pool;
pub mod pubsub;
#[cfg(feature = "r2d2")]
pub mod r2d2;
mod replies;
#[cfg(feature = "sentinel")]
pub mod sentinel;
mod server;
pub mod streams;

pub use client::{Client, Connection, Instrument};
pub use consumer_options::ConsumerOptions;
pub use instrumented::Instrumented;
pub use options::{CommandView, RedisOptions};
pub use otelware;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
pub use pool::{Manages, PooledConnection};
pub use server::Server;
