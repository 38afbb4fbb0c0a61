//! The instruments of one client of a database.

use super::server::Server;
use crate::operation::{ErrorType, Exception, Instrumentation, Providers, Series};
use crate::semconv::{boundaries, event, metric};
use opentelemetry::logs::Severity;
use opentelemetry::metrics::Histogram;
use opentelemetry::{Context, KeyValue};
use std::fmt::Display;

/// What the operations of one client of a database, a pool's or a connection's, are made with.
#[derive(Debug)]
pub struct Client {
    pub(super) instrumentation: Instrumentation,
    pub(super) duration: Series<Histogram<f64>>,
    pub(super) server: Vec<KeyValue>,
    pub(super) system: &'static str,
}

impl Client {
    /// The client of that server, by the crate named `name` of version `version`.
    pub fn new(
        name: &'static str,
        version: &'static str,
        providers: &Providers,
        server: &Server,
    ) -> Self {
        let instrumentation = Instrumentation::new(name, version, providers);
        Self {
            duration: instrumentation.durations(
                metric::DB_CLIENT_OPERATION_DURATION,
                "Duration of database client operations.",
                &boundaries::DATABASE_SECONDS,
            ),
            server: server.attributes(),
            system: server.system,
            instrumentation,
        }
    }

    /// The instrumentation, for what only one database has.
    pub const fn instrumentation(&self) -> &Instrumentation {
        &self.instrumentation
    }

    /// The attributes that all spans and metrics have.
    pub fn server(&self) -> &[KeyValue] {
        &self.server
    }

    /// Emits the error that ended an operation as an event, where events are wanted.
    pub(super) fn exception(&self, context: &Context, class: &ErrorType, error: &dyn Display) {
        let kind = Exception {
            name: event::DB_CLIENT_OPERATION_EXCEPTION,
            severity: Severity::Warn,
        };
        self.instrumentation.exception(kind, context, class, error);
    }
}
