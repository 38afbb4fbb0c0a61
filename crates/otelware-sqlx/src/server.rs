//! The database that is called.

use crate::query::Dialect;
use otelware::database;

/// What a driver knows of its database before it is connected: for the attributes of every span and
/// metric, and for the name of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// `db.system.name`: `postgresql`, `mysql`, `mariadb`, `sqlite` or another.
    pub system: &'static str,
    /// How its statements are read.
    pub dialect: Dialect,
    /// The host, or the path of a Unix socket.
    pub address: Option<String>,
    /// The port, where there is one.
    pub port: Option<u16>,
    /// The database, or the file of one.
    pub namespace: Option<String>,
}

impl Server {
    /// A database of which nothing else is known.
    pub const fn new(system: &'static str, dialect: Dialect) -> Self {
        Self {
            system,
            dialect,
            address: None,
            port: None,
            namespace: None,
        }
    }

    /// The same, as the core wants it.
    pub(crate) fn into_shared(self) -> database::Server {
        database::Server {
            system: self.system,
            address: self.address,
            port: self.port,
            usual_port: match self.dialect {
                Dialect::PostgreSql => 5_432,
                Dialect::MySql => 3_306,
                Dialect::Sqlite => 0,
            },
            namespace: self.namespace,
        }
    }
}
