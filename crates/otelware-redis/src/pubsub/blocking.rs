//! Subscriptions of connections that block the thread.

use super::subscriber::Subscriber;
use crate::call;
use crate::command;
use crate::consumer_options::ConsumerOptions;
use crate::core::Session;
use redis::{Cmd, FromRedisValue, Msg, RedisResult, ToRedisArgs};
use std::sync::Arc;
use std::time::Duration;

/// The subscriptions of a connection that blocks the thread, observed. It takes the place of
/// [`redis::PubSub`], and is had of [`Connection::as_pubsub`](crate::Connection).
pub struct PubSub<'a> {
    inner: redis::PubSub<'a>,
    session: Arc<Session>,
    database: Option<i64>,
    subscriber: Subscriber,
}

macro_rules! commands {
    ($($method:ident: $command:literal),*) => {$(
        #[doc = concat!("As [`redis::PubSub::", stringify!($method), "`], observed as `", $command, "`.")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of [`redis::PubSub::", stringify!($method), "`].")]
        pub fn $method<T: ToRedisArgs>(&mut self, channel: T) -> RedisResult<()> {
            let mut shown = redis::cmd($command);
            shown.arg(&channel);
            self.observed(&shown, |inner| inner.$method(channel))
        }
    )*};
}

impl<'a> PubSub<'a> {
    pub(crate) fn new(
        inner: redis::PubSub<'a>,
        session: Arc<Session>,
        database: Option<i64>,
        options: ConsumerOptions,
    ) -> Self {
        Self {
            inner,
            session,
            database,
            subscriber: options.subscriber(),
        }
    }

    /// What its messages are processed by; it has the providers of the connection.
    pub fn subscriber(&self) -> Subscriber {
        self.subscriber.clone()
    }

    /// Its messages are processed, and counted, by this one from now on.
    pub fn set_subscriber(&mut self, subscriber: Subscriber) {
        self.subscriber = subscriber;
    }

    /// redis-rs' own; what is done with it is not observed.
    pub const fn get_mut(&mut self) -> &mut redis::PubSub<'a> {
        &mut self.inner
    }

    /// redis-rs' own, observed no longer.
    pub fn into_inner(self) -> redis::PubSub<'a> {
        self.inner
    }

    commands! {
        subscribe: "SUBSCRIBE",
        psubscribe: "PSUBSCRIBE",
        unsubscribe: "UNSUBSCRIBE",
        punsubscribe: "PUNSUBSCRIBE"
    }

    /// As [`redis::PubSub::ping`], observed as `PING`.
    ///
    /// # Errors
    ///
    /// Those of [`redis::PubSub::ping`].
    pub fn ping<T: FromRedisValue>(&mut self) -> RedisResult<T> {
        self.observed(&redis::cmd("PING"), redis::PubSub::ping)
    }

    /// As [`redis::PubSub::ping_message`], observed as `PING`.
    ///
    /// # Errors
    ///
    /// Those of [`redis::PubSub::ping_message`].
    pub fn ping_message<T: FromRedisValue>(&mut self, message: impl ToRedisArgs) -> RedisResult<T> {
        let mut shown = redis::cmd("PING");
        shown.arg(&message);
        self.observed(&shown, |inner| inner.ping_message(message))
    }

    /// As [`redis::PubSub::get_message`]. The message is counted; the wait for it has no span.
    ///
    /// # Errors
    ///
    /// Those of [`redis::PubSub::get_message`].
    pub fn get_message(&mut self) -> RedisResult<Msg> {
        let message = self.inner.get_message()?;
        self.subscriber.received(&message);
        Ok(message)
    }

    /// As [`redis::PubSub::set_read_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::PubSub::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_read_timeout(timeout)
    }

    fn observed<T>(
        &mut self,
        shown: &Cmd,
        run: impl FnOnce(&mut redis::PubSub<'a>) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut operation = call::begin(&self.session, self.database, || command::arguments(shown));
        let done = {
            let _entered = operation.enter();
            run(&mut self.inner)
        };
        call::end(operation, &self.session, &done);
        done
    }
}

impl std::fmt::Debug for PubSub<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PubSub").finish_non_exhaustive()
    }
}
