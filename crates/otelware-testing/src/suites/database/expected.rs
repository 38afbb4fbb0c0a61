//! What an operation must leave behind.

use opentelemetry::trace::{SpanContext, SpanKind};

use super::setup::Cancellation;
use crate::{Attributes, ExpectedSpan, Scope, SpanIdentity, Value, attributes, expect_span};

/// What all spans and metrics say of a database.
#[derive(Clone, Debug)]
pub struct Database {
    /// The instrumentation scope.
    pub scope: Scope,
    /// `db.system.name`.
    pub system: &'static str,
    /// `db.namespace`.
    pub namespace: Option<String>,
    /// `server.address`.
    pub address: Option<String>,
    /// `server.port`, where it is not the usual one.
    pub port: Option<u16>,
    /// `db.client.connection.pool.name` on the metrics of its pools.
    pub pool: String,
}

impl Database {
    /// What it adds to each span and to the metrics of each operation.
    pub fn attributes(&self) -> Attributes {
        let mut list = attributes! { "db.system.name" => self.system };
        let mut insert = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                list.insert(key.to_owned(), value);
            }
        };
        insert("db.namespace", self.namespace.as_ref().map(Value::from));
        insert("server.address", self.address.as_ref().map(Value::from));
        insert("server.port", self.port.map(Value::from));
        list
    }

    /// Name, version and schema URL of the scope.
    pub(super) fn scope(&self) -> (&str, &str, &str) {
        let version = self.scope.version.as_deref().unwrap_or_default();
        let schema_url = self.scope.schema_url.as_deref().unwrap_or_default();
        (&self.scope.name, version, schema_url)
    }
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// With this code of the database, which is `error.type`, too.
    Code(&'static str),
    /// With this `error.type`, and no code.
    Class(&'static str),
}

/// Everything that one operation must leave behind: what is not said must be absent.
#[derive(Clone, Debug)]
#[must_use = "an expectation does nothing until it is compared with"]
pub struct ExpectedOperation {
    name: Option<String>,
    on_both: Attributes,
    on_span: Attributes,
    at_end: Attributes,
    on_metrics: Attributes,
    pub(super) rows: Option<u64>,
    rows_on_span: bool,
    code: Option<String>,
    class: Option<String>,
    failed: bool,
    description: String,
    parent: Option<SpanContext>,
    pub(super) has_span: bool,
    pub(super) has_metrics: bool,
}

impl ExpectedOperation {
    /// One that succeeds, has no parent, and returns no rows; its span has this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::nameless()
        }
    }

    /// As [`new`](Self::new), with the system's name for the span's.
    pub fn nameless() -> Self {
        Self {
            name: None,
            on_both: Attributes::new(),
            on_span: Attributes::new(),
            at_end: Attributes::new(),
            on_metrics: Attributes::new(),
            rows: None,
            rows_on_span: false,
            code: None,
            class: None,
            failed: false,
            description: String::new(),
            parent: None,
            has_span: true,
            has_metrics: true,
        }
    }

    /// An attribute of span and metrics, besides those of the database and of the end.
    pub fn on_both(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_both.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the span, which is there when it starts. It may be in the place of one of
    /// the database's.
    pub fn on_span(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_span.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the span, which is not there before the end.
    pub fn at_end(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.at_end.insert(key.to_owned(), value.into());
        self
    }

    /// An attribute of the metrics. It may be in the place of one of the database's.
    pub fn on_metrics(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.on_metrics.insert(key.to_owned(), value.into());
        self
    }

    /// Takes back what was said of an attribute.
    pub fn without(mut self, key: &str) -> Self {
        for list in [
            &mut self.on_both,
            &mut self.on_span,
            &mut self.at_end,
            &mut self.on_metrics,
        ] {
            list.remove(key);
        }
        self
    }

    /// Returns so many rows, of which the metric tells.
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The span tells of the rows, too.
    pub fn rows_on_span(mut self) -> Self {
        self.rows_on_span = true;
        self
    }

    /// Fails with this code of the database.
    pub fn fails(mut self, code: impl Into<String>) -> Self {
        let code = code.into();
        self.code = Some(code.clone());
        self.class = Some(code);
        self.failed = true;
        self
    }

    /// Fails with an error that is not the database's.
    pub fn fails_here(mut self, class: &str) -> Self {
        self.class = Some(class.to_owned());
        self.failed = true;
        self
    }

    /// Fails so, and returns no rows.
    pub fn failing(mut self, failure: Failure) -> Self {
        self.rows = None;
        match failure {
            Failure::Code(code) => self.fails(code),
            Failure::Class(class) => self.fails_here(class),
        }
    }

    /// Is dropped before it is done, and returns no rows.
    pub fn dropped(mut self, cancellation: Cancellation) -> Self {
        self.rows = None;
        if cancellation != Cancellation::Ignore {
            self.class = Some("cancelled".to_owned());
        }
        self.failed = cancellation == Cancellation::Error;
        self
    }

    /// The description of the span's status.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Has this parent, in the same trace.
    pub fn child_of(mut self, parent: &impl SpanIdentity) -> Self {
        self.parent = Some(parent.span_context());
        self
    }

    /// Leaves no span.
    pub fn no_span(mut self) -> Self {
        self.has_span = false;
        self
    }

    /// Leaves no metrics.
    pub fn no_metrics(mut self) -> Self {
        self.has_metrics = false;
        self
    }

    /// The name of the span.
    pub fn name<'a>(&'a self, database: &'a Database) -> &'a str {
        self.name.as_deref().unwrap_or(database.system)
    }

    /// `error.type`, if it has one.
    pub fn error_type(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// What the span has when it starts, for samplers to see.
    pub fn started_attributes(&self, database: &Database) -> Attributes {
        let mut list = database.attributes();
        list.extend(self.on_both.clone());
        list.extend(self.on_span.clone());
        list
    }

    /// The whole span.
    pub fn span(&self, database: &Database) -> ExpectedSpan {
        let mut whole = self.started_attributes(database);
        whole.extend(self.at_end.clone());
        whole.extend(self.end());
        if let Some(rows) = self.rows.filter(|_| self.rows_on_span) {
            whole.insert("db.response.returned_rows".to_owned(), rows.into());
        }
        let (scope, version, schema_url) = database.scope();
        let mut expected = expect_span(self.name(database))
            .kind(SpanKind::Client)
            .scope(scope, version, schema_url)
            .attributes(whole);
        if let Some(parent) = &self.parent {
            expected = expected.child_of(parent);
        }
        if self.failed {
            expected = expected.error_description(&self.description);
        }
        expected
    }

    /// The attributes of its duration and its rows.
    pub fn metric_attributes(&self, database: &Database) -> Attributes {
        let mut list = database.attributes();
        list.extend(self.on_both.clone());
        list.extend(self.end());
        list.extend(self.on_metrics.clone());
        list
    }

    /// What span and metrics say of the end.
    fn end(&self) -> Attributes {
        let mut list = Attributes::new();
        let mut insert = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                list.insert(key.to_owned(), value.into());
            }
        };
        insert("db.response.status_code", &self.code);
        insert("error.type", &self.class);
        list
    }
}
