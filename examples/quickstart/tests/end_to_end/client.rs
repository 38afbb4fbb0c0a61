//! A client that writes its requests byte by byte: no library adds or joins headers.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that is kept alive.
pub(crate) struct Connection(BufReader<TcpStream>);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a GET request with these header lines and reads the whole response.
    pub(crate) fn get(&mut self, path: &str, headers: &[&str]) -> io::Result<Response> {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        self.read_response()
    }

    fn read_response(&mut self) -> io::Result<Response> {
        let head = read_head(&mut self.0)?;
        let status = head.first().and_then(|line| line.split(' ').nth(1));
        let length = head.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then_some(value)
        });
        let (Some(status), Some(length)) = (status, length) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body)?;
        Ok(Response {
            status: status.parse().unwrap(),
            body: String::from_utf8(body).unwrap(),
        })
    }
}

/// The lines before the first empty one.
pub(crate) fn read_head(stream: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => return Ok(head),
            line => head.push(line.to_owned()),
        }
    }
}

/// Sends one GET request on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[&str]) -> Response {
    Connection::open(address)
        .and_then(|mut connection| connection.get(path, headers))
        .unwrap()
}

/// A `traceparent` header of a sampled span of the trace with this number.
pub(crate) fn traceparent(trace: u64) -> String {
    format!("traceparent: 00-{trace:032x}-00f067aa0ba902b7-01")
}
