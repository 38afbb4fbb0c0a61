//! Classes of errors.

use otelware::database::Failure;
use otelware::operation::{ErrorType, io_error_type};
use otelware::semconv::value;
use redis::{ErrorKind, RedisError, ServerError};
use std::error::Error;
use std::io;
use std::sync::Arc;

/// No code is longer, in bytes.
const LONGEST: usize = 32;

/// How an operation failed: with the code that the server's error began with, or with a class.
pub(crate) fn failure(error: &RedisError) -> Failure {
    if let Some(code) = error.code() {
        return of_code(code);
    }
    // Of several commands, the first that failed.
    match error.clone().into_server_errors().as_deref() {
        Some([(_, first), ..]) => server_failure(first),
        _ => Failure::of_class(class(error)),
    }
}

/// How a command of a batch failed.
pub(crate) fn server_failure(error: &ServerError) -> Failure {
    of_code(error.code())
}

/// The code, if it is one: a script can answer with any text as an error.
fn of_code(code: &str) -> Failure {
    let is_code = code.len() <= LONGEST
        && code.starts_with(|first: char| first.is_ascii_uppercase())
        && (code.bytes())
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    match is_code {
        true => Failure::of_code(code.to_owned()),
        false => Failure::of_class(value::OTHER),
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

    #[test]
    fn a_code_is_what_looks_like_one() {
        let long = "X".repeat(33);
        for (given, told) in [
            ("WRONGTYPE", "WRONGTYPE"),
            ("WRONGPASS", "WRONGPASS"),
            ("UNKILLABLE_2", "UNKILLABLE_2"),
            ("wrongtype", "_OTHER"),
            ("", "_OTHER"),
            ("4711", "_OTHER"),
            ("USER:4711", "_OTHER"),
            (&long, "_OTHER"),
        ] {
            let class = failure(&make_extension_error(given.to_owned(), None)).into_class();
            assert_eq!(class.as_str(), told, "{given}");
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
