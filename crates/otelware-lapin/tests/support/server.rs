//! A RabbitMQ of a test's own.

use otelware_testing::Program;
use std::env;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A node with ports and a directory of its own, which keeps its queues while it is down. It is
/// killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// `None` while it is down.
    program: Option<Program>,
    port: u16,
    distribution_port: u16,
    directory: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut server = Self {
            program: None,
            port: free_port(),
            distribution_port: free_port(),
            directory: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        };
        std::fs::write(server.file("environment"), "").unwrap();
        server.restart();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it again on the same port, and waits until it listens.
    pub(crate) fn restart(&mut self) {
        self.program = None;
        let variables = self.variables();
        let variables: Vec<_> = variables
            .iter()
            .map(|(key, value)| (*key, &**value))
            .collect();
        let program = Program::start(program("rabbitmq-server"), &[], &variables)
            .deadline(Duration::from_secs(60));
        let address = (Ipv4Addr::LOCALHOST, self.port);
        program.wait_for("a port that listens", || TcpStream::connect(address).ok());
        self.program = Some(program);
    }

    /// Has it close its connections and stop.
    pub(crate) fn stop(&mut self) {
        self.program.take().unwrap().stop();
    }

    /// Tells it something by `rabbitmqctl`.
    pub(crate) fn control(&self, arguments: &[&str]) {
        let variables = self.variables();
        let variables: Vec<_> = variables
            .iter()
            .map(|(key, value)| (*key, &**value))
            .collect();
        let told = Program::start(program("rabbitmqctl"), arguments, &variables);
        told.deadline(Duration::from_secs(60))
            .end()
            .assert_success();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.file(name).to_str().unwrap().to_owned();
        vec![
            ("PATH", env::var("PATH").unwrap()),
            // Where the secret of the cluster is, of which this node is all.
            ("HOME", file("")),
            // The program is the node itself then, and not a script that waits for it.
            ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
            (
                "RABBITMQ_NODENAME",
                format!("otelware{}@localhost", self.port),
            ),
            ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".to_owned()),
            ("RABBITMQ_NODE_PORT", self.port.to_string()),
            ("RABBITMQ_DIST_PORT", self.distribution_port.to_string()),
            ("RABBITMQ_MNESIA_BASE", file("mnesia")),
            ("RABBITMQ_LOG_BASE", file("log")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", file("plugins")),
            ("RABBITMQ_CONFIG_FILE", file("none")),
            ("RABBITMQ_CONF_ENV_FILE", file("environment")),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            (
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1}".to_owned(),
            ),
        ]
    }
}

/// Debian wraps RabbitMQ's programs in one that changes the user: this is the one beneath.
fn program(name: &str) -> PathBuf {
    let beneath = Path::new("/usr/lib/rabbitmq/bin").join(name);
    beneath.canonicalize().unwrap_or_else(|_| name.into())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
