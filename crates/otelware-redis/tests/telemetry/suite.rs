//! The suite of databases, on asynchronous connections and on those that block.

use crate::expected::{Call, Database, command, database};
use crate::support::{Server, Shared};
use otelware_redis::otelware::operation;
use otelware_redis::{Client, Instrument, RedisOptions};
use otelware_testing::suites::database::{
    Action, Cancellation, DatabaseUnderTest, Failure, Options, SECRET, Setup, Signals,
};
use redis::{Cmd, Commands, FromRedisValue, RedisError, RedisResult, Value};
use std::sync::Mutex;

/// The options that the suite wants.
pub(crate) fn options(setup: &Setup) -> RedisOptions {
    let mut options = told(setup.options.clone());
    if let Some(telemetry) = &setup.telemetry {
        options = options
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider());
        if setup.exceptions {
            options = options.with_logger_provider(telemetry.logger_provider());
        }
    }
    options
}

fn told(told: Options) -> RedisOptions {
    let mut options = RedisOptions::new();
    if let Some(filter) = told.filter {
        options = options.with_filter(move |command| match filter.signals(command.name) {
            Signals::None => operation::Signals::NONE,
            Signals::Traces => operation::Signals::TRACES,
            Signals::Metrics => operation::Signals::METRICS,
            Signals::All => operation::Signals::ALL,
        });
    }
    if let Some(cancellation) = told.cancellation {
        options = options.with_cancellation(match cancellation {
            Cancellation::Ignore => operation::Cancellation::Ignore,
            Cancellation::Mark => operation::Cancellation::Mark,
            Cancellation::Error => operation::Cancellation::Error,
        });
    }
    if told.parent_only {
        options = options.with_parent_only();
    }
    if let Some(minimum) = told.minimum_duration {
        options = options.with_minimum_duration(minimum);
    }
    if told.error_messages {
        options = options.with_error_messages();
    }
    if told.late_attributes {
        options = options.with_late_attributes();
    }
    if let Some(name) = told.pool_name {
        options = options.with_pool_name(name);
    }
    if !told.span_attributes.is_empty() {
        options = options.with_span_attributes(move |_| told.span_attributes.clone());
    }
    if !told.metric_attributes.is_empty() {
        options = options.with_metric_attributes(move |_| told.metric_attributes.clone());
    }
    options
}

/// A connection and what it is to.
struct UnderTest<C> {
    connection: C,
    keys: Shared,
    database: Database,
}

impl<C> UnderTest<C> {
    fn prepared(setup: &Setup) -> (Client, Shared) {
        let keys = Shared::new();
        let mut raw = keys.connection();
        let _: usize = raw.rpush(keys.key("list"), &["a", "b", "c"]).unwrap();
        let _: () = raw.set(keys.key("text"), "a").unwrap();
        let client = redis::Client::open(keys.url()).unwrap();
        (client.instrument_with(options(setup)), keys)
    }

    fn command(&self, action: Action) -> Cmd {
        let key = |name| self.keys.key(name);
        let mut command = Cmd::new();
        match action {
            Action::Write => command.arg("SET").arg(key("text")).arg("b"),
            Action::Read => command.arg("LRANGE").arg(key("list")).arg(0).arg(-1),
            Action::FindNothing => command.arg("GET").arg(key("none")),
            Action::Fail => command.arg("LPUSH").arg(key("text")).arg("c"),
            Action::Wait => command.arg("BLPOP").arg(key("none")).arg(0.1),
            Action::CarrySecret => command.arg("SET").arg(key("secret")).arg(SECRET),
            Action::FailWithSecret => command.arg("LPUSH").arg(key("text")).arg(SECRET),
        };
        command
    }

    fn operation(&self, action: Action) -> Call {
        let key = |name| self.keys.key(name);
        match action {
            Action::Write => command(format!("SET {} ?", key("text"))),
            Action::Read => command(format!("LRANGE {} ? ?", key("list"))),
            Action::FindNothing => command(format!("GET {}", key("none"))),
            Action::Fail | Action::FailWithSecret => {
                command(format!("LPUSH {} ?", key("text"))).fails("WRONGTYPE")
            }
            Action::Wait => command(format!("BLPOP {} ?", key("none"))),
            Action::CarrySecret => command(format!("SET {} ?", key("secret"))),
        }
    }
}

/// How much data came back.
fn amount(value: Value) -> RedisResult<u64> {
    match value {
        Value::Array(values) => Ok(values.len() as u64),
        Value::Nil | Value::Okay => Ok(0),
        value => Ok(u64::from_redis_value(value)?),
    }
}

type Asynchronous = UnderTest<otelware_redis::aio::MultiplexedConnection>;

impl DatabaseUnderTest for Asynchronous {
    type Error = RedisError;

    const UNREACHABLE: Failure = Failure::Class("connection_dropped");

    async fn connect(setup: &Setup) -> Self {
        let (client, keys) = Self::prepared(setup);
        Self {
            connection: client.get_multiplexed_async_connection().await.unwrap(),
            keys,
            database: database(6_379),
        }
    }

    async fn unreachable(setup: &Setup) -> Self {
        let server = Server::start();
        let client = server.client().instrument_with(options(setup));
        Self {
            connection: client.get_multiplexed_async_connection().await.unwrap(),
            keys: Shared::new(),
            database: database(server.port()),
        }
    }

    fn database(&self) -> Database {
        self.database.clone()
    }

    fn expected(&self, action: Action) -> Call {
        self.operation(action)
    }

    async fn run(&self, action: Action) -> Result<u64, RedisError> {
        let mut connection = self.connection.clone();
        amount(self.command(action).query_async(&mut connection).await?)
    }
}

type Blocking = UnderTest<Mutex<otelware_redis::Connection>>;

impl DatabaseUnderTest for Blocking {
    type Error = RedisError;

    const UNREACHABLE: Failure = Failure::Class("connection_dropped");

    async fn connect(setup: &Setup) -> Self {
        let (client, keys) = Self::prepared(setup);
        Self {
            connection: client.get_connection().unwrap().into(),
            keys,
            database: database(6_379),
        }
    }

    async fn unreachable(setup: &Setup) -> Self {
        let server = Server::start();
        let client = server.client().instrument_with(options(setup));
        Self {
            connection: client.get_connection().unwrap().into(),
            keys: Shared::new(),
            database: database(server.port()),
        }
    }

    fn database(&self) -> Database {
        self.database.clone()
    }

    fn expected(&self, action: Action) -> Call {
        self.operation(action)
    }

    async fn run(&self, action: Action) -> Result<u64, RedisError> {
        let mut connection = self.connection.lock().unwrap();
        amount(self.command(action).query(&mut *connection)?)
    }
}

mod asynchronous {
    otelware_testing::database_suite!(super::Asynchronous);
}

mod blocking {
    otelware_testing::database_suite!(super::Blocking, blocking);
}
