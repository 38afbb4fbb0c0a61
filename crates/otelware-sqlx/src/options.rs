//! What a pool or a connection can be told.

use crate::comment::Comments;
use otelware::database::{Options, View};

/// An operation as hooks and filters see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct QueryView<'a> {
    /// What it does, to which tables: `SELECT orders`; `BEGIN` and such for transactions.
    pub summary: Option<&'a str>,
    /// Its text, with all that it has of values: not to be shown.
    pub text: &'a str,
}

impl View for QueryView<'static> {
    type Of<'a> = QueryView<'a>;
}

/// How the operations on a database are observed, for
/// [`instrument_with`](crate::Instrument::instrument_with).
///
/// ```
/// let options = otelware_sqlx::SqlOptions::new()
///     .with_returned_rows()
///     .with_pool_name("orders");
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a pool is given them"]
pub struct SqlOptions {
    pub(crate) shared: Options<QueryView<'static>>,
    pub(crate) system: Option<&'static str>,
    pub(crate) masks_all: bool,
    pub(crate) returned_rows: bool,
    pub(crate) transactions: bool,
    pub(crate) prepares: bool,
    pub(crate) pings: bool,
    pub(crate) comments: Comments,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SqlOptions {
    /// The defaults, and the global providers.
    pub fn new() -> Self {
        Self {
            shared: Options::default(),
            system: None,
            masks_all: false,
            returned_rows: false,
            transactions: true,
            prepares: false,
            pings: false,
            comments: Comments::default(),
        }
    }

    otelware::__with_database_options!(QueryView<'_>);

    /// `db.system.name` where the driver can't tell: `mariadb` of a server that is one, since it is
    /// called as MySQL.
    pub fn with_system_name(mut self, system: &'static str) -> Self {
        self.system = Some(system);
        self
    }

    /// Leaves out `db.query.text`, which is otherwise there: as it is where values are bound to it,
    /// else with `?` in the place of each literal.
    pub fn without_query_text(mut self) -> Self {
        self.shared.query_text = false;
        self
    }

    /// Puts `?` in the place of each literal of `db.query.text`, also where values are bound to it. By
    /// default such a text is shown as it is, as the conventions have it: its literals are the
    /// program's own.
    pub fn with_masked_literals(mut self) -> Self {
        self.masks_all = true;
        self
    }

    /// Counts the rows of each query for its span, as `db.response.returned_rows`. (The metric
    /// `db.client.response.returned_rows` has them in any case.)
    pub fn with_returned_rows(mut self) -> Self {
        self.returned_rows = true;
        self
    }

    /// Leaves out the beginnings and ends of transactions and savepoints.
    pub fn without_transactions(mut self) -> Self {
        self.transactions = false;
        self
    }

    /// Observes the preparation of statements by `prepare` and `prepare_with` too: `PREPARE SELECT
    /// orders`. (What a query prepares by itself is part of the query.)
    pub fn with_prepares(mut self) -> Self {
        self.prepares = true;
        self
    }

    /// Observes pings too: `PING`.
    pub fn with_pings(mut self) -> Self {
        self.pings = true;
        self
    }

    /// Adds these tags as a comment to the end of queries, for the database's own logs and
    /// statistics: `/*application='shop'*/`. Queries that have a comment are left as they are, and
    /// so are statements that were prepared beforehand. Spans show queries without it.
    pub fn with_comment_tags<I, K, V>(mut self, tags: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        let tags = tags.into_iter();
        self.comments
            .set_tags(tags.map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Adds the trace's id as a comment to queries that are not prepared, as those of
    /// [`sqlx::raw_sql`].
    pub fn with_trace_comments(mut self) -> Self {
        self.comments.add_trace();
        self
    }
}
