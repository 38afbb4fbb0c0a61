//! Classes of sqlx's errors.

use otelware::database::Failure;
use otelware::operation::ErrorType;
use otelware::semconv::value;
use sqlx::Error;
use sqlx::error::DatabaseError;

fn code_of(error: &dyn DatabaseError) -> Option<String> {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Some(error.number().to_string());
    }
    error.code().map(|code| code.into_owned())
}

/// How an operation failed: with the code that the server gave its error, which is the SQLSTATE
/// (PostgreSQL), the error's number (MySQL, MariaDB) or the extended result code (SQLite), or with a
/// class.
pub(crate) fn failure(error: &Error) -> Failure {
    let code = match error {
        Error::Database(error) => code_of(&**error),
        _ => None,
    };
    match code {
        Some(code) => Failure::of_code(code),
        None => Failure::of_class(class(error)),
    }
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
