//! What a pool or a connection can be told.

use crate::comment::Comments;
use otelware::opentelemetry::KeyValue;
use otelware::operation::{Cancellation, Providers, Signals};
use std::sync::Arc;
use std::time::Duration;

/// An operation as hooks and filters see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct QueryView<'a> {
    /// What it does, to which tables: `SELECT orders`; `BEGIN` and such for transactions.
    pub summary: Option<&'a str>,
    /// Its text, with all that it has of values: not to be shown.
    pub text: &'a str,
}

/// A hook that an operation is shown to.
pub(crate) type Hook<T> = Arc<dyn Fn(QueryView<'_>) -> T + Send + Sync>;

/// How the operations on a database are observed, for
/// [`instrument_with`](crate::Instrument::instrument_with).
///
/// ```
/// let options = otelware_sqlx::SqlOptions::new()
///     .with_returned_rows()
///     .with_pool_name("orders");
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a pool is given them"]
pub struct SqlOptions {
    pub(crate) providers: Providers,
    pub(crate) pool_name: Option<String>,
    pub(crate) system: Option<&'static str>,
    pub(crate) query_text: bool,
    pub(crate) masks_all: bool,
    pub(crate) returned_rows: bool,
    pub(crate) transactions: bool,
    pub(crate) only_with_parent: bool,
    pub(crate) minimum_duration: Option<Duration>,
    pub(crate) error_messages: bool,
    pub(crate) comments: Comments,
    pub(crate) cancellation: Cancellation,
    pub(crate) filter: Option<Hook<Signals>>,
    pub(crate) span_attributes: Option<Hook<Vec<KeyValue>>>,
    pub(crate) metric_attributes: Option<Hook<Vec<KeyValue>>>,
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
            providers: Providers::default(),
            pool_name: None,
            system: None,
            query_text: true,
            masks_all: false,
            returned_rows: false,
            transactions: true,
            only_with_parent: false,
            minimum_duration: None,
            error_messages: false,
            comments: Comments::default(),
            cancellation: Cancellation::Ignore,
            filter: None,
            span_attributes: None,
            metric_attributes: None,
        }
    }

    fn providers_mut(&mut self) -> &mut Providers {
        &mut self.providers
    }

    otelware::__with_providers!();

    /// The pool's name on its metrics, instead of `address:port/namespace`.
    pub fn with_pool_name(mut self, name: impl Into<String>) -> Self {
        self.pool_name = Some(name.into());
        self
    }

    /// `db.system.name` where the driver can't tell: `mariadb` of a server that is one, since it is
    /// called as MySQL.
    pub fn with_system_name(mut self, system: &'static str) -> Self {
        self.system = Some(system);
        self
    }

    /// Leaves out `db.query.text`, which is otherwise there: as it is where values are bound to it,
    /// else with `?` in the place of each literal.
    pub fn without_query_text(mut self) -> Self {
        self.query_text = false;
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

    /// Makes spans only within other spans: none for what a poller does on its own. Metrics are
    /// measured all the same.
    pub fn with_parent_only(mut self) -> Self {
        self.only_with_parent = true;
        self
    }

    /// Makes no spans for operations that took less time than this, unless they failed. Metrics are
    /// measured all the same. Spans are then made at the end of operations: what the driver logs
    /// meanwhile belongs to the span around them.
    pub fn with_minimum_duration(mut self, minimum: Duration) -> Self {
        self.minimum_duration = Some(minimum);
        self
    }

    /// Shows the message of an error, as the description of the span's status and in the event of
    /// the exception. Such messages may have values in them.
    pub fn with_error_messages(mut self) -> Self {
        self.error_messages = true;
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

    /// Decides what becomes of operations that were dropped before they were done; by default
    /// nothing is marked.
    pub fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// Decides which signals an operation produces; a `bool` stands for all or none.
    pub fn with_filter<S: Into<Signals>>(
        mut self,
        filter: impl Fn(QueryView<'_>) -> S + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Arc::new(move |query| filter(query).into()));
        self
    }

    /// Sets further attributes of the span, before it starts.
    pub fn with_span_attributes(
        mut self,
        attributes: impl Fn(QueryView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) -> Self {
        self.span_attributes = Some(Arc::new(attributes));
        self
    }

    /// Adds attributes to the duration and the returned rows; they must have low cardinality.
    pub fn with_metric_attributes(
        mut self,
        attributes: impl Fn(QueryView<'_>) -> Vec<KeyValue> + Send + Sync + 'static,
    ) -> Self {
        self.metric_attributes = Some(Arc::new(attributes));
        self
    }
}

impl std::fmt::Debug for SqlOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlOptions")
            .field("providers", &self.providers)
            .field("pool_name", &self.pool_name)
            .field("system", &self.system)
            .field("query_text", &self.query_text)
            .field("masks_all", &self.masks_all)
            .field("returned_rows", &self.returned_rows)
            .field("transactions", &self.transactions)
            .field("only_with_parent", &self.only_with_parent)
            .field("minimum_duration", &self.minimum_duration)
            .field("error_messages", &self.error_messages)
            .field("comments", &self.comments)
            .field("cancellation", &self.cancellation)
            .finish_non_exhaustive()
    }
}
