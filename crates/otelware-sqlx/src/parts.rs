//! Queries that are taken apart and handed on.

use crate::options::SqlOptions;
use sqlx::error::BoxDynError;
use sqlx::{Arguments, AssertSqlSafe, Database, Execute, SqlSafeStr, SqlStr};

/// What a query consists of. Its text is to be had but once, so that the query itself can't go on
/// after a look at it.
pub(crate) struct Parts<DB: Database> {
    sql: SqlStr,
    statement: Option<DB::Statement>,
    arguments: Option<Result<Option<DB::Arguments>, BoxDynError>>,
    persistent: bool,
}

impl<DB: Database> Parts<DB> {
    pub(crate) fn of<'q>(mut query: impl Execute<'q, DB>) -> Self {
        // In this order: some queries answer by what is left of them.
        let statement = query.statement().cloned();
        let arguments = query.take_arguments();
        let persistent = query.persistent();
        Self {
            sql: query.sql(),
            statement,
            arguments: Some(arguments),
            persistent,
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.sql.as_str()
    }

    /// The query with its comment, where those are wanted. To be called within the operation.
    pub(crate) fn commented(mut self, options: &SqlOptions) -> Self {
        if options.comments.is_empty() || self.statement.is_some() {
            return self;
        }
        let is_sent_once = matches!(&self.arguments, Some(Ok(None)));
        let text = self.sql.as_str();
        if let Some(text) = options
            .comments
            .add_to(text, is_sent_once, &options.shared.providers)
        {
            self.sql = AssertSqlSafe(text).into_sql_str();
        }
        self
    }

    /// Whether values stand apart from the text, which then has none that were not meant for it.
    pub(crate) fn is_parameterised(&self) -> bool {
        matches!(&self.arguments, Some(Ok(Some(arguments))) if arguments.len() > 0)
    }
}

impl<DB: Database> Execute<'_, DB> for Parts<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        self.arguments.take().unwrap_or(Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}
