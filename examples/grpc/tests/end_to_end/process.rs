//! The programs under test as child processes.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use otelware_testing::otlp::OtlpReceiver;
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

const SERVER: &str = env!("CARGO_BIN_EXE_orders-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_orders-client");
const DEADLINE: Duration = Duration::from_secs(10);

/// Polls `look` until it finds something.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within ten seconds: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A program that exports to a receiver, with the log lines it has written so far.
struct Process {
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Process {
    fn start(program: &str, receiver: &OtlpReceiver, variable: (&str, &str)) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "otlp")
            .env("OTEL_METRICS_EXPORTER", "otlp")
            .env("OTEL_LOGS_EXPORTER", "otlp")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint())
            .env(variable.0, variable.1)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stderr.take().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&log);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                shared.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Self { child, log, reader }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    /// Waits for its end, which must be a success; what it wrote.
    fn end(mut self) -> String {
        let status: ExitStatus =
            eventually("the end of the process", || self.child.try_wait().unwrap());
        eventually("the end of the log", || {
            self.reader.is_finished().then_some(())
        });
        assert!(status.success(), "{status}: {}", self.log());
        self.log()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After a test that failed; one that has ended is left alone.
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// The server.
pub(crate) struct OrdersServer {
    process: Process,
    address: SocketAddr,
}

impl OrdersServer {
    /// Starts it on a free port and waits until it listens.
    pub(crate) fn start(receiver: &OtlpReceiver) -> Self {
        let mut process = Process::start(SERVER, receiver, ("LISTEN", "127.0.0.1:0"));
        let address = eventually("the line that names the address", || {
            let ended = process.child.try_wait().unwrap();
            assert_eq!(ended, None, "{}", process.log());
            listening_address(&process.log())
        });
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Calls it without instrumentation, and closes the connection.
    pub(crate) fn call<T>(&self, calls: impl AsyncFnOnce(Channel) -> T) -> T {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        Runtime::new()
            .unwrap()
            .block_on(async { calls(endpoint.connect().await.unwrap()).await })
    }

    /// Sends SIGTERM and waits for its end, which must be a success.
    pub(crate) fn stop(self) {
        let id = self.process.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
        self.process.end();
    }
}

/// Runs the client against the server, to its end; what it wrote.
pub(crate) fn run_client(receiver: &OtlpReceiver, server: &OrdersServer) -> String {
    let url = format!("http://{}", server.address());
    Process::start(CLIENT, receiver, ("ORDERS_URL", &url)).end()
}

/// The address in the first complete line that says `listening`.
fn listening_address(log: &str) -> Option<SocketAddr> {
    let line = log
        .split_inclusive('\n')
        .find(|line| line.ends_with('\n') && line.contains("listening"))?;
    let (_, address) = line.split_once(" address=")?;
    address.split_whitespace().next()?.parse().ok()
}
