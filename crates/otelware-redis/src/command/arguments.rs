//! The arguments of a command that redis-rs holds.

use redis::{Arg, Cmd};

/// The command's arguments, its name first.
///
/// A place for a cursor, which is filled in when the command is sent, is told as `0`.
#[inline]
pub fn arguments(command: &Cmd) -> impl ExactSizeIterator<Item = &[u8]> {
    command.args_iter().map(|argument| match argument {
        Arg::Simple(bytes) => bytes,
        // Also what a later version of redis-rs may add.
        _ => b"0",
    })
}
