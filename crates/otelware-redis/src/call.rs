//! The life of an operation on a server.

use crate::batch::{Batch, Overview};
use crate::command::{Head, KeyCapture};
use crate::core::{Core, Session};
use crate::database::Changes;
use crate::error;
use crate::label::label;
use crate::options::CommandView;
use crate::replies::Failed;
use otelware::database::{self, DescribeCall, Measured, Planned};
use otelware::opentelemetry::{KeyValue, StringValue};
use otelware::operation::{End, Label, Operation, Outcome};
use otelware::semconv::{attribute, value};
use redis::{RedisError, RedisResult, Value};
use std::sync::Arc;

/// An operation under way.
pub(crate) type Call = database::Call<Command>;

/// What is known of an operation.
#[derive(Debug)]
pub(crate) struct Command {
    core: Arc<Core>,
    name: Label,
    database: Option<i64>,
    /// How many commands, if not one.
    batch_size: Option<usize>,
    /// How many of them failed.
    errors: usize,
    procedure: Option<Label>,
    /// What of it changes the database that the connection is at, which is rare.
    changes: Option<Box<Changes>>,
}

/// Begins a command, whose arguments are there as often as asked for.
#[inline]
pub(crate) fn begin<'a, A>(
    session: &Arc<Session>,
    database: Option<i64>,
    arguments: impl Fn() -> A,
) -> Operation<Call>
where
    A: ExactSizeIterator<Item = &'a [u8]>,
{
    let head = Head::of(arguments());
    let mut changes = None;
    Changes::add(&mut changes, session, 0, head.change());
    let what = Command {
        core: session.core.clone(),
        name: label(&head, None),
        database,
        batch_size: None,
        errors: 0,
        procedure: head.stored_procedure().map(Label::foreign),
        changes,
    };
    start(what, |keys| head.text(arguments(), keys))
}

/// Begins several commands that are sent at once, which are there as often as asked for. One is no
/// more than itself.
pub(crate) fn begin_batch<'a, C, A>(
    session: &Arc<Session>,
    database: Option<i64>,
    batch: Batch,
    commands: impl Fn() -> C,
) -> Operation<Call>
where
    C: Iterator<Item = A>,
    A: ExactSizeIterator<Item = &'a [u8]>,
{
    let all = Overview::of(session, commands());
    let (first, size) = (&all.first, all.size);
    let name = match size {
        1 => label(first, None),
        // Bytes that are no command.
        0 if batch == Batch::Packed => label(first, None),
        2.. if all.are_equal => label(first, Some(batch)),
        _ => Label::new(batch.name()),
    };
    let procedure = match size {
        1 => first.stored_procedure().map(Label::foreign),
        _ => None,
    };
    let what = Command {
        core: session.core.clone(),
        name,
        database,
        batch_size: match (batch, size) {
            (_, 1) | (Batch::Packed, 0) => None,
            _ => Some(size),
        },
        errors: 0,
        procedure,
        changes: all.changes,
    };
    start(what, |keys| {
        first.pipeline_text(all.are_equal, commands(), keys)
    })
}

#[inline]
fn start(what: Command, text: impl FnOnce(KeyCapture) -> String) -> Operation<Call> {
    Planned::new(what, &()).begin(|what, list| {
        // Not of metrics: there are as many digests as a program makes scripts.
        if let Some(procedure) = &what.procedure {
            list.push(KeyValue::new(
                attribute::DB_STORED_PROCEDURE_NAME,
                procedure.value(),
            ));
        }
        if let Some(size) = what.batch_size {
            list.push(KeyValue::new(
                attribute::DB_OPERATION_BATCH_SIZE,
                number(size),
            ));
        }
        let options = what.core.options();
        if options.shared.query_text {
            let text = text(options.keys);
            if !text.is_empty() {
                list.push(KeyValue::new(attribute::DB_QUERY_TEXT, text));
            }
        }
    })
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The replies to the commands of an operation came; none where it was refused as a whole.
#[inline]
pub(crate) fn replied(operation: &mut Operation<Call>, replies: Option<&[Value]>) {
    let what = operation.describe_mut().what_mut();
    if let Some(changes) = what.changes.take() {
        match replies {
            Some(replies) => changes.replied(what.batch_size.unwrap_or(1), replies),
            None => changes.refused(),
        }
    }
}

/// Ends an operation whose replies came.
#[inline]
pub(crate) fn finish(
    mut operation: Operation<Call>,
    session: &Session,
    failed: Option<Failed<'_>>,
) {
    session.worked();
    match failed {
        Some(Failed { first, count }) => {
            operation.describe_mut().what_mut().errors = count;
            let failure = error::server_failure(first, session.core.options());
            Call::fail(operation, failure, first);
        }
        None => operation.finish(&Outcome::Success),
    }
}

/// Ends an operation that failed as a whole.
pub(crate) fn fail(mut operation: Operation<Call>, session: &Session, error: &RedisError) {
    let what = operation.describe_mut().what_mut();
    if let Some(changes) = what.changes.take()
        && is_refusal(error, what.batch_size)
    {
        changes.refused();
    }
    session.failed(error);
    if what.batch_size.is_some() {
        let errors = error.clone().into_server_errors();
        what.errors = errors.map_or(0, |errors| errors.len());
    }
    let failure = error::failure_of_command(error, session.core.options());
    Call::fail(operation, failure, error);
}

/// Whether the server did nothing of what it was asked for.
fn is_refusal(error: &RedisError, batch_size: Option<usize>) -> bool {
    match (error.code(), batch_size) {
        (Some("EXECABORT"), _) | (Some(_), None) => true,
        // Some of the commands may have been done.
        _ => false,
    }
}

/// Ends an operation whose replies were looked at already.
pub(crate) fn end<T>(operation: Operation<Call>, session: &Session, done: &RedisResult<T>) {
    match done {
        Ok(_) => finish(operation, session, None),
        Err(error) => fail(operation, session, error),
    }
}

/// The numbers that servers have databases for unless told otherwise.
const DATABASES: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
];

fn namespace(database: i64) -> StringValue {
    let usual = usize::try_from(database).ok();
    match usual.and_then(|database| DATABASES.get(database)) {
        Some(database) => (*database).into(),
        None => database.to_string().into(),
    }
}

impl DescribeCall for Command {
    type Shared = Core;
    type Source = ();

    const NAME: &'static str = attribute::DB_OPERATION_NAME;

    #[inline]
    fn shared(&self) -> &Arc<Core> {
        &self.core
    }

    fn view<'a>(&'a self, (): &'a ()) -> CommandView<'a> {
        CommandView {
            name: self.name.as_str(),
            batch_size: self.batch_size,
        }
    }

    #[inline]
    fn name(&self) -> Option<&Label> {
        Some(&self.name)
    }

    #[inline]
    fn push_attributes(&self, list: &mut Vec<KeyValue>) {
        if let Some(database) = self.database {
            list.push(KeyValue::new(attribute::DB_NAMESPACE, namespace(database)));
        }
    }

    #[inline]
    fn attributes_key(&self) -> u64 {
        self.database.map_or(u64::MAX, i64::cast_unsigned)
    }

    fn end(&self, end: &End<'_>, with: &Measured<'_>) {
        if self.errors > 0
            && self.batch_size.is_some()
            && let Some(span) = end.span()
        {
            let errors = number(self.errors);
            span.set_attribute(KeyValue::new(attribute::REDIS_BATCH_ERRORS, errors));
        }
        if end
            .error_type()
            .is_some_and(|class| class.as_str() == value::TIMEOUT)
        {
            with.measure(self.core.timeouts(), 1);
        }
    }
}
