//! A request as the instrumentation of a client sees it.

use crate::http::HostPort;
use http::{Extensions, HeaderMap, Method, Uri, header};

/// Where a request goes.
pub trait Target {
    /// The scheme, where it is known.
    fn scheme(&self) -> Option<&str>;
    /// The host, without brackets, and the port where one is written.
    fn host_port(&self) -> Option<HostPort<'_>>;
    /// The whole URL, with what secrets it has.
    fn full(&self) -> String;
}

/// A request as the instrumentation of a client sees it.
#[derive(Debug)]
pub struct ClientRequest<'a, T> {
    /// The method.
    pub method: &'a Method,
    /// Where it goes.
    pub target: T,
    /// The headers, which context is injected into.
    pub headers: &'a mut HeaderMap,
    /// Further things known of the request: among them a [`UrlTemplate`](super::UrlTemplate), a
    /// [`ResendCount`](super::ResendCount), and the [`Outbound`](crate::propagation::Outbound)
    /// policy of this one request.
    pub extensions: &'a Extensions,
}

/// The target of an [`http::Request`]: its URI, completed by its `Host` header.
#[derive(Debug)]
pub struct UriTarget<'a> {
    uri: &'a Uri,
    host: Option<String>,
}

impl<'a> UriTarget<'a> {
    /// The target of a request with this URI and these headers.
    pub fn new(uri: &'a Uri, headers: &HeaderMap) -> Self {
        let host = match uri.authority() {
            Some(_) => None,
            None => headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok())
                .map(str::to_owned),
        };
        Self { uri, host }
    }
}

impl Target for UriTarget<'_> {
    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str()
    }

    fn host_port(&self) -> Option<HostPort<'_>> {
        match self.uri.authority() {
            Some(authority) => {
                let authority = authority.as_str();
                HostPort::parse(authority.rsplit('@').next().unwrap_or(authority))
            }
            None => HostPort::parse(self.host.as_deref()?),
        }
    }

    fn full(&self) -> String {
        match (&self.host, self.uri.scheme(), self.uri.authority()) {
            (Some(host), _, _) => {
                let slash = if self.uri.path() == "*" { "/" } else { "" };
                format!("http://{host}{slash}{}", self.uri)
            }
            // The target of `CONNECT`.
            (None, None, Some(_)) => format!("//{}", self.uri),
            _ => self.uri.to_string(),
        }
    }
}

/// The port that a scheme stands for.
pub(super) fn default_port(scheme: Option<&str>) -> u16 {
    match scheme {
        Some("https" | "wss") => 443,
        _ => 80,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_uri_is_completed_by_the_host_header() {
        for (uri, host, full, host_port) in [
            ("http://h/p?q", "x:1", "http://h/p?q", Some(("h", None))),
            (
                "https://u:p@[::1]:8443/",
                "",
                "https://u:p@[::1]:8443/",
                Some(("::1", Some(8443))),
            ),
            ("/p?q", "x:1", "http://x:1/p?q", Some(("x", Some(1)))),
            ("/p", "", "/p", None),
            ("h:443", "", "//h:443", Some(("h", Some(443)))),
            ("*", "x", "http://x/*", Some(("x", None))),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let mut headers = HeaderMap::new();
            if !host.is_empty() {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            let target = UriTarget::new(&uri, &headers);
            let found = target.host_port().map(|found| (found.host, found.port));
            assert_eq!((&*target.full(), found), (full, host_port));
        }
    }
}
