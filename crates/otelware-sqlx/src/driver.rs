//! The drivers of sqlx, as far as they differ.

use crate::server::Server;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx::{Connection, Database, Either, Error, Execute, SqlStr};
#[cfg(any(
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "any"
))]
use {crate::query::Dialect, sqlx::Executor};

/// The results and rows of a query.
pub(crate) type Results<'e, DB> =
    BoxStream<'e, Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>, Error>>;

/// A driver of sqlx whose statements can be traced.
///
/// Code that is generic over `sqlx::Database` and takes a [`Pool`](crate::Pool) is bound by this
/// trait instead.
pub trait Driver: Database {
    /// What is known of the database before it is connected.
    fn server(options: &<Self::Connection as Connection>::Options) -> Server;

    /// `Executor::fetch_many` of a connection.
    #[doc(hidden)]
    fn fetch_many<'e, 'q: 'e, E>(
        connection: &'e mut Self::Connection,
        query: E,
    ) -> Results<'e, Self>
    where
        E: 'q + Execute<'q, Self>;

    /// `Executor::execute` of a connection.
    #[doc(hidden)]
    fn execute<'e, 'q: 'e, E>(
        connection: &'e mut Self::Connection,
        query: E,
    ) -> BoxFuture<'e, Result<Self::QueryResult, Error>>
    where
        E: 'q + Execute<'q, Self>;

    /// `Executor::fetch_all` of a connection.
    #[doc(hidden)]
    fn fetch_all<'e, 'q: 'e, E>(
        connection: &'e mut Self::Connection,
        query: E,
    ) -> BoxFuture<'e, Result<Vec<Self::Row>, Error>>
    where
        E: 'q + Execute<'q, Self>;

    /// `Executor::fetch_optional` of a connection.
    #[doc(hidden)]
    fn fetch_optional<'e, 'q: 'e, E>(
        connection: &'e mut Self::Connection,
        query: E,
    ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>>
    where
        E: 'q + Execute<'q, Self>;

    /// `Executor::prepare_with` of a connection.
    #[doc(hidden)]
    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, Error>>;

    /// `Executor::describe` of a connection.
    #[cfg(feature = "macros")]
    #[doc(hidden)]
    fn describe<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'e, Result<sqlx::Describe<Self>, Error>>;
}

#[allow(unused_macros, reason = "without a driver there is no use for it")]
macro_rules! executors {
    () => {
        fn fetch_many<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> Results<'e, Self>
        where
            E: 'q + Execute<'q, Self>,
        {
            connection.fetch_many(query)
        }

        fn execute<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> BoxFuture<'e, Result<Self::QueryResult, Error>>
        where
            E: 'q + Execute<'q, Self>,
        {
            connection.execute(query)
        }

        fn fetch_all<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> BoxFuture<'e, Result<Vec<Self::Row>, Error>>
        where
            E: 'q + Execute<'q, Self>,
        {
            connection.fetch_all(query)
        }

        fn fetch_optional<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>>
        where
            E: 'q + Execute<'q, Self>,
        {
            connection.fetch_optional(query)
        }

        fn prepare_with<'e>(
            connection: &'e mut Self::Connection,
            sql: SqlStr,
            parameters: &'e [Self::TypeInfo],
        ) -> BoxFuture<'e, Result<Self::Statement, Error>> {
            connection.prepare_with(sql, parameters)
        }

        #[cfg(feature = "macros")]
        fn describe<'e>(
            connection: &'e mut Self::Connection,
            sql: SqlStr,
        ) -> BoxFuture<'e, Result<sqlx::Describe<Self>, Error>> {
            connection.describe(sql)
        }
    };
}

#[cfg(feature = "postgres")]
impl Driver for sqlx::Postgres {
    fn server(options: &sqlx::postgres::PgConnectOptions) -> Server {
        let port = options.get_port();
        let host = options.get_host();
        let socket = match options.get_socket() {
            Some(directory) => Some(directory.to_string_lossy().into_owned()),
            None => host.starts_with('/').then(|| host.to_owned()),
        };
        let (address, port) = match socket {
            Some(directory) => (format!("{directory}/.s.PGSQL.{port}"), None),
            None => (unbracketed(host), Some(port)),
        };
        // A connection without a database has the one that is named like its user.
        let namespace = options.get_database().unwrap_or(options.get_username());
        Server {
            address: Some(address),
            port,
            namespace: Some(namespace.to_owned()),
            ..Server::new("postgresql", Dialect::PostgreSql)
        }
    }

    executors!();
}

#[cfg(feature = "mysql")]
impl Driver for sqlx::MySql {
    fn server(options: &sqlx::mysql::MySqlConnectOptions) -> Server {
        let (address, port) = match options.get_socket() {
            Some(socket) => (socket.to_string_lossy().into_owned(), None),
            None => (unbracketed(options.get_host()), Some(options.get_port())),
        };
        Server {
            address: Some(address),
            port,
            namespace: options.get_database().map(str::to_owned),
            ..Server::new("mysql", Dialect::MySql)
        }
    }

    executors!();
}

#[cfg(feature = "sqlite")]
impl Driver for sqlx::Sqlite {
    fn server(options: &sqlx::sqlite::SqliteConnectOptions) -> Server {
        let file = options.get_filename().to_string_lossy();
        // The parameters of a URI may have the key of an encrypted database among them.
        let file = file.split('?').next().unwrap_or_default();
        // The names that sqlx gives to databases in memory say nothing, and a nameless file has none.
        let namespace = match file {
            "" => None,
            ":memory:" => Some(":memory:".to_owned()),
            file if file.starts_with("file:sqlx-in-memory-") => Some(":memory:".to_owned()),
            file => Some(file.to_owned()),
        };
        Server {
            namespace,
            ..Server::new("sqlite", Dialect::Sqlite)
        }
    }

    executors!();
}

#[cfg(feature = "any")]
impl Driver for sqlx::Any {
    fn server(options: &sqlx::any::AnyConnectOptions) -> Server {
        let url = &options.database_url;
        match url.scheme() {
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                if let Ok(options) = url.as_str().parse() {
                    return sqlx::Postgres::server(&options);
                }
            }
            #[cfg(feature = "mysql")]
            scheme @ ("mysql" | "mariadb") => {
                if let Ok(options) = url.as_str().parse() {
                    let mut server = sqlx::MySql::server(&options);
                    if scheme == "mariadb" {
                        server.system = "mariadb";
                    }
                    return server;
                }
            }
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                if let Ok(options) = url.as_str().parse() {
                    return sqlx::Sqlite::server(&options);
                }
            }
            _ => {}
        }
        // The driver is there by a feature of sqlx itself, which alone knows its URLs.
        match url.scheme() {
            "mysql" => Server::new("mysql", Dialect::MySql),
            "mariadb" => Server::new("mariadb", Dialect::MySql),
            "sqlite" => Server::new("sqlite", Dialect::Sqlite),
            _ => Server::new("postgresql", Dialect::PostgreSql),
        }
    }

    executors!();
}

/// A host without the brackets of an IPv6 address.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn unbracketed(host: &str) -> String {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
}
