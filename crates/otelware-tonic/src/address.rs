//! The server that a client calls.

use otelware::http::HostPort;
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Label, bounded};
use otelware::semconv::attribute;

/// `server.address` and `server.port`.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    host: Label,
    port: Option<u16>,
}

impl Address {
    /// A server that the program's own code names.
    pub(crate) fn new(host: &str, port: Option<u16>) -> Self {
        Self {
            host: Label::new(host),
            port,
        }
    }

    /// The server of a target; the port is that of the scheme where none is written.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        let authority = uri.authority()?.as_str();
        let found = HostPort::parse(authority.rsplit('@').next().unwrap_or(authority))?;
        let port = found.port.or_else(|| match uri.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        Some(Self {
            host: Label::foreign(bounded(found.host)),
            port,
        })
    }

    pub(crate) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(crate) const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Numbers that stand for host and port, where the host is interned.
    pub(crate) fn ids(&self) -> Option<(u64, u64)> {
        Some((
            self.host.id()?,
            self.port.map_or(0, |port| u64::from(port) + 1),
        ))
    }

    pub(crate) fn push(&self, list: &mut Vec<KeyValue>) {
        list.push(KeyValue::new(attribute::SERVER_ADDRESS, self.host.value()));
        if let Some(port) = self.port {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_server_of_a_target() {
        for (uri, expected) in [
            ("http://orders:50051", Some(("orders", Some(50051)))),
            ("https://user:secret@orders/x", Some(("orders", Some(443)))),
            ("http://[::1]", Some(("::1", Some(80)))),
            ("grpc://orders", Some(("orders", None))),
            ("/shop.Orders/Place", None),
        ] {
            let address = Address::of(&uri.parse().unwrap());
            let found = address
                .as_ref()
                .map(|address| (address.host(), address.port()));
            assert_eq!(found, expected, "{uri}");
        }
    }
}
