//! The service that the service calls, as a listener of the test.

use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::client::read_head;

/// Answers requests for stock and keeps their heads.
pub(crate) struct Stock {
    url: String,
    heads: Receiver<Vec<String>>,
}

impl Stock {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/stock", listener.local_addr().unwrap());
        let (sender, heads) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                while let Ok(head) = read_head(&mut stream) {
                    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n42";
                    stream.get_mut().write_all(response).unwrap();
                    sender.send(head).unwrap();
                }
            }
        });
        Self { url, heads }
    }

    /// The value for `STOCK_URL`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The request line and the header lines of the next request, the latter sorted.
    pub(crate) fn next_request(&self) -> Vec<String> {
        let mut head = self.heads.recv_timeout(Duration::from_secs(10)).unwrap();
        head[1..].sort();
        head
    }
}
