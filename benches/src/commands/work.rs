//! The commands, again and again, whatever observes them.

use opentelemetry::ContextGuard;
use redis::{RedisError, Value};
use tokio::runtime::{Builder, Runtime};

use crate::Error;
use crate::around::Around;
use crate::commands::{BATCH, Connection, Size, VALUE, get, set_ten};
use crate::telemetry::{Counts, Telemetry, callers_context};
use crate::work::Work;

/// Commands through one connection, in a trace that has begun elsewhere.
pub(crate) struct Commands<C, A> {
    connection: C,
    around: A,
    size: Size,
    telemetry: Telemetry,
    expected: Counts,
    _caller: ContextGuard,
    // Dropped behind the connection, which may have a task on it.
    runtime: Runtime,
}

impl<C, A> Commands<C, A> {
    /// Opens a connection and has it observed.
    pub(crate) fn new(
        size: Size,
        telemetry: Telemetry,
        expected: Counts,
        open: impl AsyncFnOnce(&Telemetry) -> Result<(C, A), Error>,
    ) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (connection, around) = runtime.block_on(open(&telemetry))?;
        Ok(Self {
            connection,
            around,
            size,
            telemetry,
            expected,
            _caller: callers_context().attach(),
            runtime,
        })
    }
}

impl<C: Connection, A: Around<RedisError>> Work for Commands<C, A> {
    fn once(&mut self) -> bool {
        let Self {
            connection, around, ..
        } = self;
        match self.size {
            Size::Command => {
                let command = get();
                let sent = around.around(connection.command(&command));
                let reply = self.runtime.block_on(sent);
                matches!(reply, Ok(Value::BulkString(value)) if value == VALUE.as_bytes())
            }
            Size::Pipeline => {
                let pipeline = set_ten();
                let sent = around.around(connection.pipeline(&pipeline));
                let replies = self.runtime.block_on(sent);
                replies.is_ok_and(|replies| replies == [const { Value::Okay }; BATCH])
            }
        }
    }

    fn settle(&self) -> Result<(), Error> {
        self.telemetry.flush()
    }

    fn verify(&self, operations: u64) -> Result<(), Error> {
        self.telemetry.verify(self.expected.times(operations))
    }
}
