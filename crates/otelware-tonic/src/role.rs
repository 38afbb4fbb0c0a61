//! What differs between the two sides of a call.

use crate::code;
use otelware::opentelemetry::logs::Severity;
use otelware::operation::Exception;
use otelware::semconv::{event, metric};
use tonic::Code;

/// The side of a call that is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

impl Role {
    /// Whether a call that ended with this code has failed.
    pub(crate) const fn is_error(self, code: Code) -> bool {
        match self {
            Self::Client => !matches!(code, Code::Ok),
            Self::Server => code::is_server_error(code),
        }
    }

    /// The event that tells of an exception.
    pub(crate) const fn exception(self) -> Exception {
        match self {
            Self::Client => Exception {
                name: event::RPC_CLIENT_CALL_EXCEPTION,
                severity: Severity::Warn,
            },
            Self::Server => Exception {
                name: event::RPC_SERVER_CALL_EXCEPTION,
                severity: Severity::Error,
            },
        }
    }

    /// The duration's name and description.
    pub(crate) const fn duration(self) -> (&'static str, &'static str) {
        match self {
            Self::Client => (
                metric::RPC_CLIENT_CALL_DURATION,
                "Measures the duration of an outgoing Remote Procedure Call (RPC).",
            ),
            Self::Server => (
                metric::RPC_SERVER_CALL_DURATION,
                "Measures the duration of an incoming Remote Procedure Call (RPC).",
            ),
        }
    }

    pub(crate) const fn active_calls(self) -> &'static str {
        match self {
            Self::Client => metric::RPC_CLIENT_ACTIVE_CALLS,
            Self::Server => metric::RPC_SERVER_ACTIVE_CALLS,
        }
    }

    /// The names of what is counted: messages of the request and of the response, and their bytes.
    pub(crate) const fn counts(self) -> [&'static str; 4] {
        match self {
            Self::Client => [
                metric::RPC_CLIENT_REQUEST_MESSAGES,
                metric::RPC_CLIENT_RESPONSE_MESSAGES,
                metric::RPC_CLIENT_REQUEST_SIZE,
                metric::RPC_CLIENT_RESPONSE_SIZE,
            ],
            Self::Server => [
                metric::RPC_SERVER_REQUEST_MESSAGES,
                metric::RPC_SERVER_RESPONSE_MESSAGES,
                metric::RPC_SERVER_REQUEST_SIZE,
                metric::RPC_SERVER_RESPONSE_SIZE,
            ],
        }
    }
}
