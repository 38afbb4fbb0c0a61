//! The database that is called.

use crate::semconv::attribute;
use opentelemetry::KeyValue;
use std::sync::Arc;

/// What is known of a database before it is connected: for the attributes of every span and metric,
/// and for the name of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `db.system.name`.
    pub system: &'static str,
    /// The host, or the path of a Unix socket.
    pub address: Option<String>,
    /// The port, where there is one.
    pub port: Option<u16>,
    /// The port that is not told, since the system usually has it.
    pub usual_port: u16,
    /// The database, where all operations are on the same.
    pub namespace: Option<String>,
}

impl Server {
    /// The name of a pool that was given none: `address:port/namespace`.
    pub fn pool_name(&self) -> String {
        let mut name = self.address.clone().unwrap_or_default();
        if let Some(port) = self.port {
            name = format!("{name}:{port}");
        }
        match &self.namespace {
            Some(namespace) if name.is_empty() => namespace.clone(),
            Some(namespace) => format!("{name}/{namespace}"),
            None if name.is_empty() => self.system.to_owned(),
            None => name,
        }
    }

    /// The attributes that all spans and metrics have. A port is told where it is not the usual one.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let mut list = vec![KeyValue::new(attribute::DB_SYSTEM_NAME, self.system)];
        let mut push = |key, text: &Option<String>| {
            if let Some(text) = text {
                let text: Arc<str> = text.as_str().into();
                list.push(KeyValue::new(key, text));
            }
        };
        push(attribute::DB_NAMESPACE, &self.namespace);
        push(attribute::SERVER_ADDRESS, &self.address);
        if let Some(port) = self.port.filter(|port| *port != self.usual_port) {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_named_by_what_is_known() {
        let of = |address: Option<&str>, port, namespace: Option<&str>| {
            let server = Server {
                system: "redis",
                address: address.map(str::to_owned),
                port,
                usual_port: 6_379,
                namespace: namespace.map(str::to_owned),
            };
            server.pool_name()
        };
        assert_eq!(of(Some("db"), Some(6_379), Some("0")), "db:6379/0");
        assert_eq!(of(Some("/run/db.sock"), None, None), "/run/db.sock");
        assert_eq!(of(None, None, Some("file.db")), "file.db");
        assert_eq!(of(None, None, None), "redis");
    }

    #[test]
    fn the_usual_port_goes_without_saying() {
        let keys = |port| {
            let server = Server {
                system: "redis",
                address: Some("db".to_owned()),
                port: Some(port),
                usual_port: 6_379,
                namespace: None,
            };
            let list = server.attributes();
            list.into_iter()
                .map(|attribute| attribute.key.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(6_379), ["db.system.name", "server.address"]);
        assert_eq!(
            keys(7_000),
            ["db.system.name", "server.address", "server.port"]
        );
    }
}
