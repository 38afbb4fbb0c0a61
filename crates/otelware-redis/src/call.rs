//! The life of an operation on a server.

use crate::command;
use crate::core::{Core, Session};
use crate::error;
use crate::options::CommandView;
use otelware::database::{self, DescribeCall, Measured, Planned};
use otelware::opentelemetry::{KeyValue, StringValue};
use otelware::operation::{self, End, Label, Operation, Outcome};
use otelware::semconv::{attribute, value};
use redis::{RedisError, RedisResult, ServerError};
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
    /// The database that it selects.
    selects: Option<i64>,
}

/// The first error among replies, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed<'a> {
    pub(crate) first: &'a ServerError,
    pub(crate) count: usize,
}

/// How several commands are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Pipeline,
    Transaction,
}

impl Batch {
    const fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "PIPELINE",
            Self::Transaction => "MULTI",
        }
    }
}

/// Begins a command, whose arguments are there as often as asked for.
#[inline]
pub(crate) fn begin<'a, A>(
    session: &Session,
    database: Option<i64>,
    arguments: impl Fn() -> A,
) -> Operation<Call>
where
    A: ExactSizeIterator<Item = &'a [u8]>,
{
    let core = &session.core;
    let name = label(command::name(arguments()));
    let procedure = command::stored_procedure(arguments()).map(Label::foreign);
    let what = Command {
        core: core.clone(),
        name,
        database,
        batch_size: None,
        errors: 0,
        procedure,
        selects: selected(arguments()),
    };
    start(what, |keys| command::text(arguments(), keys))
}

/// Begins several commands that are sent at once, which are there as often as asked for. One is no
/// more than itself.
pub(crate) fn begin_batch<'a, C, A>(
    session: &Session,
    database: Option<i64>,
    batch: Batch,
    commands: impl Fn() -> C,
) -> Operation<Call>
where
    C: Iterator<Item = A>,
    A: ExactSizeIterator<Item = &'a [u8]>,
{
    let mut others = commands();
    let first = others.next().map(command::name);
    let (mut size, mut are_equal) = (usize::from(first.is_some()), true);
    for other in others {
        size += 1;
        are_equal = are_equal && Some(command::name(other)) == first;
    }
    let name = match first {
        Some(first) if size == 1 => label(first),
        Some(first) if are_equal => joined(batch.name(), first.as_str()),
        _ => Label::new(batch.name()),
    };
    let procedure = (commands().next())
        .filter(|_| size == 1)
        .and_then(command::stored_procedure)
        .map(Label::foreign);
    let what = Command {
        core: session.core.clone(),
        name,
        database,
        batch_size: (size != 1).then_some(size),
        errors: 0,
        procedure,
        selects: commands().filter_map(selected).last(),
    };
    start(what, |keys| command::pipeline_text(commands(), keys))
}

#[inline]
fn start(what: Command, text: impl FnOnce(command::KeyCapture) -> String) -> Operation<Call> {
    Planned::new(what, &()).begin(|what, list| {
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

/// The database that a command selects.
#[inline]
fn selected<'a>(mut arguments: impl Iterator<Item = &'a [u8]>) -> Option<i64> {
    let is_one = (arguments.next()?).eq_ignore_ascii_case(b"SELECT");
    let number = arguments.next().filter(|_| is_one)?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// The name of a command. What is not known may be anything, so that it takes no place of what is.
#[inline]
fn label(name: command::Name<'_>) -> Label {
    match name {
        command::Name::Static(name) => Label::new(name),
        command::Name::Given(name) => Label::foreign(name),
    }
}

/// `PIPELINE SET`.
fn joined(batch: &str, command: &str) -> Label {
    // Names are short, so that they are put together without an allocation.
    let mut bytes = [b' '; 96];
    let len = batch.len() + 1 + command.len();
    if let Some(rest) = bytes.get_mut(..len)
        && let Some((start, end)) = rest.split_at_mut_checked(batch.len() + 1)
        && let Some(start) = start.get_mut(..batch.len())
    {
        start.copy_from_slice(batch.as_bytes());
        end.copy_from_slice(command.as_bytes());
    }
    match bytes.get(..len).map(std::str::from_utf8) {
        Some(Ok(name)) => Label::foreign(name),
        _ => Label::new(batch),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
            Call::fail(operation, error::server_failure(first), first);
        }
        None => {
            if let Some(database) = operation.describe_mut().what_mut().selects {
                session.select(database);
            }
            operation.finish(&Outcome::Success);
        }
    }
}

/// Ends an operation that failed as a whole.
pub(crate) fn fail(mut operation: Operation<Call>, session: &Session, error: &RedisError) {
    session.failed(error);
    let what = operation.describe_mut().what_mut();
    if what.batch_size.is_some() {
        let errors = error.clone().into_server_errors();
        what.errors = errors.map_or(0, |errors| errors.len());
    }
    Call::fail(operation, error::failure(error), error);
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
        if let Some(procedure) = &self.procedure {
            list.push(KeyValue::new(
                attribute::DB_STORED_PROCEDURE_NAME,
                procedure.value(),
            ));
        }
    }

    #[inline]
    fn attributes_key(&self) -> u64 {
        let database = self.database.map_or(u64::MAX, i64::cast_unsigned);
        match &self.procedure {
            Some(procedure) => {
                operation::hash_bytes(procedure.as_str().as_bytes()).rotate_left(8) ^ database
            }
            None => database,
        }
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
