//! The programs under test as child processes.

use std::net::SocketAddr;

use otelware_testing::Program;
use otelware_testing::otlp::OtlpReceiver;
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};

const SERVER: &str = env!("CARGO_BIN_EXE_orders-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_orders-client");

/// Starts a program that exports to a receiver.
fn start(path: &str, receiver: &OtlpReceiver, variable: (&str, &str)) -> Program {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint()),
        variable,
    ];
    Program::start(path, &[], &variables)
}

/// The server.
pub(crate) struct OrdersServer {
    program: Program,
    address: SocketAddr,
}

impl OrdersServer {
    /// Starts it on a free port and waits until it listens.
    pub(crate) fn start(receiver: &OtlpReceiver) -> Self {
        let program = start(SERVER, receiver, ("LISTEN", "127.0.0.1:0"));
        let address = program.listening_address();
        Self { program, address }
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
        self.program.stop();
    }
}

/// Runs the client against the server, to its end, which must be a success.
pub(crate) fn run_client(receiver: &OtlpReceiver, server: &OrdersServer) {
    let url = format!("http://{}", server.address());
    let client = start(CLIENT, receiver, ("ORDERS_URL", &url));
    client.end().assert_success();
}
