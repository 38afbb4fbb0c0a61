//! OTLP over HTTP/1.1.

use std::future::pending;
use std::io::{Error, Read as _};
use std::sync::Arc;

use flate2::read::GzDecoder;
use prost::Message;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::received::{Received, ReceivedRequest};
use super::receiver::{Shared, lock};

/// What a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// This status. What came with a request is kept if it is 200 and the request is one of OTLP.
    Status(u16),
    /// The status 503 to as many requests, then 200.
    UnavailableAtFirst(usize),
    /// Nothing: it reads a request and stays silent.
    Never,
}

impl Answer {
    /// The status of one request, of so many so far; `None` for no answer.
    fn status(self, requests: usize) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::UnavailableAtFirst(count) if requests <= count => Some(503),
            Self::UnavailableAtFirst(_) => Some(200),
            Self::Never => None,
        }
    }
}

pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    answer: Answer,
    received: Shared,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        match tls.clone() {
            Some(tls) => tokio::spawn(async move {
                // A client that is refused sees why.
                if let Ok(stream) = tls.accept(stream).await {
                    serve_connection(stream, answer, received).await;
                }
            }),
            None => tokio::spawn(serve_connection(stream, answer, received)),
        };
    }
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answer: Answer,
    received: Shared,
) {
    let mut stream = BufReader::new(stream);
    while let Some((request, body)) = read_request(&mut stream).await {
        let status = {
            let mut received = lock(&received);
            received.requests.push(request.clone());
            let status = answer.status(received.requests.len());
            match status {
                Some(200) => Some(keep(&mut received, &request, &body)),
                status => status,
            }
        };
        let Some(status) = status else {
            return pending().await;
        };
        let response = format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(response.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

async fn read_request(
    stream: &mut (impl AsyncBufReadExt + Unpin),
) -> Option<(ReceivedRequest, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let request = ReceivedRequest { path, headers };
    let length = request.header("content-length").first()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((request, body))
}

/// Keeps what a request carries and says with which status to answer it.
fn keep(received: &mut Received, request: &ReceivedRequest, body: &[u8]) -> u16 {
    const UNSUPPORTED: u16 = 415;
    let plain = match request.header("content-encoding").as_slice() {
        [] => body.to_vec(),
        ["gzip"] => {
            let mut plain = Vec::new();
            if GzDecoder::new(body).read_to_end(&mut plain).is_err() {
                return 400;
            }
            plain
        }
        _ => return UNSUPPORTED,
    };
    let json = match request.header("content-type").as_slice() {
        ["application/json"] => true,
        ["application/x-protobuf"] => false,
        _ => return UNSUPPORTED,
    };
    let kept = match request.path.rsplit('/').next() {
        Some("traces") => decode(json, &plain).map(|export| received.traces.push(export)),
        Some("logs") => decode(json, &plain).map(|export| received.logs.push(export)),
        Some("metrics") => decode(json, &plain).map(|export| received.metrics.push(export)),
        _ => return 404,
    };
    if kept.is_ok() { 200 } else { 400 }
}

fn decode<M: Message + Default + DeserializeOwned>(json: bool, body: &[u8]) -> Result<M, Error> {
    if json {
        Ok(serde_json::from_slice(body)?)
    } else {
        Ok(M::decode(body)?)
    }
}
