//! As much of Redis as a cache needs: strings that expire.

mod cache;
mod command;

use super::Server;
use cache::Cache;
use command::{Command, Reply};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most that is read for one request.
const MAXIMUM_REQUEST: u64 = 64 * 1024;

/// A server that answers as Redis does, until it is dropped.
pub(in crate::launcher) struct RedisStandIn {
    server: Server,
}

impl RedisStandIn {
    pub(in crate::launcher) async fn start() -> io::Result<Self> {
        let cache = Arc::new(Mutex::new(Cache::default()));
        let server = Server::start(move |stream| serve(stream, Arc::clone(&cache))).await?;
        Ok(Self { server })
    }

    /// As for `REDIS_URL`.
    pub(in crate::launcher) fn url(&self) -> String {
        format!("redis://{}", self.server.address)
    }
}

async fn serve(mut stream: TcpStream, cache: Arc<Mutex<Cache>>) {
    let (input, mut output) = stream.split();
    let mut input = input.take(0);
    // Holds what was read of the next requests.
    let mut decoder = Default::default();
    let mut version = command::Version::default();
    loop {
        input.set_limit(MAXIMUM_REQUEST);
        // The end of the connection, or what is no request: neither has an answer.
        let Ok(request) = redis::parse_redis_value_async(&mut decoder, &mut input).await else {
            return;
        };
        let reply = match Command::parse(request) {
            Ok(Command::Hello(wanted)) => {
                version = wanted.unwrap_or(version);
                Reply::Server
            }
            Ok(command) => {
                let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
                command.run(&mut cache, Instant::now())
            }
            Err(error) => Reply::Error(error),
        };
        if output.write_all(&reply.encode(version)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
