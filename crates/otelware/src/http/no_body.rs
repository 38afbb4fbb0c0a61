//! Responses that have no body.

use http::{Method, StatusCode};

/// When a request's method leaves its response without a body (RFC 9110 §9.3.2, §9.3.6), or with
/// one that is a tunnel and no longer the response's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBody {
    /// The status alone decides.
    ByStatus,
    /// A success opens a tunnel: the answer to `CONNECT`.
    OnSuccess,
    /// Always: the answer to `HEAD`.
    Always,
}

impl NoBody {
    /// What the method says.
    pub fn of(method: &Method) -> Self {
        match *method {
            Method::HEAD => Self::Always,
            Method::CONNECT => Self::OnSuccess,
            _ => Self::ByStatus,
        }
    }

    /// Whether a response of this status has no body. Upgraded connections (101) count as such.
    pub fn applies(self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || match self {
                Self::ByStatus => false,
                Self::OnSuccess => status.is_success(),
                Self::Always => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_and_status_decide() {
        for (method, status, applies) in [
            (Method::GET, StatusCode::OK, false),
            (Method::GET, StatusCode::NO_CONTENT, true),
            (Method::GET, StatusCode::NOT_MODIFIED, true),
            (Method::GET, StatusCode::SWITCHING_PROTOCOLS, true),
            (Method::HEAD, StatusCode::OK, true),
            (Method::HEAD, StatusCode::NOT_FOUND, true),
            (Method::CONNECT, StatusCode::OK, true),
            (Method::CONNECT, StatusCode::FORBIDDEN, false),
        ] {
            assert_eq!(
                NoBody::of(&method).applies(status),
                applies,
                "{method} {status}"
            );
        }
    }
}
