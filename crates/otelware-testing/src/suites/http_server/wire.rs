//! HTTP/1.1 by hand, for what clients can't or won't do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No server takes longer to answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// A connection that speaks bytes.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects to `address`.
    pub async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            received: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads until `text` has come, and returns everything so far.
    ///
    /// # Panics
    ///
    /// If the connection ends before, or nothing comes for too long.
    pub async fn read_until(&mut self, text: &str) -> String {
        loop {
            let received = self.received();
            if received.contains(text) {
                return received;
            }
            assert!(
                self.read().await > 0,
                "the connection ended after {received:?}"
            );
        }
    }

    /// Reads until the server closes the connection, and returns everything.
    pub async fn read_to_end(&mut self) -> String {
        while self.read().await > 0 {}
        self.received()
    }

    fn received(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }

    async fn read(&mut self) -> usize {
        let reading = self.stream.read_buf(&mut self.received);
        // A reset is an end as well.
        timeout(DEADLINE, reading).await.unwrap().unwrap_or(0)
    }
}

/// A response as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status; 0 if there was no response.
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body, with its chunks' frames.
    pub body: String,
}

impl Answer {
    /// Reads a response.
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .unwrap_or(0);
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The body's line that begins with `name: `.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.body
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
