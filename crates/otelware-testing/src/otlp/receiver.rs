//! The receiver and its life.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::http::Answer;
use super::received::Received;
use super::{grpc, http};
use crate::background::BackgroundRuntime;

/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// An OTLP endpoint on the loopback interface that keeps what it is sent. It stops when dropped.
///
/// It runs on a thread of its own, and may be started and dropped inside and outside of asynchronous code.
#[derive(Debug)]
pub struct OtlpReceiver {
    address: SocketAddr,
    scheme: &'static str,
    received: Shared,
    _runtime: BackgroundRuntime,
}

/// Options of an [`OtlpReceiver`].
#[must_use = "nothing listens before `http` or `grpc`"]
pub struct OtlpReceiverBuilder {
    address: SocketAddr,
    tls: Option<ServerConfig>,
}

impl OtlpReceiver {
    /// Accepts OTLP over HTTP/1.1 on a free port.
    ///
    /// # Panics
    ///
    /// As [`OtlpReceiverBuilder::http`].
    #[track_caller]
    pub fn http() -> Self {
        Self::builder().http(Answer::Status(200))
    }

    /// Accepts OTLP over gRPC on a free port.
    ///
    /// # Panics
    ///
    /// As [`OtlpReceiverBuilder::grpc`].
    #[track_caller]
    pub fn grpc() -> Self {
        Self::builder().grpc()
    }

    /// A receiver with options.
    pub fn builder() -> OtlpReceiverBuilder {
        OtlpReceiverBuilder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
        }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Everything received so far.
    pub fn received(&self) -> Received {
        lock(&self.received).clone()
    }

    /// What `look` finds in everything received so far, without a copy of that. Exports wait meanwhile; it must not ask the
    /// receiver itself.
    pub fn look<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&lock(&self.received))
    }

    /// Blocks the thread until `condition` is true of what has been received, and returns that; `what` names the
    /// condition in the failure. The condition must not ask the receiver itself.
    ///
    /// # Panics
    ///
    /// If that takes longer than ten seconds, naming the spans that have been received.
    #[track_caller]
    pub fn blocking_wait_until(
        &self,
        what: &str,
        condition: impl Fn(&Received) -> bool,
    ) -> Received {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let found = self.look(|received| condition(received).then(|| received.clone()));
            if let Some(received) = found {
                return received;
            }
            assert!(
                Instant::now() < deadline,
                "not received within ten seconds: {what}; spans: {:?}",
                self.look(Received::span_names)
            );
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl OtlpReceiverBuilder {
    /// The address to listen on; a free port of 127.0.0.1 by default.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Speaks TLS; without it, plain text.
    pub fn tls(mut self, config: ServerConfig) -> Self {
        self.tls = Some(config);
        self
    }

    /// Accepts OTLP over HTTP/1.1 and answers every request as `answer` says.
    ///
    /// # Panics
    ///
    /// If the address cannot be listened on.
    #[track_caller]
    pub fn http(self, answer: Answer) -> OtlpReceiver {
        self.start(b"http/1.1", |listener, tls, received| {
            http::serve(listener, tls, answer, received)
        })
    }

    /// Accepts OTLP over gRPC.
    ///
    /// # Panics
    ///
    /// If the address cannot be listened on.
    #[track_caller]
    pub fn grpc(self) -> OtlpReceiver {
        self.start(b"h2", grpc::serve)
    }

    #[track_caller]
    fn start<F>(
        self,
        protocol: &[u8],
        serve: impl FnOnce(tokio::net::TcpListener, Option<TlsAcceptor>, Shared) -> F,
    ) -> OtlpReceiver
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let tls = self.tls.map(|mut config| {
            config.alpn_protocols = vec![protocol.to_vec()];
            TlsAcceptor::from(Arc::new(config))
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let received = Shared::default();
        match listen(self.address) {
            Ok((runtime, listener, address)) => {
                let serving = serve(listener, tls, Arc::clone(&received));
                runtime.handle().spawn(serving);
                OtlpReceiver {
                    address,
                    scheme,
                    received,
                    _runtime: runtime,
                }
            }
            Err(error) => panic!("no OTLP receiver on {}: {error}", self.address),
        }
    }
}

fn listen(
    address: SocketAddr,
) -> std::io::Result<(BackgroundRuntime, tokio::net::TcpListener, SocketAddr)> {
    let runtime = BackgroundRuntime::start()?;
    let listener = runtime.listen(address)?;
    let address = listener.local_addr()?;
    Ok((runtime, listener, address))
}

impl fmt::Debug for OtlpReceiverBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OtlpReceiverBuilder")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

pub(super) type Shared = Arc<Mutex<Received>>;

pub(super) fn lock(received: &Shared) -> std::sync::MutexGuard<'_, Received> {
    received.lock().unwrap_or_else(PoisonError::into_inner)
}
