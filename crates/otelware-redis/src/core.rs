//! What all connections of a client share.

use crate::database::Selected;
use crate::options::{CommandView, RedisOptions};
use crate::server::Server;
use otelware::database::{Client, Failure, Internal, Options, Shared};
#[cfg(feature = "cluster")]
use otelware::opentelemetry::KeyValue;
use otelware::opentelemetry::metrics::Counter;
use otelware::operation::{Lazily, Operation, Series};
use otelware::semconv::{metric, unit};
use redis::{RedisError, RedisResult};
#[cfg(feature = "aio")]
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What all connections of a client share.
#[derive(Debug)]
pub(crate) struct Core {
    settled: Lazily<RedisOptions, Running>,
    server: Server,
    #[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
    pub(crate) pool: crate::pool::PoolTelemetry,
}

/// What is needed at work.
#[derive(Debug)]
struct Running {
    client: Client,
    timeouts: Series<Counter<u64>>,
    reconnections: Series<Counter<u64>>,
    #[cfg(feature = "cluster")]
    redirections: Series<Counter<u64>>,
}

impl Core {
    pub(crate) fn new(options: RedisOptions, server: Server) -> Arc<Self> {
        Arc::new(Self {
            settled: Lazily::new(options.settled()),
            server,
            #[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
            pool: Default::default(),
        })
    }

    pub(crate) const fn options(&self) -> &RedisOptions {
        self.settled.options()
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// What is needed at work, made at the first use.
    #[inline]
    fn running(&self) -> &Running {
        self.settled.get_or_make(|options| {
            let client = Client::new(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
                &options.shared.providers,
                &self.server.to_shared(),
            );
            let instrumentation = client.instrumentation();
            Running {
                timeouts: instrumentation.counter(
                    metric::REDIS_TIMEOUTS,
                    "The number of commands to which no reply came in time.",
                    unit::TIMEOUTS,
                ),
                reconnections: instrumentation.counter(
                    metric::REDIS_RECONNECTIONS,
                    "The number of connections that worked again after they had been lost.",
                    unit::CONNECTIONS,
                ),
                #[cfg(feature = "cluster")]
                redirections: instrumentation.counter(
                    metric::REDIS_REDIRECTIONS,
                    "The number of commands that a node of the cluster sent elsewhere.",
                    unit::COMMANDS,
                ),
                client,
            }
        })
    }

    pub(crate) fn timeouts(&self) -> &Series<Counter<u64>> {
        &self.running().timeouts
    }

    /// A node of the cluster sent a command elsewhere, with this code.
    #[cfg(feature = "cluster")]
    pub(crate) fn redirected(&self, code: &'static str) {
        let running = self.running();
        let key = Some([code.as_ptr().addr() as u64, 0, 0, 0]);
        running.redirections.measure(1, key, || {
            let mut list = running.client.server().to_vec();
            let key = otelware::semconv::attribute::DB_RESPONSE_STATUS_CODE;
            list.push(KeyValue::new(key, code));
            list
        });
    }

    /// Begins the opening of a connection, where that has a span.
    fn connect_span(&self) -> Option<Operation<Internal>> {
        (self.options().connect_spans).then(|| Internal::begin(self, "connect", |_| {}))
    }

    /// Opens a connection, observed where that is wanted.
    pub(crate) fn connect<T>(&self, connect: impl FnOnce() -> RedisResult<T>) -> RedisResult<T> {
        let Some(mut span) = self.connect_span() else {
            return connect();
        };
        let connected = {
            let _entered = span.enter();
            connect()
        };
        Internal::finish(span, failure(&connected));
        connected
    }

    /// The same, asynchronously. In a box, since the futures that wait for it would each be as long
    /// as it is, and more.
    #[cfg(feature = "aio")]
    pub(crate) async fn connect_async<T>(
        &self,
        connect: Pin<Box<impl Future<Output = RedisResult<T>>>>,
    ) -> RedisResult<T> {
        let Some(mut span) = self.connect_span() else {
            return connect.await;
        };
        let connected = span.within(connect).await;
        Internal::finish(span, failure(&connected));
        connected
    }
}

fn failure<T>(connected: &RedisResult<T>) -> Option<Failure> {
    connected.as_ref().err().map(crate::error::failure)
}

impl Shared for Core {
    type View = CommandView<'static>;

    fn options(&self) -> &Options<CommandView<'static>> {
        &self.settled.options().shared
    }

    #[inline]
    fn client(&self) -> &Client {
        &self.running().client
    }
}

/// What the clones of one connection share.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) core: Arc<Core>,
    /// Whether it was lost, and has not worked since.
    lost: AtomicBool,
    pub(crate) selected: Selected,
    /// Whether commands go by the same connection, so that a database stays selected.
    is_connection: bool,
}

impl Session {
    /// What is observed of a connection, or else of a client, which opens one for each command.
    pub(crate) fn new(core: Arc<Core>, is_connection: bool) -> Arc<Self> {
        Arc::new(Self {
            core,
            is_connection,
            lost: AtomicBool::new(false),
            selected: Selected::default(),
        })
    }

    /// The database, where connections have one and it is known: that which was selected, or that
    /// of the beginning.
    #[inline]
    pub(crate) fn database(&self, beginning: impl FnOnce() -> i64) -> Option<i64> {
        match self.core.server.is_numbered() {
            true => self.selected.number(beginning),
            false => None,
        }
    }

    /// Whether a database can be selected.
    pub(crate) fn has_database(&self) -> bool {
        self.is_connection && self.core.server.is_numbered()
    }

    /// The connection worked.
    #[inline]
    pub(crate) fn worked(&self) {
        if self.lost.load(Ordering::Relaxed) && self.lost.swap(false, Ordering::Relaxed) {
            let running = self.core.running();
            let attributes = || running.client.server().to_vec();
            running.reconnections.measure(1, Some([0; 4]), attributes);
        }
    }

    /// The connection, or what it was asked for, failed.
    pub(crate) fn failed(&self, error: &RedisError) {
        if error.is_connection_dropped() || error.is_connection_refusal() {
            self.lost.store(true, Ordering::Relaxed);
            // The next one begins as this one did.
            self.selected.begin();
        } else if error.code().is_some() {
            self.worked();
        }
    }
}
