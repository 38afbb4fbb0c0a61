//! Protocol versions and status codes as attribute values.

use crate::operation::ErrorType;
use http::{StatusCode, Version};

/// `network.protocol.version`, or `None` where the version is unknown.
pub const fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// A number that stands for the version.
pub const fn protocol_id(version: Version) -> u8 {
    match version {
        Version::HTTP_09 => 1,
        Version::HTTP_10 => 2,
        Version::HTTP_11 => 3,
        Version::HTTP_2 => 4,
        Version::HTTP_3 => 5,
        _ => 0,
    }
}

/// `error.type` of a response whose status is an error.
pub fn status_error(status: StatusCode) -> ErrorType {
    match status.as_u16() {
        400 => "400".into(),
        401 => "401".into(),
        403 => "403".into(),
        404 => "404".into(),
        408 => "408".into(),
        409 => "409".into(),
        429 => "429".into(),
        500 => "500".into(),
        501 => "501".into(),
        502 => "502".into(),
        503 => "503".into(),
        504 => "504".into(),
        _ => status.as_str().to_owned().into(),
    }
}
