//! Visits: commands that block, and plain ones.

use super::Connection;
use redis::{Commands, ConnectionLike, RedisResult};

pub(super) fn visits(connection: &mut Connection) -> RedisResult<u64> {
    connection.get("visits")
}

/// As an object of the trait, too.
pub(super) fn stocks(
    connection: &mut dyn ConnectionLike,
    pens: &[u32],
) -> RedisResult<Vec<Option<u64>>> {
    let mut command = redis::cmd("MGET");
    for pen in pens {
        command.arg(format!("pen:{pen}:stock"));
    }
    command.query(connection)
}

pub(super) fn count(connection: &mut impl Commands) -> RedisResult<()> {
    connection.incr("visits", 1)
}
