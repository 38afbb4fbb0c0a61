//! Subscriptions of a connection that is there for them only.

use super::subscriber::Subscriber;
use crate::call;
use crate::command;
use crate::consumer_options::ConsumerOptions;
use crate::core::Session;
use futures_core::Stream;
use redis::{Cmd, FromRedisValue, Msg, RedisResult, ToRedisArgs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A connection for subscriptions, observed. It takes the place of [`redis::aio::PubSub`], and is had
/// of [`Client::get_async_pubsub`](crate::Client).
pub struct PubSub {
    inner: redis::aio::PubSub,
    commands: Commands,
    subscriber: Subscriber,
}

/// The part of a [`PubSub`] that subscribes, observed. It takes the place of
/// [`redis::aio::PubSubSink`]. Clones share the connection.
#[derive(Clone)]
pub struct PubSubSink {
    inner: redis::aio::PubSubSink,
    commands: Commands,
}

/// The part of a [`PubSub`] that messages come out of, each of them counted. It takes the place of
/// [`redis::aio::PubSubStream`].
pub struct PubSubStream {
    inner: redis::aio::PubSubStream,
    subscriber: Subscriber,
}

/// What commands are observed by.
#[derive(Clone)]
struct Commands {
    session: Arc<Session>,
    database: Option<i64>,
}

impl Commands {
    async fn observed<T>(
        &self,
        shown: Cmd,
        run: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        let Self { session, database } = self;
        let mut operation = call::begin(session, *database, || command::arguments(&shown));
        let done = operation.within(run).await;
        call::end(operation, session, &done);
        done
    }
}

/// The commands that both a [`PubSub`] and its sink have.
macro_rules! commands {
    ($type:literal: $($method:ident $command:literal),*) => {
        $(
            #[doc = concat!("As [`redis::aio::", $type, "::", stringify!($method), "`], observed as `", $command, "`.")]
            ///
            /// # Errors
            ///
            #[doc = concat!("Those of [`redis::aio::", $type, "::", stringify!($method), "`].")]
            pub async fn $method(&mut self, channel: impl ToRedisArgs) -> RedisResult<()> {
                let mut shown = redis::cmd($command);
                shown.arg(&channel);
                self.commands.observed(shown, self.inner.$method(channel)).await
            }
        )*

        #[doc = concat!("As [`redis::aio::", $type, "::ping`], observed as `PING`.")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`redis::aio::", $type, "::ping`].")]
        pub async fn ping<T: FromRedisValue>(&mut self) -> RedisResult<T> {
            self.commands.observed(redis::cmd("PING"), self.inner.ping()).await
        }

        #[doc = concat!("As [`redis::aio::", $type, "::ping_message`], observed as `PING`.")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`redis::aio::", $type, "::ping_message`].")]
        pub async fn ping_message<T: FromRedisValue>(
            &mut self,
            message: impl ToRedisArgs,
        ) -> RedisResult<T> {
            let mut shown = redis::cmd("PING");
            shown.arg(&message);
            self.commands.observed(shown, self.inner.ping_message(message)).await
        }
    };
}

impl PubSub {
    pub(crate) fn new(
        inner: redis::aio::PubSub,
        session: Arc<Session>,
        database: Option<i64>,
        options: ConsumerOptions,
    ) -> Self {
        Self {
            inner,
            commands: Commands { session, database },
            subscriber: options.subscriber(),
        }
    }

    /// What its messages are processed by; it has the providers of the client.
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber.clone()
    }

    /// Its messages are processed, and counted, by this one from now on.
    pub fn set_subscriber(&mut self, subscriber: Subscriber) {
        self.subscriber = subscriber;
    }

    /// redis-rs' own; what is done with it is not observed.
    pub const fn get_mut(&mut self) -> &mut redis::aio::PubSub {
        &mut self.inner
    }

    /// redis-rs' own, observed no longer.
    pub fn into_inner(self) -> redis::aio::PubSub {
        self.inner
    }

    commands! { "PubSub":
        subscribe "SUBSCRIBE",
        unsubscribe "UNSUBSCRIBE",
        psubscribe "PSUBSCRIBE",
        punsubscribe "PUNSUBSCRIBE"
    }

    /// As [`redis::aio::PubSub::on_message`]. Each message is counted.
    pub fn on_message(&mut self) -> impl Stream<Item = Msg> + '_ {
        Counted {
            messages: self.inner.on_message(),
            subscriber: &self.subscriber,
        }
    }

    /// As [`redis::aio::PubSub::into_on_message`]. Each message is counted.
    pub fn into_on_message(self) -> PubSubStream {
        PubSubStream {
            inner: self.inner.into_on_message(),
            subscriber: self.subscriber,
        }
    }

    /// As [`redis::aio::PubSub::split`].
    pub fn split(self) -> (PubSubSink, PubSubStream) {
        let (sink, stream) = self.inner.split();
        let sink = PubSubSink {
            inner: sink,
            commands: self.commands,
        };
        let stream = PubSubStream {
            inner: stream,
            subscriber: self.subscriber,
        };
        (sink, stream)
    }
}

impl PubSubSink {
    commands! { "PubSubSink":
        subscribe "SUBSCRIBE",
        unsubscribe "UNSUBSCRIBE",
        psubscribe "PSUBSCRIBE",
        punsubscribe "PUNSUBSCRIBE"
    }
}

impl PubSubStream {
    /// What its messages are processed by.
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber.clone()
    }
}

impl Stream for PubSubStream {
    type Item = Msg;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Msg>> {
        let Self { inner, subscriber } = self.get_mut();
        poll_counted(inner, subscriber, cx)
    }
}

struct Counted<'a, S> {
    messages: S,
    subscriber: &'a Subscriber,
}

impl<S: Stream<Item = Msg> + Unpin> Stream for Counted<'_, S> {
    type Item = Msg;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Msg>> {
        let Self {
            messages,
            subscriber,
        } = self.get_mut();
        poll_counted(messages, subscriber, cx)
    }
}

fn poll_counted(
    messages: &mut (impl Stream<Item = Msg> + Unpin),
    subscriber: &Subscriber,
    cx: &mut Context<'_>,
) -> Poll<Option<Msg>> {
    let polled = Pin::new(messages).poll_next(cx);
    if let Poll::Ready(Some(message)) = &polled {
        subscriber.received(message);
    }
    polled
}

macro_rules! debug {
    ($($type:ident),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(PubSub, PubSubSink, PubSubStream);
