//! Classes of errors.

use crate::options::RedisOptions;
use otelware::database::Failure;
use otelware::operation::{ErrorType, io_error_type};
use otelware::semconv::value;
use redis::{ErrorKind, RedisError, ServerError};
use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// What errors of Redis, its modules and Valkey begin with, of servers, of nodes of clusters and of
/// sentinels. `NOSUB` is redis-rs' own.
const CODES: [&str; 37] = [
    "ASK",
    "BUSY",
    "BUSYGROUP",
    "BUSYKEY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "DENIED",
    "ERR",
    "EXECABORT",
    "IDONTKNOW",
    "INPROG",
    "INVALIDOBJ",
    "IOERR",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOGOODSLAVE",
    "NOGROUP",
    "NOMASTERLINK",
    "NOPERM",
    "NOPROTO",
    "NOQUORUM",
    "NOREPLICAS",
    "NOSCRIPT",
    "NOSUB",
    "NOTBUSY",
    "OOM",
    "READONLY",
    "REDIRECT",
    "STALE",
    "TRYAGAIN",
    "UNBLOCKED",
    "UNKILLABLE",
    "WRONGPASS",
    "WRONGTYPE",
];

/// How what has no options failed, such as the opening of a connection.
pub(crate) fn failure(error: &RedisError) -> Failure {
    of_error(error, known)
}

/// How an operation failed: with the code that the server's error began with, or with a class.
pub(crate) fn failure_of_command(error: &RedisError, options: &RedisOptions) -> Failure {
    of_error(error, |code| known_or_told(code, options))
}

fn of_error(error: &RedisError, find: impl Fn(&str) -> Option<Cow<'static, str>>) -> Failure {
    if let Some(code) = error.code() {
        return of_code(find(code));
    }
    // Of several commands, the first that failed.
    match error.clone().into_server_errors().as_deref() {
        Some([(_, first), ..]) => of_code(find(first.code())),
        _ => Failure::of_class(class(error)),
    }
}

/// How a command failed that has an error as its reply.
pub(crate) fn server_failure(error: &ServerError, options: &RedisOptions) -> Failure {
    of_code(known_or_told(error.code(), options))
}

/// The code, if it is known: a script can answer with any text as an error.
fn known(code: &str) -> Option<Cow<'static, str>> {
    let place = CODES.binary_search(&code).ok()?;
    CODES.get(place).map(|code| Cow::Borrowed(*code))
}

fn known_or_told(code: &str, options: &RedisOptions) -> Option<Cow<'static, str>> {
    known(code).or_else(|| {
        let told = options.error_codes.get(code)?;
        Some(Cow::Owned(told.clone()))
    })
}

fn of_code(code: Option<Cow<'static, str>>) -> Failure {
    match code {
        Some(code) => Failure::of_code(code),
        None => Failure::of_class(value::OTHER),
    }
}

/// The class of an error that the server gave no code.
fn class(error: &RedisError) -> ErrorType {
    if error.is_timeout() {
        return value::TIMEOUT.into();
    }
    if error.is_connection_refusal() {
        return "connection_refused".into();
    }
    if error.is_connection_dropped() {
        return "connection_dropped".into();
    }
    match error.kind() {
        ErrorKind::Io => {
            let error = error.source().and_then(io_error);
            return error.map_or("io_error".into(), |error| io_error_type(error.kind()));
        }
        ErrorKind::AuthenticationFailed => "authentication_failed",
        ErrorKind::Client => "client_error",
        ErrorKind::ClusterConnectionNotFound => "cluster_connection_not_found",
        ErrorKind::EmptySentinelList => "no_sentinel",
        ErrorKind::InvalidClientConfig => "configuration",
        ErrorKind::MasterNameNotFoundBySentinel => "master_not_found",
        ErrorKind::NoValidReplicasFoundBySentinel => "replica_not_found",
        ErrorKind::Parse => "parse_error",
        ErrorKind::RESP3NotSupported => "resp3_not_supported",
        ErrorKind::UnexpectedReturnType => "unexpected_return_type",
        _ => value::OTHER,
    }
    .into()
}

/// The error of the operating system, which redis-rs shares.
fn io_error<'a>(source: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    match source.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => shared.downcast_ref(),
        None => source.downcast_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::make_extension_error;

    fn told(code: &str, options: &RedisOptions) -> String {
        let error = make_extension_error(code.to_owned(), None);
        let class = failure_of_command(&error, options).into_class();
        let server = ServerError::try_from(error).unwrap();
        assert_eq!(server_failure(&server, options).into_class(), class);
        class.as_str().to_owned()
    }

    #[test]
    fn codes_are_in_order_and_known() {
        assert!(CODES.is_sorted());
        let options = RedisOptions::new();
        for code in CODES {
            assert_eq!(told(code, &options), code);
            let error = make_extension_error(code.to_owned(), None);
            assert_eq!(failure(&error).into_class().as_str(), code);
        }
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let options = RedisOptions::new();
        for code in [
            "wrongtype",
            "",
            "4711",
            "USER:4711",
            "CARD4711",
            "ERRO",
            "ER",
        ] {
            assert_eq!(told(code, &options), "_OTHER", "{code}");
        }
        let options = options
            .with_error_codes(["OUT_OF_STOCK"])
            .with_error_codes(["late"]);
        for (code, expected) in [
            ("OUT_OF_STOCK", "OUT_OF_STOCK"),
            ("out_of_stock", "_OTHER"),
            ("late", "late"),
            ("WRONGTYPE", "WRONGTYPE"),
            ("CARD4711", "_OTHER"),
        ] {
            assert_eq!(told(code, &options), expected);
        }
    }

    #[test]
    fn what_has_no_code_has_a_class() {
        let io = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
        let other = |kind| RedisError::from((kind, "what the client says"));
        for (error, class) in [
            (io(io::ErrorKind::TimedOut), "timeout"),
            (io(io::ErrorKind::WouldBlock), "timeout"),
            (io(io::ErrorKind::ConnectionRefused), "connection_refused"),
            (io(io::ErrorKind::NotFound), "connection_refused"),
            (io(io::ErrorKind::UnexpectedEof), "connection_dropped"),
            (io(io::ErrorKind::HostUnreachable), "host_unreachable"),
            (other(ErrorKind::Io), "connection_dropped"),
            (
                other(ErrorKind::AuthenticationFailed),
                "authentication_failed",
            ),
            (other(ErrorKind::Parse), "parse_error"),
            (other(ErrorKind::Extension), "_OTHER"),
        ] {
            assert_eq!(failure(&error).into_class().as_str(), class);
        }
    }
}
