//! Classes of lapin's errors.

use lapin::message::BasicReturnMessage;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{ChannelState, ConnectionState, Error, ErrorKind};
use otelware::operation::ErrorType;
use otelware::semconv::value;

/// A confirm that says no.
pub(crate) const NACK: &str = "basic.nack";
/// What was to be done on a channel that is no more.
pub(crate) const CHANNEL_CLOSED: &str = "channel_closed";

/// The class of an error: the name of the broker's reply code, or what went wrong before it could
/// reply.
pub(crate) fn class(error: &Error) -> ErrorType {
    match error.kind() {
        ErrorKind::ProtocolError(error) => reply(error.kind()),
        ErrorKind::IOError(error) => return otelware::operation::io_error_type(error.kind()),
        ErrorKind::InvalidChannelState(state, _) => match state {
            ChannelState::Reconnecting => "channel_reconnecting",
            ChannelState::Initial => "channel_not_open",
            _ => CHANNEL_CLOSED,
        },
        ErrorKind::InvalidConnectionState(state) => match state {
            ConnectionState::Reconnecting => "connection_reconnecting",
            ConnectionState::Initial | ConnectionState::Connecting => "connection_not_open",
            _ => "connection_closed",
        },
        ErrorKind::ChannelsLimitReached => "channels_limit_reached",
        ErrorKind::InvalidProtocolVersion(_) => "invalid_protocol_version",
        ErrorKind::InvalidChannel(_) => "invalid_channel",
        ErrorKind::RuntimeShutdownError(_) => "runtime_shutdown",
        ErrorKind::ParsingError(_) => "parsing_error",
        ErrorKind::SerialisationError(_) => "serialisation_error",
        ErrorKind::AuthProviderError(_) => "authentication_error",
        ErrorKind::NoDefaultRuntime => "no_runtime",
        ErrorKind::MissingHeartbeatError => "missing_heartbeat",
        _ => value::OTHER,
    }
    .into()
}

/// Why a message came back that could not be routed.
pub(crate) fn returned(message: &BasicReturnMessage) -> ErrorType {
    match message.error() {
        Some(error) => reply(error.kind()).into(),
        None => value::OTHER.into(),
    }
}

/// The name of a reply code of AMQP 0-9-1.
const fn reply(kind: &AMQPErrorKind) -> &'static str {
    match kind {
        AMQPErrorKind::Soft(error) => match error {
            AMQPSoftError::CONTENTTOOLARGE => "content_too_large",
            AMQPSoftError::NOROUTE => "no_route",
            AMQPSoftError::NOCONSUMERS => "no_consumers",
            AMQPSoftError::ACCESSREFUSED => "access_refused",
            AMQPSoftError::NOTFOUND => "not_found",
            AMQPSoftError::RESOURCELOCKED => "resource_locked",
            AMQPSoftError::PRECONDITIONFAILED => "precondition_failed",
        },
        AMQPErrorKind::Hard(error) => match error {
            AMQPHardError::CONNECTIONFORCED => "connection_forced",
            AMQPHardError::INVALIDPATH => "invalid_path",
            AMQPHardError::FRAMEERROR => "frame_error",
            AMQPHardError::SYNTAXERROR => "syntax_error",
            AMQPHardError::COMMANDINVALID => "command_invalid",
            AMQPHardError::CHANNELERROR => "channel_error",
            AMQPHardError::UNEXPECTEDFRAME => "unexpected_frame",
            AMQPHardError::RESOURCEERROR => "resource_error",
            AMQPHardError::NOTALLOWED => "not_allowed",
            AMQPHardError::NOTIMPLEMENTED => "not_implemented",
            AMQPHardError::INTERNALERROR => "internal_error",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::AMQPError;

    #[test]
    fn errors_have_names() {
        let protocol = |id| ErrorKind::ProtocolError(AMQPError::from_id(id, "".into()).unwrap());
        for (kind, name) in [
            (protocol(404), "not_found"),
            (protocol(403), "access_refused"),
            (protocol(406), "precondition_failed"),
            (protocol(320), "connection_forced"),
            (protocol(504), "channel_error"),
            (
                ErrorKind::InvalidChannelState(ChannelState::Error, "basic.publish"),
                "channel_closed",
            ),
            (
                ErrorKind::InvalidConnectionState(ConnectionState::Reconnecting),
                "connection_reconnecting",
            ),
            (ErrorKind::MissingHeartbeatError, "missing_heartbeat"),
        ] {
            assert_eq!(class(&kind.into()).as_str(), name);
        }
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(class(&refused.into()).as_str(), "connection_refused");
    }
}
