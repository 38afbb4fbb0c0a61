//! What connections that block the thread can do besides commands.

use crate::call;
use crate::client::Connection;
use crate::command;
use crate::consumer_options::ConsumerOptions;
use crate::instrumented::Instrumented;
use crate::pubsub::PubSub;
use redis::{Cmd, ConnectionLike, RedisResult, ToRedisArgs, Value};
use std::time::Duration;

macro_rules! subscriptions {
    ($($method:ident: $command:literal),*) => {$(
        #[doc = concat!("As `redis::Connection::", stringify!($method), "`, observed as `", $command, "`.")]
        ///
        /// # Errors
        ///
        #[doc = concat!("Those of `redis::Connection::", stringify!($method), "`.")]
        pub fn $method(&mut self, channel: impl ToRedisArgs) -> RedisResult<()> {
            let mut shown = redis::cmd($command);
            shown.arg(&channel);
            self.observed(&shown, |connection| connection.$method(channel))
        }
    )*};
}

impl Instrumented<redis::Connection> {
    /// As [`redis::Connection::send_packed_command`]. What is sent without waiting for a reply is
    /// not observed.
    ///
    /// # Errors
    ///
    /// Those of [`redis::Connection::send_packed_command`].
    pub fn send_packed_command(&mut self, cmd: &[u8]) -> RedisResult<()> {
        self.inner.send_packed_command(cmd)
    }

    /// As [`redis::Connection::recv_response`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Connection::recv_response`].
    pub fn recv_response(&mut self) -> RedisResult<Value> {
        self.inner.recv_response()
    }

    /// As [`redis::Connection::set_write_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Connection::set_write_timeout`].
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_write_timeout(timeout)
    }

    /// As [`redis::Connection::set_read_timeout`].
    ///
    /// # Errors
    ///
    /// Those of [`redis::Connection::set_read_timeout`].
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_read_timeout(timeout)
    }

    /// As [`redis::Connection::as_pubsub`].
    pub fn as_pubsub(&mut self) -> PubSub<'_> {
        let options = ConsumerOptions::of(self);
        let Self { inner, session } = self;
        let database = session.database(|| inner.get_db());
        PubSub::new(inner.as_pubsub(), session.clone(), database, options)
    }

    /// As [`redis::Connection::set_push_sender`].
    pub fn set_push_sender(&mut self, sender: std::sync::mpsc::Sender<redis::PushInfo>) {
        self.inner.set_push_sender(sender);
    }

    subscriptions! {
        subscribe_resp3: "SUBSCRIBE",
        psubscribe_resp3: "PSUBSCRIBE",
        unsubscribe_resp3: "UNSUBSCRIBE",
        punsubscribe_resp3: "PUNSUBSCRIBE"
    }

    fn observed(
        &mut self,
        shown: &Cmd,
        run: impl FnOnce(&mut redis::Connection) -> RedisResult<()>,
    ) -> RedisResult<()> {
        let Connection { inner, session } = self;
        let database = session.database(|| inner.get_db());
        let mut operation = call::begin(session, database, || command::arguments(shown));
        let done = {
            let _entered = operation.enter();
            run(inner)
        };
        call::end(operation, session, &done);
        done
    }
}
