//! A store of keys and values in this process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otelware_testing::Scope;
use otelware_testing::suites::database::{
    Action, Database, DatabaseUnderTest, ExpectedOperation, Failure, MINIMUM_DURATION, PoolState,
    PooledDatabaseUnderTest, SECRET, Setup,
};

use crate::faults::SECRET_IN_TEXT;
use crate::instrumentation::Instrumentation;
use crate::pool::{Connection, Pool};

pub const SCOPE: (&str, &str, &str) = ("store", "1.0.0", "https://example.com/schema");
pub const SYSTEM: &str = "other_store";

/// One that has this fault.
pub struct Store<const FAULT: usize> {
    core: Arc<Core>,
    pool: Pool,
    name: String,
}

/// What connections share.
pub struct Core {
    /// Where there is a server.
    values: Option<Mutex<HashMap<&'static str, String>>>,
    instrumentation: Instrumentation,
}

/// A connection that was taken.
pub struct Held {
    core: Arc<Core>,
    _connection: Connection,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    WrongType(String),
    Refused,
    Exhausted,
}

impl Error {
    pub fn code(&self) -> Option<&'static str> {
        matches!(self, Self::WrongType(_)).then_some("WRONGTYPE")
    }

    pub fn class(&self) -> &'static str {
        match self {
            Self::WrongType(_) => "WRONGTYPE",
            Self::Refused => "connection_refused",
            Self::Exhausted => "pool_exhausted",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType(value) => write!(formatter, "{value:?} is no number"),
            other => formatter.write_str(other.class()),
        }
    }
}

/// What is sent for an action: command, key and value.
fn command(action: Action) -> (&'static str, &'static str, Option<&'static str>) {
    match action {
        Action::Write => ("SET", "name", Some("ink")),
        Action::Read => ("GET", "name", None),
        Action::FindNothing => ("GET", "nothing", None),
        Action::Fail => ("ADD", "name", Some("pen")),
        Action::Wait => ("WAIT", "name", None),
        Action::CarrySecret => ("SET", "name", Some(SECRET)),
        Action::FailWithSecret => ("ADD", "name", Some(SECRET)),
    }
}

/// `SET name ?`
fn text(action: Action) -> String {
    let (command, key, value) = command(action);
    let value = if value.is_some() { " ?" } else { "" };
    format!("{command} {key}{value}")
}

impl Core {
    async fn answer(&self, action: Action) -> Result<u64, Error> {
        let values = self.values.as_ref().ok_or(Error::Refused)?;
        let (command, key, value) = command(action);
        match command {
            "SET" => {
                let value = value.unwrap().to_owned();
                values.lock().unwrap().insert(key, value);
                Ok(0)
            }
            "GET" => Ok(u64::from(values.lock().unwrap().contains_key(key))),
            "ADD" => Err(Error::WrongType(value.unwrap().to_owned())),
            _ => {
                tokio::time::sleep(MINIMUM_DURATION + Duration::from_millis(10)).await;
                Ok(0)
            }
        }
    }

    /// As an operation that is observed.
    async fn observed(
        &self,
        action: Action,
        running: impl Future<Output = Result<u64, Error>>,
    ) -> Result<u64, Error> {
        let (command, _, value) = command(action);
        let mut text = text(action);
        if self.instrumentation.has(SECRET_IN_TEXT) {
            text.push_str(value.unwrap_or_default());
        }
        self.instrumentation.observe(command, &text, running).await
    }
}

impl<const FAULT: usize> Store<FAULT> {
    fn new(setup: &Setup, is_there: bool) -> Self {
        let name = setup.options.pool_name.as_deref().unwrap_or("store");
        let instrumentation = Instrumentation::new(setup, FAULT);
        let values = HashMap::from([("name", "pen".to_owned())]);
        Self {
            pool: Pool::new(setup, instrumentation.meter(), name, FAULT),
            core: Arc::new(Core {
                values: is_there.then(|| Mutex::new(values)),
                instrumentation,
            }),
            name: name.to_owned(),
        }
    }
}

impl<const FAULT: usize> DatabaseUnderTest for Store<FAULT> {
    type Error = Error;

    const UNREACHABLE: Failure = Failure::Class("connection_refused");

    async fn connect(setup: &Setup) -> Self {
        Self::new(setup, true)
    }

    async fn unreachable(setup: &Setup) -> Self {
        Self::new(setup, false)
    }

    fn database(&self) -> Database {
        Database {
            scope: Scope::new(SCOPE.0, SCOPE.1, SCOPE.2),
            system: SYSTEM,
            namespace: Some("0".to_owned()),
            address: Some("127.0.0.1".to_owned()),
            port: None,
            pool: self.name.clone(),
        }
    }

    fn expected(&self, action: Action) -> ExpectedOperation {
        let (command, ..) = command(action);
        let expected = ExpectedOperation::new(command)
            .on_both("db.operation.name", command)
            .on_span("db.query.text", text(action));
        match command {
            "ADD" => expected.fails("WRONGTYPE"),
            _ => expected,
        }
    }

    async fn run(&self, action: Action) -> Result<u64, Error> {
        let running = async {
            let _connection = self.pool.acquire().await?;
            self.core.answer(action).await
        };
        self.core.observed(action, running).await
    }

    fn pool(&self) -> Option<PoolState> {
        Some(self.pool.state())
    }
}

impl<const FAULT: usize> PooledDatabaseUnderTest for Store<FAULT> {
    type Connection = Held;

    const EXHAUSTED: &'static str = "pool_exhausted";

    async fn acquire(&self) -> Result<Held, Error> {
        Ok(Held {
            _connection: self.pool.acquire().await?,
            core: self.core.clone(),
        })
    }

    async fn run_on(held: &mut Held, action: Action) -> Result<u64, Error> {
        let core = &held.core;
        core.observed(action, core.answer(action)).await
    }
}
