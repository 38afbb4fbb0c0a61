//! The server that instrumented clients talk to.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{any, get};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// An HTTP server on loopback that keeps what it receives. It stops when dropped.
///
/// | Path | Answer |
/// |---|---|
/// | `/echo` | 200 with the body of the request |
/// | `/status/{code}` | that status, with a short body where it may have one |
/// | `/redirect` | 302 to `/echo` |
/// | `/busy-once` | 503 at the first time, then 200 |
/// | `/stream` | 200 with a chunk, and another once [`Peer::release`] was called |
/// | `/hang` | nothing, ever |
/// | `/cut` | 200 with a `Content-Length` of 100, ten bytes, and the end of the connection once [`Peer::release`] was called |
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    state: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A request as a [`Peer`] received it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The path, and the query if there is one.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl Received {
    /// The values of a header, in order.
    pub fn header(&self, name: &str) -> Vec<String> {
        self.headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }
}

#[derive(Debug)]
struct Shared {
    received: watch::Sender<Vec<Received>>,
    busy: AtomicUsize,
    release: Notify,
}

impl Peer {
    /// Starts a server on 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST.into()).await
    }

    /// Starts a server on `::1`.
    pub async fn start_v6() -> Self {
        Self::start_on(Ipv6Addr::LOCALHOST.into()).await
    }

    async fn start_on(ip: IpAddr) -> Self {
        let listener = TcpListener::bind((ip, 0))
            .await
            .expect("a port on loopback");
        let address = listener.local_addr().expect("a bound listener");
        let state = Arc::new(Shared {
            received: watch::Sender::new(Vec::new()),
            busy: AtomicUsize::new(0),
            release: Notify::new(),
        });
        let router = Router::new()
            .route("/echo", any(echo))
            .route("/status/{code}", any(status))
            .route("/redirect", any(redirect))
            .route("/busy-once", any(busy_once))
            .route("/stream", get(streamed))
            .route("/hang", any(hang))
            .route("/cut", any(cut))
            .layer(axum::middleware::from_fn_with_state(state.clone(), keep))
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server");
        });
        Self {
            address,
            state,
            task,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it has received so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.borrow().clone()
    }

    /// The only request that it has received.
    ///
    /// # Panics
    ///
    /// If there is none or more than one.
    #[track_caller]
    pub fn only_received(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "one request is expected: {received:#?}");
        received.swap_remove(0)
    }

    /// Waits until it has received this many requests.
    pub async fn has_received(&self, count: usize) {
        let mut received = self.state.received.subscribe();
        let _ = received.wait_for(|received| received.len() >= count).await;
    }

    /// Stops, so that nothing listens at its address any more.
    pub async fn stop(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// Lets the next, or the current, response of `/stream` or `/cut` come to its end.
    pub fn release(&self) {
        self.state.release.notify_one();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let target = request.uri().path_and_query();
    let received = Received {
        method: request.method().clone(),
        target: target.map(ToString::to_string).unwrap_or_default(),
        headers: request.headers().clone(),
    };
    shared.received.send_modify(|all| all.push(received));
    next.run(request).await
}

fn answer(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("x-answer", header::HeaderValue::from_static("42"));
    response
}

async fn echo(request: Request) -> Response {
    match request.into_body().collect().await {
        Ok(body) => answer(StatusCode::OK, body.to_bytes()),
        Err(_) => answer(StatusCode::BAD_REQUEST, Body::empty()),
    }
}

async fn status(Path(code): Path<u16>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
    match status {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => answer(status, Body::empty()),
        status => answer(status, "short"),
    }
}

async fn redirect() -> Response {
    let mut response = answer(StatusCode::FOUND, Body::empty());
    let location = header::HeaderValue::from_static("/echo");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

async fn busy_once(State(shared): State<Arc<Shared>>) -> Response {
    match shared.busy.fetch_add(1, Ordering::Relaxed) {
        0 => answer(StatusCode::SERVICE_UNAVAILABLE, "busy"),
        _ => answer(StatusCode::OK, "done"),
    }
}

async fn streamed(State(shared): State<Arc<Shared>>) -> Response {
    let chunks = stream::unfold(0, move |sent| {
        let shared = shared.clone();
        async move {
            let chunk = match sent {
                0 => Bytes::from_static(b"first"),
                1 => {
                    shared.release.notified().await;
                    Bytes::from_static(b"second")
                }
                _ => return None,
            };
            Some((Ok::<_, Infallible>(chunk), sent + 1))
        }
    });
    answer(StatusCode::OK, Body::from_stream(chunks))
}

async fn hang() -> Response {
    std::future::pending().await
}

async fn cut(State(shared): State<Arc<Shared>>) -> Response {
    let chunks = stream::once(async { Ok(Bytes::from_static(b"0123456789")) });
    let end = stream::once(async move {
        shared.release.notified().await;
        Err("cut")
    });
    let mut response = answer(StatusCode::OK, Body::from_stream(chunks.chain(end)));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, header::HeaderValue::from(100));
    response
}
