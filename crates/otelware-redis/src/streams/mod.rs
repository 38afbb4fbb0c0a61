//! Streams: context in entries, and the processing of entries in spans.
//!
//! One side adds entries. With [`RedisOptions::with_stream_context`](crate::RedisOptions::with_stream_context)
//! each of them carries the context of the `XADD` (or of the pipeline or transaction that it is in),
//! and nothing else changes:
//!
//! ```no_run
//! use otelware_redis::{Instrument, RedisOptions};
//! use redis::Commands;
//!
//! # fn example() -> redis::RedisResult<()> {
//! let options = RedisOptions::new().with_stream_context();
//! let client = redis::Client::open("redis://streams/")?.instrument_with(options);
//! let mut connection = client.get_connection()?;
//! let _: Option<String> = redis::cmd("XADD").arg("orders").arg("*").arg(&[("item", "teapot")]).query(&mut connection)?;
//! # Ok(())
//! # }
//! ```
//!
//! The other side reads them as ever, and has a `StreamConsumer` (of the feature `streams`) run what
//! processes them:
//!
#![cfg_attr(feature = "streams", doc = "```no_run")]
#![cfg_attr(not(feature = "streams"), doc = "```ignore")]
//! use otelware_redis::streams::StreamConsumer;
//! use redis::streams::{StreamReadOptions, StreamReadReply};
//! use redis::{AsyncCommands, RedisResult};
//!
//! # async fn charge(_: &redis::streams::StreamId) -> RedisResult<()> { Ok(()) }
//! # async fn example(client: otelware_redis::Client) -> RedisResult<()> {
//! let mut connection = client.get_multiplexed_async_connection().await?;
//! let consumer = StreamConsumer::new(&connection, "billing", "worker-1");
//! let options = StreamReadOptions::default().group("billing", "worker-1").block(5_000);
//! loop {
//!     let reply: Option<StreamReadReply> =
//!         connection.xread_options(&["orders"], &[">"], &options).await?;
//!     for entry in consumer.entries(&reply.unwrap_or_default()) {
//!         entry.process(charge(entry.entry())).await?;
//!         let _: usize = connection.xack(entry.stream(), "billing", &[&entry.entry().id]).await?;
//!     }
//! }
//! # }
//! ```
//!
//! # In the entry
//!
//! | Field | Value | When |
//! |---|---|---|
//! | `traceparent`, `tracestate`, `baggage`, or others that the propagator has | the context of the `XADD`'s span | where it has a value |
//!
//! They come last, and take the place of such that the entry has already, as one that is sent on has.
//! Other clients of the stream see them among the fields. Two kinds of entries stay as they are: those
//! of an `XADD` that Redis refuses anyway, and those that it tells apart by their fields (`IDMPAUTO`).
//! [`with_stream_context_of`](crate::RedisOptions::with_stream_context_of) says how much of the context
//! leaves. With [a minimum duration](crate::RedisOptions::with_minimum_duration), spans are made after
//! the fact: entries then carry the context around the `XADD`. Pipelines of a cluster's connection that
//! blocks the thread carry none.
//!
//! # Spans
//!
//! | Span | Kind | Parent | Links |
//! |---|---|---|---|
//! | `process {stream}`, one entry | `CONSUMER` | the span around it; without one, the one that added the entry ([`Parenting`](otelware::messaging::Parenting) decides) | what added the entry |
//! | `process {stream}`, several | `CONSUMER` | the span around it | what added each entry, 128 at most |
//!
//! | Attribute | Level | Value | When |
//! |---|---|---|---|
//! | `messaging.system.name` | required | `redis` | |
//! | `messaging.operation.name`, `messaging.operation.type` | required | `process` | |
//! | `messaging.destination.name` | required | the stream's key | |
//! | `messaging.destination.template` | conditional | what the option's function makes of the key | [`with_destination_template`](crate::ConsumerOptions::with_destination_template) |
//! | `messaging.message.id` | recommended | the entry's id | of several: on the link |
//! | `messaging.batch.message_count` | conditional | how many entries | of several |
//! | `messaging.consumer.group.name` | conditional | the group | there is one |
//! | `messaging.client.id` | recommended | the consumer's name in the group | there is one |
//! | `messaging.message.body.size` | opt-in | bytes of all names and values | one entry, [`with_body_sizes`](crate::ConsumerOptions::with_body_sizes) |
//! | `messaging.header.<field>` | opt-in | the value of a field | [`with_captured_headers`](crate::ConsumerOptions::with_captured_headers) |
//! | `otelware.messaging.unlinked_messages` | | entries that no link was left for | more than 128 |
//! | `server.address`, `server.port` | recommended | the server | one is known |
//! | `error.type` | conditional | the error's type, `cancelled`, `panic` | it failed |
//!
//! No other field of an entry is shown. `XADD`, `XREADGROUP`, `XACK` and the rest are commands, with the
//! spans of commands.
//!
//! # Metrics
//!
//! | Metric | Unit | What | Attributes |
//! |---|---|---|---|
//! | `messaging.process.duration` | `s` | how long processing took | `messaging.system.name`, `messaging.operation.name`, `messaging.destination.name` or `.template`, `messaging.consumer.group.name`, `server.address`, `server.port`, `error.type` |
//! | `messaging.client.consumed.messages` | `{message}` | entries, when their processing begins | the same but `error.type` |
//! | `otelware.redis.stream.lag` | `s` | time from an entry's id to the begin of its processing | `messaging.system.name`, `messaging.destination.name` or `.template`, `messaging.consumer.group.name` |
//!
//! The lag is told by the server's clock at one end and by this machine's at the other, and is never
//! negative. Entries whose ids are no time, such as `5-1`, have none. How many entries wait, as `XINFO
//! GROUPS` and `XPENDING` tell, is for the program to ask: nothing is asked of Redis behind its back.
//!
//! The names of streams that are too many to remember are left out of metrics.

pub(crate) mod carry;
#[cfg(feature = "streams")]
mod consumer;
mod entry;
#[cfg(feature = "streams")]
mod fields;
#[cfg(feature = "streams")]
mod lag;

#[cfg(feature = "streams")]
pub use consumer::{Entry, StreamConsumer};
