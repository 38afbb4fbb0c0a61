//! OpenTelemetry for lapin: connections, channels, publishers, consumers and settlements on RabbitMQ,
//! in the place of lapin's own.
//!
//! ```no_run
//! # async fn handle(_: &[u8]) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn example(url: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use futures_util::StreamExt;
//! use otelware_lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions};
//! use otelware_lapin::types::FieldTable;
//! use otelware_lapin::{BasicProperties, Connection, ConnectionProperties};
//!
//! let connection = Connection::connect(url, ConnectionProperties::default()).await?;
//! let channel = connection.create_channel().await?;
//!
//! let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
//! let confirm = channel
//!     .basic_publish("shop".into(), "orders.new".into(), options, b"3 pens", properties)
//!     .await?;
//! confirm.await?;
//!
//! let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
//! let mut orders = channel.basic_consume("orders".into(), "".into(), options, arguments).await?;
//! while let Some(delivery) = orders.next().await {
//!     let delivery = delivery?;
//!     delivery.process(handle(&delivery.data)).await?;
//!     delivery.ack(BasicAckOptions::default()).await?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Code goes on as it is with `otelware_lapin` named where `lapin` was, be it by
//! `use otelware_lapin as lapin;`: the types here have lapin's names, fields and methods, and what
//! lapin exports besides is exported here too. What others opened is observed by
//! [`instrument`](Instrument::instrument). [`Channel`], [`Connection`] and [`Consumer`] deref to
//! lapin's own; what is called on that itself goes past the spans.
//!
//! Providers are the global ones, which `otelware::init` sets, unless [`AmqpOptions`] hand others to
//! [`Connection::connect_with`] or [`instrument_with`](Instrument::instrument_with). A connection
//! looks for them with its first message, so that they may be set after it was opened; with spans for
//! connections when it is opened, and where events are listened to with the first of those. Where there
//! are none, context goes with the messages all the same, and nothing else is done or kept.
//!
//! # Spans
//!
//! | Span | Kind | From | To |
//! |---|---|---|---|
//! | `publish shop:orders.new` | `PRODUCER` | [`basic_publish`](Channel::basic_publish) | the broker's confirm, as it is taken; without confirms the message is written |
//! | `process shop:orders.new:orders` | `CONSUMER` | [`process`](message::Delivery::process), [`start_process`](message::Delivery::start_process), the delegate, or a [batch](Consumer::process_batch) | its result |
//! | `get shop:orders.new:orders` | `CLIENT` | [`basic_get`](Channel::basic_get) that finds a message, or fails | its result |
//! | `ack …`, `nack …`, `reject …` | `CLIENT` | the method of [`Delivery`](message::Delivery), of its [`Acker`] or of the [`Channel`] | the settlement is written |
//! | `connect`, `recover` | `CLIENT` | [`connect`](Connection::connect), [`wait_for_recovery`](Channel::wait_for_recovery), [if so told](AmqpOptions::with_connection_spans) | its result |
//!
//! The span that publishes is the parent of the one that processes, unless there is one around it; a
//! link leads to it in any case. [`with_parenting`](AmqpOptions::with_parenting) decides otherwise.
//! Around a delegate there is never one. There is no span for waiting for a delivery.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `messaging.system.name` | required | `rabbitmq` |
//! | `messaging.operation.name`, `messaging.operation.type` | required | the verb of the span; `send`, `process`, `receive`, `settle` |
//! | `messaging.destination.name` | required | published: `exchange:routing_key`; else `exchange:routing_key:queue`. Empty parts are left out, the queue too where the routing key is its name; `amq.default` where nothing is left |
//! | `messaging.destination.template` | conditional | [`with_destination_template`](AmqpOptions::with_destination_template) |
//! | `messaging.destination.anonymous` | conditional | the broker named the queue (`amq.gen-…`), or it is a direct reply-to |
//! | `messaging.destination.temporary` | conditional | the same, or a queue declared on this connection as exclusive and deleted with its last consumer |
//! | `rabbitmq.destination.routing_key` | conditional | the routing key, if not empty; not on settlements |
//! | `rabbitmq.message.delivery_tag` | conditional | the delivery's number |
//! | `messaging.message.id`, `messaging.message.conversation_id` | recommended | the properties `message_id` and `correlation_id`; not on settlements |
//! | `messaging.batch.message_count` | conditional | messages of a batch, or deliveries that are settled at once |
//! | `messaging.client.id` | recommended | [`with_client_id`](AmqpOptions::with_client_id) |
//! | `server.address`, `server.port` | recommended | the URI, or [`with_server`](AmqpOptions::with_server) |
//! | `error.type` | conditional | see below |
//! | `messaging.message.body.size` | opt-in | [`with_body_sizes`](AmqpOptions::with_body_sizes) |
//! | `messaging.header.<name>` | opt-in, ours | [`with_captured_headers`](AmqpOptions::with_captured_headers) |
//! | `otelware.rabbitmq.redelivered` | ours | the message was delivered before |
//! | `otelware.rabbitmq.delivery_count` | ours | how often, as quorum queues count it |
//! | `otelware.rabbitmq.dead_letter.count`, `.reason`, `.queue` | ours | `x-death`: how often in all; why and from where last |
//! | `otelware.rabbitmq.multiple` | ours | a settlement of all deliveries up to its own |
//! | `otelware.rabbitmq.requeue` | ours | where a refused message goes: back, or to the dead letters |
//! | `otelware.rabbitmq.unacknowledged_time` | ours | seconds to the settlement, where those are more than the [time](AmqpOptions::with_ack_timeout) it has |
//! | `otelware.messaging.unlinked_messages` | ours | messages of a batch for which there was no room among the 128 links |
//!
//! Names of anonymous and temporary destinations are kept out of the names of spans and off metrics.
//! A link of a batch has what only its message has: routing key, id, delivery tag.
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `messaging.client.operation.duration` | `s` | recommended | operation, type, destination, server, `error.type`: all but processing |
//! | `messaging.process.duration` | `s` | recommended | the same but the type |
//! | `messaging.client.sent.messages` | `{message}` | recommended | the same |
//! | `messaging.client.consumed.messages` | `{message}` | recommended | the same; operation `consume` or `get` |
//! | `otelware.rabbitmq.pending_confirms` | `{message}` | ours | server |
//! | `otelware.rabbitmq.unacknowledged_deliveries` | `{delivery}` | ours | server, `otelware.rabbitmq.queue` |
//! | `otelware.rabbitmq.unacknowledged_age` | `s` | ours | the same; of the oldest |
//! | `otelware.rabbitmq.overdue_deliveries` | `{delivery}` | ours | the same |
//! | `otelware.rabbitmq.redelivered_messages` | `{message}` | ours | the same |
//! | `otelware.rabbitmq.dead_lettered_messages` | `{message}` | ours | the same, and the reason |
//! | `otelware.rabbitmq.connections` | `{connection}` | ours | server, state: `connected`, `blocked` or `reconnecting` |
//! | `otelware.rabbitmq.connection_events` | `{event}` | ours | server, event, `error.type`; while somebody [listens](Connection::events_listener) |
//!
//! # How an operation ends
//!
//! | End | Status of the span | `error.type` |
//! |---|---|---|
//! | confirmed, written, settled, processed | unset | none |
//! | a confirm that says no | error | `basic.nack` |
//! | a mandatory message that comes back | error | `no_route` |
//! | the broker closes the channel or the connection | error | the name of its reply code: `not_found`, `access_refused`, `precondition_failed`, `connection_forced`, … |
//! | the channel or the connection is closed already | error | `channel_closed`, `connection_closed`, `channel_reconnecting`, … |
//! | the connection is lost | error | `connection_reset`, `missing_heartbeat`, … |
//! | processing returns `Err` | error | the type of the error |
//! | a delegate calls [`fail`](message::Delivery::fail) | error | what it says |
//! | processing panics | error | `panic` |
//! | processing is dropped | unset; see [`with_cancellation`](AmqpOptions::with_cancellation) | `cancelled` |
//! | a confirm is dropped; anything else is | unset | none |
//!
//! Bodies, headers and the texts of errors are not told unless options say so, and nothing of a URI
//! but its host and port ever is.
//!
//! # Deliveries that are never settled
//!
//! A delivery counts as unacknowledged from when it is handed over until it is settled, or its channel
//! is closed. Whenever metrics are collected, those that took more than a minute
//! ([or another time](AmqpOptions::with_ack_timeout)) are counted as overdue, and an event
//! `otelware.rabbitmq.delivery.overdue` tells of each, at most 32 of a channel at a time, within the
//! span that processed it. No task is needed for it, and no span is kept open. At most 65,536
//! deliveries of a channel are watched.
//!
//! # Headers
//!
//! The context is written as long strings, and read from long and short strings, byte arrays and arrays
//! of them. All other headers stay as they are. A context that is there already, in a message that is
//! sent on, is replaced and linked, or [kept](AmqpOptions::with_existing_context). lapin only lends the
//! table of headers: where a message has one and a context is written into it, it is copied.
//!
//! # What is not seen
//!
//! - Messages that come back without confirms: lapin keeps them for `wait_for_confirms`. With confirms,
//!   lapin hands a message that came back to whichever confirm is told next; where the broker confirms
//!   several at once that may be another's.
//! - Confirms that nobody takes: the span of a publisher that is dropped does not say what became of the
//!   message. One that is kept without being polled stays pending. Where lapin recovers the
//!   connection, it tells of a confirm that was lost with it only when the connection is back.
//! - What lapin has fetched ahead and not handed over: the broker counts it as unacknowledged too.
//! - Deliveries settled by lapin's own [`Acker`](lapin::Acker), after `into_inner`.
//! - Declarations, bindings and transactions: they make no spans.
//!
//! # What lapin logs
//!
//! lapin emits `tracing` events of its own. The one of a message that comes back, of level `WARN` and
//! target `lapin::returned_messages`, shows its body and headers, as those of level `TRACE` do. The `tracing` layers of
//! [`otelware::Telemetry`] never export them; for the console, and other layers, leave them out, as by
//! `RUST_LOG=info,lapin::returned_messages=off`.
//!
//! # Features
//!
//! lapin's runtime and TLS are chosen with lapin itself: its defaults, or `tokio`, `rustls` and so on.

mod acker;
mod batch;
mod carrier;
mod channel;
mod confirm;
mod connection;
mod consumer;
mod core;
mod death;
mod delegate;
mod delivery;
mod destination;
mod error;
pub mod message;
mod settings;
mod settle;
mod source;
mod state;
mod temporary;
mod unacknowledged;
mod watcher;

pub use acker::Acker;
pub use carrier::{HeaderExtractor, HeaderInjector};
pub use channel::Channel;
pub use confirm::PublisherConfirm;
pub use connection::{
    Connect, Connection, ConnectionBuilder, DefaultConnectionBuilder, Instrument,
};
pub use consumer::Consumer;
pub use delegate::ConsumerDelegate;
pub use otelware;
pub use otelware::messaging::Processing;
pub use settings::AmqpOptions;

// All else that programs name of lapin, so that `otelware_lapin` can stand where `lapin` stood.
pub use lapin::{
    AsyncTcpStream, BasicProperties, ChannelQos, ChannelState, ChannelStatus, Configuration,
    Confirmation, ConnectionProperties, ConnectionState, ConnectionStatus, Error, ErrorKind, Event,
    ExchangeKind, Queue, Result, auth, options, protocol, runtime, tcp, types, uri,
};
