//! What is observed: connections, and clients that open them.

use crate::batch::Batch;
use crate::call::{self, Call};
use crate::command;
use crate::core::{Core, Session};
use crate::options::RedisOptions;
use crate::replies;
use crate::server::Server;
use crate::streams::carry;
use otelware::operation::Operation;
use redis::{Cmd, RedisResult, Value};
use std::any::type_name;
use std::sync::Arc;

/// A connection whose commands are observed, or a client whose connections are. It takes the place
/// of the library's own, for which [`get_mut`](Self::get_mut) goes past the spans.
///
/// It is had of a client that was [instrumented](crate::Instrument), or by [`wrap`](Self::wrap) of
/// a connection that came from elsewhere. Clones share what is observed, as they share the
/// connection.
#[derive(Clone)]
pub struct Instrumented<C> {
    pub(crate) inner: C,
    pub(crate) session: Arc<Session>,
}

impl<C> Instrumented<C> {
    /// A connection to that server that was opened elsewhere, observed.
    ///
    /// ```
    /// # fn example(connection: redis::Connection) -> redis::RedisResult<()> {
    /// use otelware_redis::{Connection, Instrumented, RedisOptions};
    /// use redis::{Commands, IntoConnectionInfo};
    ///
    /// let info = "redis://cache/".into_connection_info()?;
    /// let mut connection: Connection =
    ///     Instrumented::wrap(connection, &info, RedisOptions::new());
    /// let _: () = connection.set("greeting", "hello")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap(connection: C, server: impl Into<Server>, options: RedisOptions) -> Self {
        Self::of(connection, Core::new(options, server.into()))
    }

    pub(crate) fn of(inner: C, core: Arc<Core>) -> Self {
        let session = Session::new(core, !is_client::<C>());
        Self { inner, session }
    }

    /// A client, whose connections are observed.
    pub(crate) fn of_client(inner: C, core: Arc<Core>) -> Self {
        let session = Session::new(core, false);
        Self { inner, session }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.session.core
    }

    /// The library's own.
    pub const fn get_ref(&self) -> &C {
        &self.inner
    }

    /// The library's own; what is done with it is not observed.
    pub const fn get_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// The library's own, observed no longer.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C: std::fmt::Debug> std::fmt::Debug for Instrumented<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Instrumented").field(&self.inner).finish()
    }
}

/// Whether it is a client of redis-rs, which is a connection too: to another one for each command.
/// A name tells that also of what is borrowed, and tells no more than that.
fn is_client<C>() -> bool {
    let name = type_name::<C>();
    name.trim_start_matches("&mut ") == type_name::<redis::Client>()
}

/// Ends a command with its reply.
#[inline]
pub(crate) fn end(session: &Session, mut operation: Operation<Call>, reply: &RedisResult<Value>) {
    match reply {
        Ok(reply) => {
            let replies = std::slice::from_ref(reply);
            call::replied(&mut operation, Some(replies));
            call::finish(operation, session, replies::failed(replies));
        }
        Err(error) => call::fail(operation, session, error),
    }
}

/// Ends several commands with their replies.
pub(crate) fn end_batch(
    session: &Session,
    mut operation: Operation<Call>,
    batch: Batch,
    replies: &RedisResult<Vec<Value>>,
) {
    match replies {
        Ok(replies) => {
            let each = match batch {
                Batch::Transaction => replies::of_transaction(replies),
                _ => Some(replies.as_slice()),
            };
            call::replied(&mut operation, each);
            let failed = replies::failed(each.unwrap_or(replies));
            call::finish(operation, session, failed);
        }
        Err(error) => call::fail(operation, session, error),
    }
}

#[cfg(feature = "aio")]
impl<C: redis::aio::ConnectionLike + Send> redis::aio::ConnectionLike for Instrumented<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> redis::RedisFuture<'a, Value> {
        let Self { inner, session } = self;
        Box::pin(async move {
            let database = session.database(|| inner.get_db());
            let mut operation = call::begin(session, database, || command::arguments(cmd));
            let carrying = carry::command(session, &operation, cmd);
            let sent = inner.req_packed_command(carrying.as_ref().unwrap_or(cmd));
            let reply = operation.within(sent).await;
            end(session, operation, &reply);
            reply
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> redis::RedisFuture<'a, Vec<Value>> {
        let Self { inner, session } = self;
        Box::pin(async move {
            let database = session.database(|| inner.get_db());
            let batch = batch_of(pipeline);
            let mut operation = begin_pipeline(session, database, pipeline);
            let carrying = carry::pipeline(session, &operation, pipeline);
            let carrying = carrying.as_ref().unwrap_or(pipeline);
            let sent = inner.req_packed_commands(carrying, offset, count);
            let replies = operation.within(sent).await;
            end_batch(session, operation, batch, &replies);
            replies
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

/// Begins a pipeline. The one place that asks for its commands, for redis-rs 2 to be told there.
#[cfg(feature = "aio")]
pub(crate) fn begin_pipeline(
    session: &Arc<Session>,
    database: Option<i64>,
    pipeline: &redis::Pipeline,
) -> Operation<Call> {
    call::begin_batch(session, database, batch_of(pipeline), || {
        pipeline.cmd_iter().map(command::arguments)
    })
}

#[cfg(feature = "aio")]
pub(crate) fn batch_of(pipeline: &redis::Pipeline) -> Batch {
    match pipeline.is_transaction() {
        true => Batch::Transaction,
        false => Batch::Pipeline,
    }
}

impl<C: redis::ConnectionLike> redis::ConnectionLike for Instrumented<C> {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let Self { inner, session } = self;
        let database = session.database(|| inner.get_db());
        let mut operation =
            call::begin_batch(session, database, Batch::Packed, || command::decode(cmd));
        let carrying = carry::packed(session, &operation, cmd);
        let reply = {
            let _entered = operation.enter();
            inner.req_packed_command(carrying.as_deref().unwrap_or(cmd))
        };
        end(session, operation, &reply);
        reply
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let Self { inner, session } = self;
        let database = session.database(|| inner.get_db());
        // A transaction has one reply that is wanted, after those to `MULTI` and to each command.
        let is_transaction = count == 1
            && (command::decode(cmd).next()).is_some_and(|mut first| {
                offset > 0 && first.next().is_some_and(|name| name == b"MULTI")
            });
        let (batch, around, commands) = match is_transaction {
            true => (Batch::Transaction, 1, offset - 1),
            false => (Batch::Pipeline, 0, usize::MAX),
        };
        let mut operation = call::begin_batch(session, database, batch, || {
            command::decode(cmd).skip(around).take(commands)
        });
        let carrying = carry::packed(session, &operation, cmd);
        let replies = {
            let _entered = operation.enter();
            inner.req_packed_commands(carrying.as_deref().unwrap_or(cmd), offset, count)
        };
        end_batch(session, operation, batch, &replies);
        replies
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let Self { inner, session } = self;
        let database = session.database(|| inner.get_db());
        let mut operation = call::begin(session, database, || command::arguments(cmd));
        let carrying = carry::command(session, &operation, cmd);
        let reply = {
            let _entered = operation.enter();
            inner.req_command(carrying.as_ref().unwrap_or(cmd))
        };
        end(session, operation, &reply);
        reply
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.inner.supports_pipelining()
    }

    /// As of the connection itself: its `PING` is not observed.
    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}
