//! One command, or ten in a pipeline, through a connection to Redis.
//!
//! The program of the peer compiles this module too, beside its own version of redis-rs.

mod connection;
mod raw;
mod work;

use redis::{Cmd, Pipeline};

pub(crate) use connection::{Blocking, Connection};
pub(crate) use raw::Raw;
pub(crate) use work::Commands;

/// How many commands a pipeline has.
pub(crate) const BATCH: usize = 10;

/// The key that the command asks for.
pub(crate) const KEY: &str = "otelware:benches:order";

/// What it holds.
pub(crate) const VALUE: &str = "1 honey";

/// How much is sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// A `GET`.
    Command,
    /// Ten times `SET`, as a pipeline.
    Pipeline,
}

impl Size {
    pub(crate) const ALL: [Self; 2] = [Self::Command, Self::Pipeline];

    /// The keys of its commands.
    pub(crate) fn keys(self) -> Vec<String> {
        match self {
            Self::Command => vec![KEY.to_owned()],
            Self::Pipeline => (0..BATCH).map(key).collect(),
        }
    }

    /// The text of its commands, which have these keys, put together by one who knows what else there is: another text
    /// for other keys, but as long.
    #[inline]
    pub(crate) fn text(self, keys: &[String]) -> String {
        let mut text = String::with_capacity(match self {
            Self::Command => 4 + KEY.len(),
            Self::Pipeline => BATCH * 15 - 2,
        });
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                text.push_str("; ");
            }
            match self {
                Self::Command => text.push_str("GET "),
                Self::Pipeline => text.push_str("SET "),
            }
            text.push_str(key);
            if self == Self::Pipeline {
                text.push_str(" ?");
            }
        }
        text
    }
}

fn get() -> Cmd {
    let mut command = redis::cmd("GET");
    command.arg(KEY);
    command
}

fn set_ten() -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(BATCH);
    for index in 0..BATCH {
        pipeline.cmd("SET").arg(key(index)).arg(VALUE);
    }
    pipeline
}

fn key(index: usize) -> String {
    format!("order:{index}")
}
