//! The servers that the shop is given in the place of what it brings along.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use otelware_testing::Program;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use sqlx::{AssertSqlSafe, Connection};

pub(crate) const POSTGRES: SocketAddr = local(5432);
pub(crate) const MARIADB: SocketAddr = local(3306);
pub(crate) const RABBITMQ: SocketAddr = local(5672);

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The URL of PostgreSQL at this address, with a schema that is the test's own and empty.
pub(crate) fn postgres(address: SocketAddr, schema: &str) -> String {
    let url = |address| format!("postgres://otelware:otelware@{address}/otelware");
    let statement = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    execute(&url(POSTGRES), &statement);
    format!("{}?options=-c%20search_path%3D{schema}", url(address))
}

/// The URL of MariaDB at this address, without the shop's tables.
pub(crate) fn mariadb(address: SocketAddr) -> String {
    let url = |address| format!("mysql://otelware:otelware@{address}/otelware");
    let statement = "DROP TABLE IF EXISTS order_lines, orders, outbox, _sqlx_migrations";
    execute(&url(MARIADB), statement);
    url(address)
}

/// The URL of RabbitMQ at this address.
pub(crate) fn rabbitmq(address: SocketAddr) -> String {
    format!("amqp://guest:guest@{address}/%2f")
}

fn execute(url: &str, statement: &str) {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        statement.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// A Redis of a test's own. It is killed when dropped.
pub(crate) struct Redis {
    address: SocketAddr,
    /// `None` while it is down.
    program: Option<Program>,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let mut redis = Self {
            address: local(free_port()),
            program: None,
        };
        redis.restart();
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Kills it, with all that it has.
    pub(crate) fn kill(&mut self) {
        self.program = None;
    }

    /// Starts it again on the same port, and waits until it listens.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let port = self.port().to_string();
        let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", ""];
        let path = std::env::var("PATH").unwrap();
        let program = Program::start("redis-server", &arguments, &[("PATH", &path)]);
        program.wait_for("a port that listens", || {
            TcpStream::connect(self.address).ok()
        });
        self.program = Some(program);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// librdkafka's mock cluster: one that goes down and comes back when it is told to.
pub(crate) struct Kafka(MockCluster<'static, DefaultProducerContext>);

impl Kafka {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("order-events", 3, 1).unwrap();
        Self(cluster)
    }

    pub(crate) fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }

    pub(crate) fn cut(&self) {
        self.0.broker_down(1).unwrap();
    }

    pub(crate) fn restore(&self) {
        self.0.broker_up(1).unwrap();
    }
}
