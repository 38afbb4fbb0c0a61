//! The life of an operation on a database.

use crate::core::{Core, Query};
use crate::error;
use crate::options::QueryView;
use otelware::database::{self, DescribeCall, Measured};
use otelware::opentelemetry::{KeyValue, StringValue};
use otelware::operation::{End, Label, Operation, Outcome};
use otelware::semconv::attribute;
use sqlx::Error;
use std::sync::Arc;

/// An operation that is yet to begin, with its first poll.
#[derive(Debug)]
pub(crate) struct Planned {
    planned: database::Planned<Statement>,
    text: Option<StringValue>,
}

/// An operation under way.
pub(crate) type Call = database::Call<Statement>;

/// What is known of an operation.
#[derive(Debug)]
pub(crate) struct Statement {
    core: Arc<Core>,
    query: Arc<Query>,
    rows: Option<u64>,
}

impl Planned {
    /// A query.
    pub(crate) fn query(core: &Arc<Core>, sql: &str, is_parameterised: bool) -> Self {
        Self::new(core, core.query(sql), sql, is_parameterised)
    }

    /// A step that is its own summary, as those of a transaction.
    pub(crate) fn step(core: &Arc<Core>, step: &'static str) -> Self {
        Self::new(core, core.step(step), step, false)
    }

    /// The preparation of a statement.
    pub(crate) fn prepare(core: &Arc<Core>, sql: &str) -> Self {
        let query = core.query(sql);
        let what = query.summary.as_ref().map_or("", Label::as_str);
        let prepare = core.step(format!("PREPARE {what}").trim_end());
        Self::new(core, prepare, sql, true)
    }

    fn new(core: &Arc<Core>, query: Arc<Query>, sql: &str, is_parameterised: bool) -> Self {
        let options = core.options();
        let statement = Statement {
            core: core.clone(),
            query,
            rows: None,
        };
        let planned = database::Planned::new(statement, sql);
        let text = (options.shared.query_text && planned.signals().traces()).then(|| {
            let is_shown = is_parameterised && !options.masks_all;
            let query = &planned.what().query;
            query.text(sql, core.dialect(), is_shown)
        });
        Self { planned, text }
    }

    /// Whether it returns rows, be they none.
    pub(crate) fn reads(&self) -> bool {
        self.planned.what().query.reads
    }

    /// Begins it.
    pub(crate) fn begin(self) -> Operation<Call> {
        let Self { planned, text } = self;
        planned.begin(|_, list| {
            if let Some(text) = text {
                list.push(KeyValue::new(attribute::DB_QUERY_TEXT, text));
            }
        })
    }
}

impl Statement {
    /// Rows have come.
    #[inline]
    pub(crate) fn add_rows(&mut self, rows: usize) {
        if rows > 0 {
            *self.rows.get_or_insert(0) += u64::try_from(rows).unwrap_or(u64::MAX);
        }
    }

    /// The operation is done: one that reads has returned rows, be they none.
    fn done(&mut self) {
        if self.query.reads {
            self.rows.get_or_insert(0);
        }
    }
}

impl DescribeCall for Statement {
    type Shared = Core;
    type Source = str;

    const NAME: &'static str = attribute::DB_QUERY_SUMMARY;

    #[inline]
    fn shared(&self) -> &Arc<Core> {
        &self.core
    }

    fn view<'a>(&'a self, text: &'a str) -> QueryView<'a> {
        QueryView {
            summary: self.query.summary.as_ref().map(Label::as_str),
            text,
        }
    }

    #[inline]
    fn name(&self) -> Option<&Label> {
        self.query.summary.as_ref()
    }

    fn end(&self, end: &End<'_>, with: &Measured<'_>) {
        let Some(rows) = self.rows else { return };
        if let Some(span) = end.span()
            && self.core.options().returned_rows
        {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new(attribute::DB_RESPONSE_RETURNED_ROWS, rows));
        }
        with.measure(self.core.rows(), rows);
    }
}

/// Ends an operation, with this error or without one.
pub(crate) fn finish(mut operation: Operation<Call>, error: Option<&Error>) {
    match error {
        // Nothing failed: nothing was found.
        Some(Error::RowNotFound) => operation.finish(&Outcome::Success),
        Some(error) => Call::fail(operation, error::failure(error), error),
        None => {
            operation.describe_mut().what_mut().done();
            operation.finish(&Outcome::Success);
        }
    }
}
