//! The servers that the shop is given in the place of what it brings along.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Mutex;

use otelware_testing::{Program, Proxy};
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
    let url = |address| format!("mariadb://otelware:otelware@{address}/otelware");
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
    program: Mutex<Option<Program>>,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let redis = Self {
            address: local(free_port()),
            program: Mutex::default(),
        };
        redis.restart();
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Kills it, with all that it has.
    pub(crate) fn kill(&self) {
        *self.program.lock().unwrap() = None;
    }

    /// Starts it again on the same port, and waits until it listens.
    pub(crate) fn restart(&self) {
        self.kill();
        let port = self.port().to_string();
        let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", ""];
        let path = std::env::var("PATH").unwrap();
        let program = Program::start("redis-server", &arguments, &[("PATH", &path)]);
        program.wait_for("a port that listens", || {
            TcpStream::connect(self.address).ok()
        });
        *self.program.lock().unwrap() = Some(program);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A broker of Kafka's that goes away and comes back when it is told to: librdkafka's mock cluster, or, where
/// `KAFKA_BOOTSTRAP` says that there is to be another, nisshi.
pub(crate) enum Kafka {
    Mock(MockCluster<'static, DefaultProducerContext>),
    Nisshi(Box<Nisshi>),
}

impl Kafka {
    pub(crate) fn start() -> Self {
        if std::env::var_os("KAFKA_BOOTSTRAP").is_some() {
            return Self::Nisshi(Box::new(Nisshi::start()));
        }
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("order-events", 3, 1).unwrap();
        Self::Mock(cluster)
    }

    pub(crate) fn brokers(&self) -> String {
        match self {
            Self::Mock(cluster) => cluster.bootstrap_servers(),
            Self::Nisshi(nisshi) => nisshi.proxy.address().to_string(),
        }
    }

    pub(crate) fn cut(&self) {
        match self {
            Self::Mock(cluster) => cluster.broker_down(1).unwrap(),
            Self::Nisshi(nisshi) => nisshi.proxy.cut(),
        }
    }

    pub(crate) fn restore(&self) {
        match self {
            Self::Mock(cluster) => cluster.broker_up(1).unwrap(),
            Self::Nisshi(nisshi) => nisshi.proxy.restore(),
        }
    }
}

/// A nisshi of a test's own, which tells its clients to come by the proxy. It is killed when dropped.
pub(crate) struct Nisshi {
    proxy: Proxy,
    _program: Program,
}

impl Nisshi {
    /// As `scripts/services` starts it.
    fn start() -> Self {
        let address = local(free_port());
        let proxy = Proxy::to(address);
        let (own, advertised) = (
            format!("tcp://{address}"),
            format!("tcp://{}", proxy.address()),
        );
        let arguments = [
            "broker",
            "--listener-url",
            &own,
            "--advertised-listener-url",
            &advertised,
            "--storage-engine",
            "memory://nisshi/",
            "--group-initial-rebalance-delay",
            "0s",
        ];
        let program = Program::start(program(), &arguments, &[("RUST_LOG", "error")]);
        program.wait_for("a port that listens", || TcpStream::connect(address).ok());
        Self {
            proxy,
            _program: program,
        }
    }
}

/// Where `scripts/services` has built it.
fn program() -> PathBuf {
    let home = |variable| std::env::var_os(variable).map(PathBuf::from);
    let cache = || home("XDG_CACHE_HOME").or_else(|| Some(home("HOME")?.join(".cache")));
    let tools = home("OTELWARE_TOOLS").or_else(|| Some(cache()?.join("otelware-tools")));
    let versions = std::fs::read_dir(tools.unwrap()).unwrap();
    let mut programs = versions.map(|version| version.unwrap().path().join("bin/nisshi"));
    programs.find(|program| program.is_file()).unwrap()
}
