//! The database that is called.

use crate::query::Dialect;
use otelware::opentelemetry::KeyValue;
use otelware::semconv::attribute;

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

    /// The name of a pool that was given none: `address:port/namespace`.
    pub(crate) fn pool_name(&self) -> String {
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
    pub(crate) fn attributes(&self) -> Vec<KeyValue> {
        let mut list = vec![KeyValue::new(attribute::DB_SYSTEM_NAME, self.system)];
        let mut push = |key, text: &Option<String>| {
            if let Some(text) = text {
                let text: std::sync::Arc<str> = text.as_str().into();
                list.push(KeyValue::new(key, text));
            }
        };
        push(attribute::DB_NAMESPACE, &self.namespace);
        push(attribute::SERVER_ADDRESS, &self.address);
        let usual = match self.dialect {
            Dialect::PostgreSql => 5_432,
            Dialect::MySql => 3_306,
            Dialect::Sqlite => 0,
        };
        if let Some(port) = self.port.filter(|port| *port != usual) {
            list.push(KeyValue::new(attribute::SERVER_PORT, i64::from(port)));
        }
        list
    }
}
