//! What all connections of a pool share.

use crate::options::SqlOptions;
use crate::query::{self, Cache, Dialect};
use crate::server::Server;
use otelware::opentelemetry::logs::Severity;
use otelware::opentelemetry::metrics::Histogram;
use otelware::opentelemetry::{Context, KeyValue, StringValue};
use otelware::operation::{ErrorType, Exception, Instrumentation, Label, Lazily, Series};
use otelware::semconv::{boundaries, event, metric, unit};
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

/// What all connections of a pool share, or those that were opened one by one.
#[derive(Debug)]
pub(crate) struct Core {
    settled: Lazily<SqlOptions, Running>,
    server: Server,
}

/// What is needed at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) instrumentation: Instrumentation,
    pub(crate) duration: Series<Histogram<f64>>,
    pub(crate) rows: Series<Histogram<u64>>,
    /// The attributes that all spans and metrics have.
    pub(crate) server: Vec<KeyValue>,
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
            server,
        })
    }

    pub(crate) const fn options(&self) -> &SqlOptions {
        self.settled.options()
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// What is needed at work, made at the first use.
    #[inline]
    pub(crate) fn running(&self) -> &Running {
        self.settled.get_or_make(|options| {
            let instrumentation = Instrumentation::new(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                &options.providers,
            );
            Running {
                duration: instrumentation.durations(
                    metric::DB_CLIENT_OPERATION_DURATION,
                    "Duration of database client operations.",
                    &boundaries::DATABASE_SECONDS,
                ),
                rows: instrumentation.amounts(
                    metric::DB_CLIENT_RESPONSE_RETURNED_ROWS,
                    "The actual number of records returned by the database operation.",
                    unit::ROWS,
                    &boundaries::ROWS,
                ),
                server: self.server.attributes(),
                queries: Cache::new(),
                instrumentation,
            }
        })
    }

    /// What is known of a query, now or from before.
    #[inline]
    pub(crate) fn query(&self, text: &str) -> Arc<Query> {
        let dialect = self.server.dialect;
        let make = |text: &str| Arc::new(Query::new(text, dialect));
        self.running().queries.get_or_insert_with(text, make)
    }

    /// What is known of a step of a transaction.
    pub(crate) fn step(&self, step: &str) -> Arc<Query> {
        let make = |step: &str| Arc::new(Query::with_summary(Some(step)));
        self.running().queries.get_or_insert_with(step, make)
    }

    /// Emits the error that ended an operation as an event, where events are wanted.
    pub(crate) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        let kind = Exception {
            name: event::DB_CLIENT_OPERATION_EXCEPTION,
            severity: Severity::Warn,
        };
        let instrumentation = &self.running().instrumentation;
        instrumentation.exception(kind, context, class, error);
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
            assert_eq!(core.server().namespace.as_deref(), told);
        }
    }
}
