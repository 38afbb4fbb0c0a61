//! Classes of input/output errors.

use super::ErrorType;
use crate::semconv::value;
use std::io::ErrorKind;

/// The class of an input/output error of this kind.
pub fn io_error_type(kind: ErrorKind) -> ErrorType {
    match kind {
        ErrorKind::AddrNotAvailable => "address_not_available",
        ErrorKind::BrokenPipe => "broken_pipe",
        ErrorKind::ConnectionAborted => "connection_aborted",
        ErrorKind::ConnectionRefused => "connection_refused",
        ErrorKind::ConnectionReset => "connection_reset",
        ErrorKind::HostUnreachable => "host_unreachable",
        ErrorKind::InvalidData => "invalid_data",
        ErrorKind::NetworkUnreachable => "network_unreachable",
        ErrorKind::NotConnected => "not_connected",
        ErrorKind::TimedOut => value::TIMEOUT,
        ErrorKind::UnexpectedEof => "unexpected_eof",
        _ => "io_error",
    }
    .into()
}
