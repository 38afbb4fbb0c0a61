//! gRPC among other HTTP requests.

use http::{HeaderMap, Method, Request, Version, header};

/// Whether this is a request of gRPC, which is told from others by version, method and content
/// type (gRPC over HTTP/2, "Requests").
pub fn is_grpc<B>(request: &Request<B>) -> bool {
    request.version() == Version::HTTP_2
        && *request.method() == Method::POST
        && has_grpc_content_type(request.headers())
}

/// Whether the content type is `application/grpc`, also with a format or parameters. That of
/// gRPC-Web, which goes on with `-web`, is not.
pub fn has_grpc_content_type(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|content_type| content_type.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn grpc_is_told_by_version_method_and_content_type() {
        let ask = |version, method, content_type: Option<&str>| {
            let mut request = Request::builder().version(version).method(method);
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            is_grpc(&request.body(()).unwrap())
        };
        for (content_type, expected) in [
            (Some("application/grpc"), true),
            (Some("application/grpc+proto"), true),
            (Some("application/grpc;charset=utf-8"), true),
            (Some("application/grpc-web"), false),
            (Some("application/json"), false),
            (None, false),
        ] {
            assert_eq!(ask(Version::HTTP_2, Method::POST, content_type), expected);
        }
        assert!(!ask(
            Version::HTTP_11,
            Method::POST,
            Some("application/grpc")
        ));
        assert!(!ask(Version::HTTP_2, Method::GET, Some("application/grpc")));
    }
}
