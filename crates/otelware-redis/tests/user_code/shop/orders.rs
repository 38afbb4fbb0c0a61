//! Orders: a script, and a stream.

use super::MultiplexedConnection;
use redis::{AsyncCommands, RedisResult, Script};
use std::sync::LazyLock;

static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('INCR', KEYS[2]); return {redis.call('DECR', KEYS[1]), redis.call('GET', KEYS[2])}",
    )
});

/// Takes a connection by the name of its type.
pub(super) async fn order(mut connection: MultiplexedConnection, of: u32) -> RedisResult<String> {
    let (left, number): (i64, String) = TAKE
        .key("pen:1:stock")
        .key("orders")
        .invoke_async(&mut connection)
        .await?;
    let _: String = connection
        .xadd("events", "*", &[("order", &number)])
        .await?;
    Ok(format!("order {number} of {of}, {left} left"))
}
