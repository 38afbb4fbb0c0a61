//! Classes of sqlx's errors.

use otelware::operation::ErrorType;
use otelware::semconv::value;
use sqlx::Error;
use sqlx::error::DatabaseError;

/// The code that the server gave its error: SQLSTATE (PostgreSQL), the error's number (MySQL,
/// MariaDB), the extended result code (SQLite).
pub(crate) fn status_code(error: &Error) -> Option<String> {
    match error {
        Error::Database(error) => code_of(&**error),
        _ => None,
    }
}

fn code_of(error: &dyn DatabaseError) -> Option<String> {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Some(error.number().to_string());
    }
    error.code().map(|code| code.into_owned())
}

/// `error.type` of an error whose code, if it has one, is `status_code`.
pub(crate) fn error_type(error: &Error, status_code: Option<String>) -> ErrorType {
    status_code.map_or_else(|| class(error), ErrorType::from)
}

/// The class of an error that the server gave no code.
fn class(error: &Error) -> ErrorType {
    match error {
        Error::Io(error) => return otelware::operation::io_error_type(error.kind()),
        Error::Configuration(_) => "configuration",
        Error::InvalidArgument(_) => "invalid_argument",
        Error::Tls(_) => "tls_error",
        Error::Protocol(_) => "protocol_error",
        Error::RowNotFound => "row_not_found",
        Error::TypeNotFound { .. } => "type_not_found",
        Error::ColumnIndexOutOfBounds { .. } | Error::ColumnNotFound(_) => "column_not_found",
        Error::ColumnDecode { .. } | Error::Decode(_) => "decode_error",
        Error::Encode(_) => "encode_error",
        Error::PoolTimedOut => "pool_timed_out",
        Error::PoolClosed => "pool_closed",
        Error::WorkerCrashed => "worker_crashed",
        Error::BeginFailed => "begin_failed",
        _ => value::OTHER,
    }
    .into()
}
