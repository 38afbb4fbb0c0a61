//! Status codes of gRPC.

use http::{HeaderMap, HeaderName, StatusCode};
use std::error::Error;
use tonic::Code;

/// The header of a response, or its trailer, that says how the call ended.
static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The name of a code, as gRPC's documentation has it ("Status codes and their use in gRPC").
pub(crate) const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The code in trailers, or in the headers of a response that has nothing else.
#[inline]
pub(crate) fn in_headers(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(&GRPC_STATUS)
        .map(|status| Code::from_bytes(status.as_bytes()))
}

/// The code that a client makes of a response without one ("HTTP to gRPC Status Code Mapping").
pub(crate) const fn of_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// Whether the code stands for an error of the server ("Semantic conventions for gRPC").
pub(crate) const fn is_server_error(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The code that tonic makes of an error, except that one whose time ran out exceeded its
/// deadline; tonic says `CANCELLED` of it. `None` where the error says nothing.
pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Option<Code> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(status) = error.downcast_ref::<tonic::Status>() {
            return Some(status.code());
        }
        if error.is::<tonic::TimeoutExpired>() {
            return Some(Code::DeadlineExceeded);
        }
        if error.is::<tonic::ConnectError>() {
            return Some(Code::Unavailable);
        }
        #[cfg(any(feature = "server", feature = "channel"))]
        if let Some(code) = of_transport(error) {
            return Some(code);
        }
        next = error.source();
    }
    None
}

/// The code of an error of tower, hyper or h2.
#[cfg(any(feature = "server", feature = "channel"))]
fn of_transport(error: &(dyn Error + 'static)) -> Option<Code> {
    if error.is::<tower::load_shed::error::Overloaded>() {
        return Some(Code::ResourceExhausted);
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        if error.is_timeout() {
            // From the keep-alive of the connection.
            return Some(Code::Unavailable);
        }
        if error.is_canceled() {
            return Some(Code::Cancelled);
        }
    }
    let reason = error.downcast_ref::<h2::Error>()?.reason();
    // gRPC over HTTP/2, "Errors".
    Some(match reason {
        Some(
            h2::Reason::NO_ERROR
            | h2::Reason::PROTOCOL_ERROR
            | h2::Reason::INTERNAL_ERROR
            | h2::Reason::FLOW_CONTROL_ERROR
            | h2::Reason::SETTINGS_TIMEOUT
            | h2::Reason::FRAME_SIZE_ERROR
            | h2::Reason::COMPRESSION_ERROR
            | h2::Reason::CONNECT_ERROR,
        ) => Code::Internal,
        Some(h2::Reason::REFUSED_STREAM) => Code::Unavailable,
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        _ => Code::Unknown,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// All codes, in the order of their numbers.
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];

    fn header(value: &str) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(GRPC_STATUS.clone(), value.parse().unwrap())]);
        in_headers(&headers).map(name)
    }

    #[test]
    fn codes_are_read_from_headers() {
        for (number, name) in NAMES.into_iter().enumerate() {
            assert_eq!(header(&number.to_string()), Some(name));
        }
        for odd in ["17", "-1", "", "x", "00"] {
            assert_eq!(header(odd), Some("UNKNOWN"), "{odd:?}");
        }
        assert_eq!(in_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn six_codes_are_errors_of_the_server() {
        let errors: Vec<_> = (0..17)
            .map(Code::from_i32)
            .filter(|code| is_server_error(*code))
            .map(name)
            .collect();
        assert_eq!(
            errors,
            [
                "UNKNOWN",
                "DEADLINE_EXCEEDED",
                "UNIMPLEMENTED",
                "INTERNAL",
                "UNAVAILABLE",
                "DATA_LOSS"
            ]
        );
    }

    #[test]
    fn a_response_without_a_code_has_that_of_its_http_status() {
        for (status, expected) in [
            (200, "UNKNOWN"),
            (400, "INTERNAL"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "UNIMPLEMENTED"),
            (429, "UNAVAILABLE"),
            (500, "UNKNOWN"),
            (502, "UNAVAILABLE"),
            (503, "UNAVAILABLE"),
            (504, "UNAVAILABLE"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(name(of_http(status)), expected, "{status}");
        }
    }

    #[test]
    fn errors_have_the_code_of_their_cause() {
        #[derive(Debug)]
        struct Outer(Box<dyn Error>);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("outer")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&*self.0)
            }
        }
        let causes: [(Box<dyn Error>, Option<&str>); 4] = [
            (Box::new(tonic::Status::not_found("")), Some("NOT_FOUND")),
            (
                Box::new(tonic::TimeoutExpired(())),
                Some("DEADLINE_EXCEEDED"),
            ),
            (
                Box::new(tonic::ConnectError("refused".into())),
                Some("UNAVAILABLE"),
            ),
            ("anything".into(), None),
        ];
        for (cause, expected) in causes {
            let outer = Outer(cause);
            assert_eq!(of_error(&*outer.0).map(name), expected);
            assert_eq!(of_error(&outer).map(name), expected);
        }
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_service_that_sheds_load_is_exhausted() {
        let error = tower::load_shed::error::Overloaded::new();
        assert_eq!(of_error(&error), Some(Code::ResourceExhausted));
        let expected = tonic::Status::from_error(Box::new(error)).code();
        assert_eq!(expected, Code::ResourceExhausted);
    }

    #[cfg(feature = "server")]
    #[test]
    fn errors_of_the_transport_have_the_codes_that_tonic_gives_them() {
        for reason in 0..16_u32 {
            let reason = h2::Reason::from(reason);
            let expected = tonic::Status::from_error(Box::new(h2::Error::from(reason))).code();
            assert_eq!(
                of_error(&h2::Error::from(reason)),
                Some(expected),
                "{reason}"
            );
        }
    }
}
