//! A way to a server that can be cut.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::background::BackgroundRuntime;

/// How long to wait before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How long a cut may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Forwards TCP connections to a server on a port of its own, until it is told otherwise: for tests of what happens
/// while a server is away. It stops when dropped.
///
/// ```
/// use std::net::{TcpListener, TcpStream};
/// use otelware_testing::Proxy;
///
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = Proxy::to(server.local_addr()?);
/// assert!(TcpStream::connect(proxy.address()).is_ok());
/// proxy.cut();
/// assert!(TcpStream::connect(proxy.address()).is_err());
/// proxy.restore();
/// assert!(TcpStream::connect(proxy.address()).is_ok());
/// # std::io::Result::Ok(())
/// ```
///
/// It runs on a thread of its own, and may be used inside and outside of asynchronous code.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    /// `None` while it is cut.
    way: Mutex<Option<Way>>,
    runtime: BackgroundRuntime,
}

/// From a start to the next cut. Whatever belongs to it holds a receiver.
type Way = watch::Sender<State>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Silent,
    Closed,
}

impl Proxy {
    /// Forwards from a free port of 127.0.0.1 to this server, which need not run yet.
    ///
    /// # Panics
    ///
    /// If no port can be listened on.
    #[track_caller]
    pub fn to(server: SocketAddr) -> Self {
        let started = BackgroundRuntime::start().and_then(|runtime| {
            let listener = runtime.listen((Ipv4Addr::LOCALHOST, 0).into())?;
            Ok((runtime, listener.local_addr()?, listener))
        });
        let (runtime, address, listener) = match started {
            Ok(started) => started,
            Err(error) => panic!("no proxy to {server}: {error}"),
        };
        let way = open(&runtime, listener, server);
        Self {
            address,
            server,
            way: Mutex::new(Some(way)),
            runtime,
        }
    }

    /// The address it listens on, unless it is cut. It stays the same.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and resets every connection, on both sides. When it returns, that has happened.
    ///
    /// # Panics
    ///
    /// If that takes longer than ten seconds.
    #[track_caller]
    pub fn cut(&self) {
        if let Some(way) = self.way().take() {
            way.send_replace(State::Closed);
            let started = Instant::now();
            while way.receiver_count() > 0 {
                assert!(
                    started.elapsed() < DEADLINE,
                    "connections to {} are open {DEADLINE:?} after they were cut",
                    self.address
                );
                thread::sleep(LOOK_AGAIN);
            }
        }
    }

    /// Keeps all connections and takes new ones, but lets nothing through any more, until it is cut or restored: as if
    /// the server hung.
    pub fn silence(&self) {
        if let Some(way) = &*self.way() {
            way.send_replace(State::Silent);
        }
    }

    /// Forwards again, on the same port. Connections that were [silenced](Self::silence) are reset.
    ///
    /// # Panics
    ///
    /// If the port cannot be listened on any more.
    #[track_caller]
    pub fn restore(&self) {
        self.cut();
        match self.runtime.listen(self.address) {
            Ok(listener) => {
                *self.way() = Some(open(&self.runtime, listener, self.server));
            }
            Err(error) => panic!("the proxy cannot listen on {} again: {error}", self.address),
        }
    }

    fn way(&self) -> MutexGuard<'_, Option<Way>> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(runtime: &BackgroundRuntime, listener: TcpListener, server: SocketAddr) -> Way {
    let (way, state) = watch::channel(State::Open);
    runtime.handle().spawn(serve(listener, server, state));
    way
}

async fn serve(listener: TcpListener, server: SocketAddr, mut state: watch::Receiver<State>) {
    let connections = state.clone();
    tokio::select! {
        () = is(&mut state, State::Closed) => {}
        () = async {
            // An attempt that has failed is the client's.
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(forward(client, server, connections.clone()));
                }
            }
        } => {}
    }
    // Before the receivers: whoever cuts waits for those.
    drop(listener);
}

/// Forwards one connection until it ends or is cut.
async fn forward(mut client: TcpStream, address: SocketAddr, state: watch::Receiver<State>) {
    let mut server = None;
    let mut cut = state.clone();
    tokio::select! {
        () = pass(&mut client, &mut server, address, state) => return,
        () = is(&mut cut, State::Closed) => {}
    }
    for stream in [Some(client), server].into_iter().flatten() {
        // It is reset when it is dropped, unless it has ended meanwhile.
        let _ = stream.set_zero_linger();
    }
}

/// Lets everything through until both sides have ended, or nothing any more. Where the server is not there, it ends at
/// once. The connection to the server is left in its place.
async fn pass(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    address: SocketAddr,
    mut state: watch::Receiver<State>,
) {
    let is_open = *state.borrow() == State::Open;
    if is_open {
        let Ok(connected) = TcpStream::connect(address).await else {
            return;
        };
        let server = server.insert(connected);
        // The way must add nothing to how long an answer takes.
        let _ = client.set_nodelay(true).and(server.set_nodelay(true));
        tokio::select! {
            _ = copy_bidirectional(client, server) => return,
            () = is(&mut state, State::Silent) => {}
        }
    }
    pending::<()>().await;
}

/// Completes in that state; a proxy that was dropped is closed.
async fn is(state: &mut watch::Receiver<State>, wanted: State) {
    if state.wait_for(|state| *state == wanted).await.is_err() && wanted != State::Closed {
        pending::<()>().await;
    }
}
