//! OpenTelemetry for sqlx: pools, connections and transactions of PostgreSQL, MySQL, MariaDB and
//! SQLite, in the place of sqlx's own.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn example() -> Result<(), sqlx::Error> {
//! use otelware_sqlx::{Instrument, SqlitePool};
//!
//! let pool: SqlitePool = sqlx::SqlitePool::connect("sqlite::memory:").await?.instrument();
//! let answer: i64 = sqlx::query_scalar("SELECT 6 * ?").bind(7).fetch_one(&pool).await?;
//! # assert_eq!(answer, 42);
//! # Ok(())
//! # }
//! ```
//!
//! Code goes on as it is, with `otelware_sqlx::{PgPool, PgConnection, PgTransaction}` imported in
//! the place of sqlx's types: queries, `query!`, `&mut *tx`, `impl PgExecutor<'_>`, nested
//! transactions, streams. Nothing derefs to the driver's own connection, so that no query goes past
//! the spans unseen; [`Pool::inner`] and [`Connection::raw_mut`] give it by name.
//!
//! Providers are the global ones, which `otelware::init` sets, unless [`SqlOptions`] hand others to
//! [`instrument_with`](Instrument::instrument_with).
//!
//! # Spans
//!
//! Kind `CLIENT`, named by the summary of the query (`SELECT orders`), or by the system. An
//! operation begins with its first poll, the wait for a connection included, and ends with its
//! result, the end of its stream, or its drop.
//!
//! | Attribute | Level | Source and condition |
//! |---|---|---|
//! | `db.system.name` | required | the driver, or [`with_system_name`](SqlOptions::with_system_name) |
//! | `db.namespace` | conditional | the database that the options name; of SQLite the file, or `:memory:` |
//! | `server.address` | recommended | the host or the Unix socket that the options name |
//! | `server.port` | conditional | the port, where it is not the usual one |
//! | `db.query.summary` | recommended | operations and targets, read out of the text |
//! | `db.query.text` | recommended | the text where values are bound to it; else, or [`with_masked_literals`](SqlOptions::with_masked_literals), with `?` for each literal; none [`without_query_text`](SqlOptions::without_query_text) |
//! | `db.response.status_code` | conditional | SQLSTATE (PostgreSQL), the error's number (MySQL, MariaDB), the extended result code (SQLite) |
//! | `error.type` | conditional | the same, or the class of an error that has no code, such as `pool_timed_out` |
//! | `db.response.returned_rows` | opt-in | [`with_returned_rows`](SqlOptions::with_returned_rows) |
//!
//! All but those of the end are there when the span starts, for samplers to see.
//!
//! `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`, `RELEASE SAVEPOINT` and `ROLLBACK TO SAVEPOINT` are
//! operations too, but for the rollback of a transaction that was dropped: the driver sends that
//! with the next query. `COPY` is one span until it is finished. The preparation of a statement and a
//! ping are operations where [`with_prepares`](SqlOptions::with_prepares) and
//! [`with_pings`](SqlOptions::with_pings) say so.
//!
//! Two more spans are of kind `INTERNAL`: `migrate` ([`Pool::migrate`], feature `migrate`) with one
//! within for each migration that is applied, and, [if so told](SqlOptions::with_acquire_spans),
//! `acquire` for the wait for a connection of the pool.
//!
//! # Metrics
//!
//! | Metric | Unit | Level | Attributes |
//! |---|---|---|---|
//! | `db.client.operation.duration` | `s` | recommended | all of the span's but the text and the rows |
//! | `db.client.response.returned_rows` | `{row}` | recommended | the same; of queries that return rows |
//! | `db.client.connection.count` | `{connection}` | recommended | pool's name, state: `idle` or `used` |
//! | `db.client.connection.limit`, `db.client.connection.idle.min` | `{connection}` | recommended | pool's name |
//! | `db.client.connection.pending_requests` | `{request}` | recommended | pool's name |
//! | `db.client.connection.timeouts` | `{timeout}` | recommended | pool's name |
//! | `db.client.connection.wait_time`, `db.client.connection.use_time` | `s` | recommended | pool's name |
//!
//! The pool's metrics begin with its first use, and do not keep it alive. `create_time` is not to
//! be had: sqlx's pool opens connections by itself.
//!
//! # Comments
//!
//! [`with_comment_tags`](SqlOptions::with_comment_tags) adds a comment to queries that the database's
//! own logs and statistics show, and [`with_trace_comments`](SqlOptions::with_trace_comments) the
//! trace. Both are off by default. A trace is told only in queries that are not prepared (`raw_sql`):
//! a text that differs each time would defeat the cache of prepared statements, which costs several
//! times the query, and on MySQL tens of milliseconds.
//!
//! # How an operation ends
//!
//! | End | Status of the span | `error.type` |
//! |---|---|---|
//! | a result, also none (`RowNotFound`) | unset | none |
//! | an error | error | as above |
//! | its future or stream was dropped | unset; see [`with_cancellation`](SqlOptions::with_cancellation) | none |
//!
//! Messages of databases have values in them, so spans and events of exceptions have none unless
//! [`with_error_messages`](SqlOptions::with_error_messages) says so.
//!
//! # What is not seen
//!
//! - Code that is generic over [`sqlx::Acquire`], as `Migrator::run` is: the trait wants the
//!   driver's own connection. The wait for it is measured. What takes the driver's connection by
//!   `AsMut` goes past the spans too.
//! - `PgListener`: it takes [`Pool::inner`]. A `NOTIFY` carries no context, so that nothing could be
//!   linked.
//! - Values that are bound: sqlx encodes them before they can be seen.
//!
//! # Features
//!
//! A driver each (`postgres`, `mysql`, `sqlite`, `any`), `migrate`, and
//! `macros`, which is on: leave it on unless nothing in the program turns on sqlx's feature of that
//! name. sqlx's runtimes and TLS are chosen with sqlx itself.

#[cfg(any(
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "any"
))]
mod aliases;
mod call;
mod comment;
mod connection;
#[cfg(feature = "postgres")]
mod copy;
mod core;
mod driver;
mod error;
#[cfg(feature = "migrate")]
mod migrate;
mod options;
mod parts;
mod pool;
mod pool_connection;
#[doc(hidden)]
pub mod query;
mod server;
mod traced;
mod transaction;

#[cfg(any(
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "any"
))]
pub use aliases::*;
pub use connection::Connection;
#[cfg(feature = "postgres")]
pub use copy::CopyIn;
pub use driver::Driver;
pub use options::{QueryView, SqlOptions};
pub use otelware;
pub use pool::{Instrument, Pool};
pub use pool_connection::{PoolConnection, RawConnection};
pub use query::Dialect;
pub use server::Server;
pub use transaction::Transaction;

#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../tests/must_not_compile.md")]
mod must_not_compile {}
