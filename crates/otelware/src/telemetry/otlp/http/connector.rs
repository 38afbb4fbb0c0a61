//! TCP connections to an endpoint, or to the proxy in front of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::uri::Scheme;
use ::http::{HeaderValue, Uri};
use futures_util::future::BoxFuture;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use opentelemetry_http::HttpError;
use tokio::net::TcpStream;
use tower_service::Service;

/// A peer that vanished is found out before the next export, which may be a minute away.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Connects to one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    proxy: Option<Intercept>,
}

impl Connector {
    /// For `endpoint`, by way of the proxy that `proxies` has for it.
    pub(super) fn new(endpoint: &Uri, proxies: &Matcher) -> Self {
        let proxy = proxies.intercept(endpoint);
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        // TLS to an endpoint is the next layer's work; nobody does it for a proxy.
        tcp.enforce_http(proxy.is_some());
        Self { tcp, proxy }
    }

    /// What a proxy wants to read in each request that it forwards.
    pub(super) fn proxy_authorization(&self, endpoint: &Uri) -> Option<&HeaderValue> {
        let proxy = self.proxy.as_ref().filter(|_| !is_tunneled(endpoint))?;
        proxy.basic_auth()
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = HttpError;
    type Future = BoxFuture<'static, Result<Stream, HttpError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, endpoint: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        let proxy = self.proxy.clone();
        Box::pin(async move {
            let forwarded = proxy.is_some() && !is_tunneled(&endpoint);
            let tcp = match proxy {
                None => tcp.call(endpoint).await?,
                Some(proxy) if forwarded => tcp.call(proxy.uri().clone()).await?,
                Some(proxy) => {
                    let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                    let mut tunnel = match proxy.basic_auth() {
                        Some(authorization) => tunnel.with_auth(authorization.clone()),
                        None => tunnel,
                    };
                    tunnel.call(endpoint).await?
                }
            };
            Ok(Stream { tcp, forwarded })
        })
    }
}

/// Proxies forward requests of plain HTTP, and pass through what is encrypted.
fn is_tunneled(endpoint: &Uri) -> bool {
    endpoint.scheme() == Some(&Scheme::HTTPS)
}

/// A connection; it knows whether requests on it must name the endpoint, because a proxy reads them.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: TokioIo<TcpStream>,
    forwarded: bool,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.tcp.connected().proxy(self.forwarded)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
