//! The ways to send commands.

use redis::{Cmd, Pipeline, RedisResult, Value};

/// Sends commands and waits for their replies.
pub(crate) trait Connection {
    async fn command(&mut self, command: &Cmd) -> RedisResult<Value>;

    async fn pipeline(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>>;
}

impl<C: redis::aio::ConnectionLike> Connection for C {
    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query_async(self).await
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        pipeline.query_async(self).await
    }
}

/// A connection that blocks the thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocking<C>(pub(crate) C);

impl<C: redis::ConnectionLike> Connection for Blocking<C> {
    async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query(&mut self.0)
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
        pipeline.query(&mut self.0)
    }
}
