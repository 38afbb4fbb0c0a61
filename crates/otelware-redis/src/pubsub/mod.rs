//! Publish and subscribe: subscriptions in spans, messages counted, and processed in spans.
//!
//! What subscribes is redis-rs' own but for its place: [`Client::get_async_pubsub`](crate::Client) gives
//! an [`aio::PubSub`](crate::aio::PubSub), and [`Connection::as_pubsub`](crate::Connection) a
//! [`PubSub`]. Either has a [`Subscriber`], which runs what processes a message:
//!
//! ```no_run
//! use otelware_redis::Client;
//! use redis::RedisResult;
//!
//! # fn sound(_: &redis::Msg) -> RedisResult<()> { Ok(()) }
//! # fn example() -> RedisResult<()> {
//! let mut connection = Client::open("redis://news/")?.get_connection()?;
//! let mut pubsub = connection.as_pubsub();
//! pubsub.psubscribe("alarms.*")?;
//! let subscriber = pubsub.subscriber();
//! loop {
//!     let message = pubsub.get_message()?;
//!     subscriber.process_sync(&message, || sound(&message))?;
//! }
//! # }
//! ```
//!
//! Where messages come as pushes of a connection that speaks RESP3,
//! [`Subscriber::of`] the connection does the same, and counts what its
//! [`message`](Subscriber::message) makes of a push.
//!
//! A message carries nothing besides its payload, so that **no context goes with it**: its processing is
//! in no trace of its publisher's, and linked to none. Where that is wanted, [streams](crate::streams)
//! are the means.
//!
//! # Spans
//!
//! `SUBSCRIBE`, `PSUBSCRIBE`, `UNSUBSCRIBE`, `PUNSUBSCRIBE`, `PING` and, on the other side, `PUBLISH` are
//! commands, with the spans of commands. The wait for a message has none.
//!
//! | Span | Kind | Parent | Links |
//! |---|---|---|---|
//! | `process {channel}`, or `process {pattern}` of what a pattern found | `CONSUMER` | the span around it | none |
//!
//! | Attribute | Level | Value | When |
//! |---|---|---|---|
//! | `messaging.system.name` | required | `redis` | |
//! | `messaging.operation.name`, `messaging.operation.type` | required | `process` | |
//! | `messaging.destination.name` | required | the channel | |
//! | `messaging.destination.template` | conditional | the pattern, or what [`with_destination_template`](crate::ConsumerOptions::with_destination_template) makes of the channel | there is one |
//! | `messaging.message.body.size` | opt-in | bytes of the payload | [`with_body_sizes`](crate::ConsumerOptions::with_body_sizes) |
//! | `server.address`, `server.port` | recommended | the server | one is known |
//! | `error.type` | conditional | the error's type, `cancelled`, `panic` | it failed |
//!
//! # Metrics
//!
//! | Metric | Unit | What | Attributes |
//! |---|---|---|---|
//! | `messaging.client.consumed.messages` | `{message}` | messages that were received | `messaging.system.name`, `messaging.operation.name` (`receive`), `messaging.destination.template`, or else `messaging.destination.name`, `server.address`, `server.port` |
//! | `messaging.process.duration` | `s` | how long processing took | the same, with `process`, and `error.type` |
//!
//! As many patterns, templates and names as recur are attributes of metrics; those beyond them are on
//! spans alone.

#[cfg(feature = "aio")]
pub(crate) mod asynchronous;
mod blocking;
mod subscriber;

pub use blocking::PubSub;
pub use subscriber::Subscriber;
