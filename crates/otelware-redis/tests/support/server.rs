//! A Redis server of a test's own.

use super::port;
use otelware_testing::Program;
use redis::{Connection, RedisResult};
use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tempfile::TempDir;

/// A server process with a port, a socket and a directory of its own. It keeps nothing when it
/// ends, and is killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// `None` while it is down.
    program: Option<Program>,
    port: u16,
    options: Vec<String>,
    directory: TempDir,
}

impl Server {
    /// A server without a password.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with these options of `redis-server`, such as `["--requirepass", "secret"]`.
    #[track_caller]
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let mut server = Self {
            program: None,
            port: port::free(),
            options: options.iter().copied().map(str::to_owned).collect(),
            directory: TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        };
        server.restart();
        server
    }

    /// Starts it again on the same port, which is free once it was [killed](Self::kill), and waits
    /// until it answers.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.kill();
        let port = self.port.to_string();
        let socket = self.socket();
        let mut arguments = vec![
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--unixsocket",
            socket.to_str().unwrap(),
            "--dir",
            self.directory.path().to_str().unwrap(),
            "--save",
            "",
            "--daemonize",
            "no",
        ];
        arguments.extend(self.options.iter().map(String::as_str));
        let path = env::var("PATH").unwrap();
        let program = Program::start("redis-server", &arguments, &[("PATH", &path)]);
        program.wait_for("an answer to PING", || self.ping().ok());
        self.program = Some(program);
    }

    /// Kills it. Nothing happens to one that is down.
    pub(crate) fn kill(&mut self) {
        self.program = None;
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// `redis://127.0.0.1:…`, with the password if there is one.
    pub(crate) fn url(&self) -> String {
        match self.password() {
            Some(password) => format!("redis://:{password}@{}", self.address()),
            None => format!("redis://{}", self.address()),
        }
    }

    /// The Unix socket that it listens on too.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// `redis+unix:///…`, with the password if there is one.
    pub(crate) fn socket_url(&self) -> String {
        let socket = self.socket();
        let socket = socket.display();
        match self.password() {
            Some(password) => format!("redis+unix://{socket}?pass={password}"),
            None => format!("redis+unix://{socket}"),
        }
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// A connection that is not under test.
    pub(crate) fn connection(&self) -> Connection {
        self.client().get_connection().unwrap()
    }

    /// What is in the line `name:…` of `INFO`, or of `CLUSTER INFO`.
    pub(crate) fn info(&self, command: &str, name: &str) -> Option<String> {
        let mut words = command.split(' ');
        let info: String = redis::cmd(words.next()?)
            .arg(words.collect::<Vec<_>>())
            .query(&mut self.connection())
            .unwrap();
        let value = |line: &str| Some(line.strip_prefix(name)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(value)
    }

    /// Waits until `look` finds something; `what` names that in the failure.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.program.as_ref().unwrap().wait_for(what, look)
    }

    fn ping(&self) -> RedisResult<()> {
        redis::cmd("PING").exec(&mut self.client().get_connection()?)
    }

    fn password(&self) -> Option<&str> {
        let mut options = self.options.iter();
        options.find(|option| *option == "--requirepass")?;
        options.next().map(String::as_str)
    }
}
