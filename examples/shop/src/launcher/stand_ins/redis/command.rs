//! What is asked for, and what is answered.

use super::cache::Cache;
use redis::Value;
use std::time::{Duration, Instant};

/// The version of the protocol that a connection speaks.
#[derive(Clone, Copy, Default)]
pub(super) enum Version {
    #[default]
    Resp2,
    Resp3,
}

pub(super) enum Command {
    Ping(Option<Vec<u8>>),
    /// `HELLO`, with the version that is wanted.
    Hello(Option<Version>),
    /// What a client says of itself, or the only database there is: noted, and no more.
    Noted,
    Get(Vec<u8>),
    Set {
        key: Vec<u8>,
        value: Vec<u8>,
        expiry: Option<Duration>,
    },
    Delete(Vec<Vec<u8>>),
}

const SYNTAX: &str = "ERR syntax error";
const NOT_POSITIVE: &str = "ERR invalid expire time";

impl Command {
    /// Reads a request; the error is the answer to one that is not understood.
    pub(super) fn parse(request: Value) -> Result<Self, &'static str> {
        let mut words = words(request).ok_or("ERR Protocol error: expected an array of strings")?;
        let name = words.next().unwrap_or_default().to_ascii_uppercase();
        let mut word = || words.next().ok_or("ERR wrong number of arguments");
        let command = match name.as_slice() {
            b"PING" => Self::Ping(words.next()),
            b"HELLO" => Self::Hello(match words.next().as_deref() {
                None => None,
                Some(b"2") => Some(Version::Resp2),
                Some(b"3") => Some(Version::Resp3),
                Some(_) => return Err("NOPROTO unsupported protocol version"),
            }),
            b"CLIENT" => Self::Noted,
            b"SELECT" => match word()?.as_slice() {
                b"0" => Self::Noted,
                _ => return Err("ERR DB index is out of range"),
            },
            b"GET" => Self::Get(word()?),
            b"SET" => Self::Set {
                key: word()?,
                value: word()?,
                expiry: match words.next() {
                    None => None,
                    Some(unit) => {
                        let unit = Unit::named(&unit).ok_or(SYNTAX)?;
                        Some(unit.times(&words.next().ok_or(SYNTAX)?)?)
                    }
                },
            },
            b"SETEX" | b"PSETEX" => {
                let (key, amount) = (word()?, word()?);
                let unit = match name.first() {
                    Some(b'P') => Unit::Milliseconds,
                    _ => Unit::Seconds,
                };
                Self::Set {
                    key,
                    value: word()?,
                    expiry: Some(unit.times(&amount)?),
                }
            }
            b"DEL" | b"UNLINK" => {
                let mut keys = vec![word()?];
                keys.extend(words.by_ref());
                Self::Delete(keys)
            }
            _ => return Err("ERR unknown command: this is a stand-in for Redis"),
        };
        // Nothing is overlooked: an option that is not known changes what is meant.
        match (&command, words.next()) {
            (Self::Hello(_) | Self::Noted, _) | (_, None) => Ok(command),
            (_, Some(_)) => Err(SYNTAX),
        }
    }

    pub(super) fn run(self, cache: &mut Cache, now: Instant) -> Reply {
        match self {
            Self::Ping(None) => Reply::Status("PONG"),
            Self::Ping(Some(text)) => Reply::Text(text),
            Self::Hello(_) => Reply::Server,
            Self::Noted => Reply::Status("OK"),
            Self::Get(key) => match cache.get(&key, now) {
                Some(value) => Reply::Text(value.to_vec()),
                None => Reply::Nothing,
            },
            Self::Set { key, value, expiry } => {
                let expires = expiry.and_then(|expiry| now.checked_add(expiry));
                cache.set(key, value, expires, now);
                Reply::Status("OK")
            }
            Self::Delete(keys) => {
                let deleted = keys.iter().filter(|key| cache.delete(key, now)).count();
                Reply::Number(deleted)
            }
        }
    }
}

fn words(request: Value) -> Option<std::vec::IntoIter<Vec<u8>>> {
    let Value::Array(values) = request else {
        return None;
    };
    let words: Option<Vec<Vec<u8>>> = values
        .into_iter()
        .map(|value| match value {
            Value::BulkString(word) => Some(word),
            _ => None,
        })
        .collect();
    Some(words?.into_iter())
}

/// In which an expiry is given.
enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    fn named(name: &[u8]) -> Option<Self> {
        match name.to_ascii_uppercase().as_slice() {
            b"EX" => Some(Self::Seconds),
            b"PX" => Some(Self::Milliseconds),
            _ => None,
        }
    }

    fn times(&self, amount: &[u8]) -> Result<Duration, &'static str> {
        let amount = std::str::from_utf8(amount)
            .ok()
            .and_then(|text| text.parse().ok());
        match (self, amount) {
            (_, None) => Err("ERR value is not an integer or out of range"),
            (_, Some(0)) => Err(NOT_POSITIVE),
            (Self::Seconds, Some(amount)) => Ok(Duration::from_secs(amount)),
            (Self::Milliseconds, Some(amount)) => Ok(Duration::from_millis(amount)),
        }
    }
}

pub(super) enum Reply {
    Status(&'static str),
    Text(Vec<u8>),
    Number(usize),
    Nothing,
    /// What `HELLO` is answered with.
    Server,
    Error(&'static str),
}

impl Reply {
    /// The answer as it goes over the wire.
    pub(super) fn encode(self, version: Version) -> Vec<u8> {
        match self {
            Self::Status(text) => format!("+{text}\r\n").into_bytes(),
            Self::Error(text) => format!("-{text}\r\n").into_bytes(),
            Self::Number(number) => format!(":{number}\r\n").into_bytes(),
            Self::Text(text) => {
                let mut reply = format!("${}\r\n", text.len()).into_bytes();
                reply.extend(text);
                reply.extend(b"\r\n");
                reply
            }
            Self::Nothing => match version {
                Version::Resp2 => b"$-1\r\n".to_vec(),
                Version::Resp3 => b"_\r\n".to_vec(),
            },
            Self::Server => {
                let (head, number) = match version {
                    Version::Resp2 => ("*4", 2),
                    Version::Resp3 => ("%2", 3),
                };
                format!("{head}\r\n+server\r\n+redis\r\n+proto\r\n:{number}\r\n").into_bytes()
            }
        }
    }
}
