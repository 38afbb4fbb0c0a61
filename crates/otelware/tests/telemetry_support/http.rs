//! An endpoint that speaks OTLP over HTTP/1.1.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{BackgroundRuntime, Received, Shared};

/// What the endpoint does with a request.
#[derive(Clone, Copy)]
pub enum Answer {
    Status(u16),
    /// Refuses the first requests with 503, then accepts.
    UnavailableAtFirst(usize),
    /// Takes the request and never answers.
    Never,
}

pub struct Endpoint {
    pub address: SocketAddr,
    pub received: Shared,
    _runtime: BackgroundRuntime,
}

impl Endpoint {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), Answer::Status(200), None)
    }

    pub fn answering(answer: Answer) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer, None)
    }

    pub fn start_at(
        address: SocketAddr,
        answer: Answer,
        tls: Option<rustls::ServerConfig>,
    ) -> Self {
        let runtime = BackgroundRuntime::start();
        let listener = runtime.listen(address);
        let address = listener.local_addr().unwrap();
        let received = Shared::default();
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        runtime.spawn(accept(listener, answer, tls, Arc::clone(&received)));
        Self {
            address,
            received,
            _runtime: runtime,
        }
    }

    pub fn received(&self) -> Received {
        self.received.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, answer: Answer, tls: Option<TlsAcceptor>, received: Shared) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let received = Arc::clone(&received);
        match tls.clone() {
            Some(tls) => tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    serve(stream, answer, received).await;
                }
            }),
            None => tokio::spawn(serve(stream, answer, received)),
        };
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answer: Answer,
    received: Shared,
) {
    let mut stream = BufReader::new(stream);
    while let Some((path, headers, body)) = request(&mut stream).await {
        let status = {
            let requests = {
                let mut received = received.lock().unwrap();
                received.requests.push((path.clone(), headers.clone()));
                received.requests.len()
            };
            let status = match answer {
                Answer::Status(status) => status,
                Answer::UnavailableAtFirst(count) if requests <= count => 503,
                Answer::UnavailableAtFirst(_) => 200,
                Answer::Never => std::future::pending().await,
            };
            if status == 200 {
                keep(&mut received.lock().unwrap(), &path, &headers, &body);
            }
            status
        };
        let response = format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(response.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

type Request = (String, Vec<(String, String)>, Vec<u8>);

async fn request(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")?
        .1
        .parse()
        .ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((path, headers, body))
}

fn keep(received: &mut Received, path: &str, headers: &[(String, String)], body: &[u8]) {
    let header = |wanted: &str| {
        headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let mut plain = Vec::new();
    match header("content-encoding") {
        Some("gzip") => {
            flate2::read::GzDecoder::new(body)
                .read_to_end(&mut plain)
                .unwrap();
        }
        None => plain.extend_from_slice(body),
        Some(other) => panic!("unexpected content-encoding {other}"),
    }
    let json = match header("content-type") {
        Some("application/json") => true,
        Some("application/x-protobuf") => false,
        other => panic!("unexpected content-type {other:?}"),
    };
    // A macro, because the three messages have no trait in common that could be named here.
    macro_rules! decoded {
        () => {
            if json {
                serde_json::from_slice(&plain).unwrap()
            } else {
                Message::decode(plain.as_slice()).unwrap()
            }
        };
    }
    match path.rsplit('/').next() {
        Some("traces") => received.traces.push(decoded!()),
        Some("logs") => received.logs.push(decoded!()),
        Some("metrics") => received.metrics.push(decoded!()),
        _ => panic!("unexpected path {path}"),
    }
}
