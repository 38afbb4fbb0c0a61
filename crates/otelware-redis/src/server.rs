//! The server that is called.

use otelware::database;
use redis::{ConnectionAddr, ConnectionInfo};
use std::collections::HashMap;

/// The port that Redis usually has.
const USUAL_PORT: u16 = 6_379;

/// What is known of a server or a cluster before it is connected: for the attributes of every span
/// and metric, and for the name of a pool.
///
/// That of a [`ConnectionInfo`] is had by [`From`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The host, or the path of a Unix socket.
    address: Option<String>,
    port: Option<u16>,
    /// The database that the connection begins with; a cluster has but one.
    database: Option<i64>,
    /// The nodes of a cluster that are known beforehand.
    pub(crate) nodes: Vec<(String, u16)>,
    /// By what other addresses nodes are connected.
    pub(crate) addresses: HashMap<(String, u16), (String, u16)>,
}

impl Server {
    /// The cluster that these nodes are of. Its address is told where there is but one.
    pub fn of_cluster<'a>(nodes: impl IntoIterator<Item = &'a ConnectionInfo>) -> Self {
        let nodes: Vec<_> = nodes
            .into_iter()
            .filter_map(|node| match place(node.addr()) {
                (address, Some(port)) => Some((address?, port)),
                _ => None,
            })
            .collect();
        let only = match nodes.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        };
        Self {
            address: only.as_ref().map(|(address, _)| address.clone()),
            port: only.map(|(_, port)| port),
            database: None,
            nodes,
            addresses: HashMap::new(),
        }
    }

    /// Whether connections have a database that is told by its number.
    pub(crate) const fn is_numbered(&self) -> bool {
        self.database.is_some()
    }

    /// By what address the node of this one is connected.
    #[cfg(feature = "cluster")]
    pub(crate) fn address_of(&self, host: &str, port: u16) -> (String, u16) {
        let node = (host.to_owned(), port);
        self.addresses.get(&node).cloned().unwrap_or(node)
    }

    /// The name of a pool that was given none: `address:port/database`.
    #[cfg(any(test, feature = "bb8", feature = "deadpool", feature = "r2d2"))]
    pub(crate) fn pool_name(&self) -> String {
        database::Server {
            namespace: self.database.map(|database| database.to_string()),
            ..self.to_shared()
        }
        .pool_name()
    }

    /// The same, as the core wants it. The database is told by each operation.
    pub(crate) fn to_shared(&self) -> database::Server {
        database::Server {
            system: "redis",
            address: self.address.clone(),
            port: self.port,
            usual_port: USUAL_PORT,
            namespace: None,
        }
    }
}

impl From<&ConnectionInfo> for Server {
    fn from(info: &ConnectionInfo) -> Self {
        let (address, port) = place(info.addr());
        Self {
            address,
            port,
            database: Some(info.redis_settings().db()),
            nodes: Vec::new(),
            addresses: HashMap::new(),
        }
    }
}

fn place(address: &ConnectionAddr) -> (Option<String>, Option<u16>) {
    match address {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            (Some(host.clone()), Some(*port))
        }
        ConnectionAddr::Unix(path) => (Some(path.to_string_lossy().into_owned()), None),
        // What a later version of redis-rs may add.
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::IntoConnectionInfo;

    fn info(url: &str) -> ConnectionInfo {
        url.into_connection_info().unwrap()
    }

    #[test]
    fn a_server_is_known_by_its_address_and_a_pool_by_its_database_too() {
        for (url, address, port, name) in [
            ("redis://cache", "cache", Some(6_379), "cache:6379/0"),
            (
                "redis://:secret@cache:7000/3",
                "cache",
                Some(7_000),
                "cache:7000/3",
            ),
            (
                "redis+unix:///run/redis.sock",
                "/run/redis.sock",
                None,
                "/run/redis.sock/0",
            ),
        ] {
            let server = Server::from(&info(url));
            let shared = server.to_shared();
            assert_eq!(
                (shared.address.as_deref(), shared.port),
                (Some(address), port)
            );
            assert_eq!(server.pool_name(), name);
            assert!(server.is_numbered());
        }
    }

    #[test]
    fn a_cluster_has_an_address_if_one_node_is_known() {
        let nodes = [info("redis://a:7000"), info("redis://b:7001")];
        let one = Server::of_cluster(&nodes[..1]);
        assert_eq!(one.pool_name(), "a:7000");
        let two = Server::of_cluster(&nodes);
        assert_eq!(two.pool_name(), "redis");
        assert_eq!(
            two.nodes,
            [("a".to_owned(), 7_000), ("b".to_owned(), 7_001)]
        );
        assert!(!two.is_numbered());
    }
}
