//! What all connections of a pool share.

use crate::driver::Driver;
use crate::options::{QueryView, SqlOptions};
use crate::query::{self, Cache, Dialect};
use crate::server::Server;
use otelware::database::{self, Client, Options, PoolMetrics, PoolState, Shared};
use otelware::opentelemetry::StringValue;
use otelware::opentelemetry::metrics::Histogram;
use otelware::operation::{Label, Lazily, Series};
use otelware::semconv::{boundaries, metric, unit};
use std::sync::{Arc, OnceLock, Weak};

/// What all connections of a pool share, or those that were opened one by one.
#[derive(Debug)]
pub(crate) struct Core {
    settled: Lazily<SqlOptions, Running>,
    server: database::Server,
    dialect: Dialect,
}

/// What is needed at work.
#[derive(Debug)]
struct Running {
    client: Client,
    rows: Series<Histogram<u64>>,
    queries: Cache<Arc<Query>>,
}

/// What is known of the text of a query.
#[derive(Debug)]
pub(crate) struct Query {
    /// `db.query.summary`.
    pub(crate) summary: Option<Label>,
    /// Whether it returns rows, be they none.
    pub(crate) reads: bool,
    /// The text as it is, and without its literals.
    plain: OnceLock<StringValue>,
    sanitised: OnceLock<StringValue>,
}

impl Core {
    pub(crate) fn new(options: SqlOptions, mut server: Server) -> Arc<Self> {
        if let Some(system) = options.system {
            server.system = system;
        }
        // A URL whose password is not encoded may be read as if part of it were the database.
        server.namespace = server.namespace.filter(|name| !name.contains('@'));
        Arc::new(Self {
            settled: Lazily::new(options),
            dialect: server.dialect,
            server: server.into_shared(),
        })
    }

    pub(crate) const fn options(&self) -> &SqlOptions {
        self.settled.options()
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What is needed at work, made at the first use.
    #[inline]
    fn running(&self) -> &Running {
        self.settled.get_or_make(|options| {
            let client = Client::new(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                &options.shared.providers,
                &self.server,
            );
            Running {
                rows: client.instrumentation().amounts(
                    metric::DB_CLIENT_RESPONSE_RETURNED_ROWS,
                    "The actual number of records returned by the database operation.",
                    unit::ROWS,
                    &boundaries::ROWS,
                ),
                queries: Cache::new(),
                client,
            }
        })
    }

    /// Measures the rows that queries return.
    pub(crate) fn rows(&self) -> &Series<Histogram<u64>> {
        &self.running().rows
    }

    /// What is known of a query, now or from before.
    #[inline]
    pub(crate) fn query(&self, text: &str) -> Arc<Query> {
        let make = |text: &str| Arc::new(Query::new(text, self.dialect));
        self.running().queries.get_or_insert_with(text, make)
    }

    /// What is known of a step that is its own summary.
    pub(crate) fn step(&self, step: &str) -> Arc<Query> {
        let make = |step: &str| Arc::new(Query::with_summary(Some(step)));
        self.running().queries.get_or_insert_with(step, make)
    }

    /// The metrics of a pool.
    pub(crate) fn pool_metrics<DB: Driver>(&self, pool: Weak<sqlx::Pool<DB>>) -> PoolMetrics {
        let name = match &self.options().shared.pool_name {
            Some(name) => name.clone(),
            None => self.server.pool_name(),
        };
        let ask = move || {
            let pool = pool.upgrade()?;
            // Two questions, between which a connection may change its state. sqlx counts idle
            // connections below zero for a moment, which then are more than there are.
            let size = u64::from(pool.size());
            let idle = u64::try_from(pool.num_idle()).unwrap_or(u64::MAX);
            let idle = if idle > size { 0 } else { idle };
            Some(PoolState {
                idle,
                used: size - idle,
                limit: Some(pool.options().get_max_connections().into()),
                idle_max: None,
                idle_min: Some(pool.options().get_min_connections().into()),
            })
        };
        PoolMetrics::new(self.client(), name, ask)
    }
}

impl Shared for Core {
    type View = QueryView<'static>;

    fn options(&self) -> &Options<QueryView<'static>> {
        &self.settled.options().shared
    }

    #[inline]
    fn client(&self) -> &Client {
        &self.running().client
    }
}

impl Query {
    fn new(text: &str, dialect: Dialect) -> Self {
        Self::with_summary(query::summarise(text, dialect).as_deref())
    }

    fn with_summary(summary: Option<&str>) -> Self {
        let first = summary.and_then(|summary| summary.split(' ').next());
        Self {
            reads: first.is_some_and(|first| first.eq_ignore_ascii_case("SELECT")),
            summary: summary.map(Label::new),
            plain: OnceLock::new(),
            sanitised: OnceLock::new(),
        }
    }

    /// `db.query.text` of a query with this text.
    pub(crate) fn text(&self, text: &str, dialect: Dialect, is_parameterised: bool) -> StringValue {
        let shared = |text: &str| Arc::<str>::from(text).into();
        if is_parameterised {
            return self.plain.get_or_init(|| shared(query::cut(text))).clone();
        }
        self.sanitised
            .get_or_init(|| shared(&query::analyse(text, dialect).text))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_part_of_a_password_is_no_database() {
        for (found, told) in [("orders", Some("orders")), ("pw@host/orders", None)] {
            let server = Server {
                namespace: Some(found.to_owned()),
                ..Server::new("postgresql", Dialect::PostgreSql)
            };
            let core = Core::new(SqlOptions::new(), server);
            assert_eq!(core.server.namespace.as_deref(), told);
        }
    }
}
