//! A connection that has its answers by itself: what is measured is neither a server nor the task that talks to it.

use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};

use crate::commands::VALUE;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw;

fn reply() -> Value {
    Value::BulkString(VALUE.as_bytes().to_vec())
}

fn replies(count: usize) -> Vec<Value> {
    vec![Value::Okay; count]
}

impl redis::aio::ConnectionLike for Raw {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async { Ok(reply()) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move { Ok(replies(count)) })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

impl redis::ConnectionLike for Raw {
    fn req_packed_command(&mut self, _: &[u8]) -> RedisResult<Value> {
        Ok(reply())
    }

    fn req_packed_commands(&mut self, _: &[u8], _: usize, count: usize) -> RedisResult<Vec<Value>> {
        Ok(replies(count))
    }

    /// Like a connection of redis-rs, it packs the command.
    fn req_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.req_packed_command(&command.get_packed_command())
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}
