//! Connections to the nodes of a cluster, which see what the cluster's own connection keeps to
//! itself: that a node sends a command elsewhere.

use crate::claims::{self, Claim};
use redis::cluster::Connect;
use redis::{
    Cmd, ConnectionLike, IntoConnectionInfo, RedisError, RedisResult, ServerError, ServerErrorKind,
    Value,
};
use std::sync::Arc;
use std::time::Duration;

/// Where a node is, and which client connections to it are of.
#[derive(Debug)]
pub(crate) struct Place(Claim);

impl Place {
    /// Looks at what a command was answered with.
    pub(crate) fn look(&self, cmd: Option<&Cmd>, reply: &RedisResult<Value>) {
        match reply {
            Ok(Value::ServerError(error)) => self.look_at(error),
            Ok(Value::Array(slots)) if cmd.is_some_and(asks_for_slots) => self.expect_all(slots),
            Ok(_) => {}
            Err(error) => self.look_at_all(error),
        }
    }

    /// Looks at what several commands were answered with: they go elsewhere together.
    pub(crate) fn look_at_replies(&self, replies: &RedisResult<Vec<Value>>) {
        match replies {
            Ok(replies) => {
                let redirection = replies.iter().find_map(|reply| match reply {
                    Value::ServerError(error) if code(error).is_some() => Some(error),
                    _ => None,
                });
                if let Some(error) = redirection {
                    self.look_at(error);
                }
            }
            Err(error) => self.look_at_all(error),
        }
    }

    fn look_at_all(&self, error: &RedisError) {
        let errors = error.clone().into_server_errors();
        let mut errors = errors.iter().flat_map(|errors| errors.iter());
        if let Some((_, error)) = errors.find(|(_, error)| code(error).is_some()) {
            self.look_at(error);
        }
    }

    fn look_at(&self, error: &ServerError) {
        let Some(code) = code(error) else { return };
        self.0.core.redirected(code);
        // `1234 10.0.0.7:7001`: the slot, and where it is.
        let node = error
            .details()
            .and_then(|details| details.split(' ').nth(1));
        if let Some((host, port)) = node.and_then(|node| node.rsplit_once(':'))
            && let Ok(port) = port.parse()
        {
            self.expect(host, port);
        }
    }

    /// All nodes that the cluster told of will be connected.
    fn expect_all(&self, slots: &[Value]) {
        for slot in slots {
            let Value::Array(slot) = slot else { continue };
            for node in slot.iter().skip(2) {
                let Value::Array(node) = node else { continue };
                let [host, Value::Int(port), ..] = node.as_slice() else {
                    continue;
                };
                let host = match host {
                    Value::BulkString(host) => std::str::from_utf8(host).unwrap_or_default(),
                    Value::SimpleString(host) => host,
                    _ => "",
                };
                if let Ok(port) = u16::try_from(*port) {
                    self.expect(host, port);
                }
            }
        }
    }

    fn expect(&self, host: &str, port: u16) {
        // A node without a host has the one of the node that told of it.
        let host = match host {
            "" | "?" => &self.0.host,
            host => host,
        };
        claims::expect(host, port, &self.0.core);
    }
}

/// The code of an error that sends a command elsewhere, or back later.
fn code(error: &ServerError) -> Option<&'static str> {
    match error.kind()? {
        ServerErrorKind::Moved => Some("MOVED"),
        ServerErrorKind::Ask => Some("ASK"),
        ServerErrorKind::TryAgain => Some("TRYAGAIN"),
        _ => None,
    }
}

fn asks_for_slots(cmd: &Cmd) -> bool {
    let mut arguments = crate::command::arguments(cmd);
    arguments.next() == Some(b"CLUSTER") && arguments.next() == Some(b"SLOTS")
}

/// A connection to a node of a cluster that counts how often the node sends commands elsewhere.
pub struct Node<C = redis::Connection> {
    inner: C,
    place: Option<Arc<Place>>,
}

impl<C: Clone> Clone for Node<C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            place: self.place.clone(),
        }
    }
}

impl<C> std::fmt::Debug for Node<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<C> Node<C> {
    fn look(&self, cmd: Option<&Cmd>, reply: &RedisResult<Value>) {
        if let Some(place) = &self.place {
            place.look(cmd, reply);
        }
    }

    fn look_at_replies(&self, replies: &RedisResult<Vec<Value>>) {
        if let Some(place) = &self.place {
            place.look_at_replies(replies);
        }
    }
}

impl Node {
    /// What it is about to be asked may have the cluster open connections on this thread.
    fn at_work(&self) {
        if let Some(place) = &self.place {
            claims::at_work(&place.0.core);
        }
    }
}

impl ConnectionLike for Node {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.at_work();
        let reply = self.inner.req_packed_command(cmd);
        self.look(None, &reply);
        reply
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.at_work();
        let replies = self.inner.req_packed_commands(cmd, offset, count);
        self.look_at_replies(&replies);
        replies
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        self.at_work();
        let reply = self.inner.req_command(cmd);
        self.look(Some(cmd), &reply);
        reply
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.inner.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

impl Connect for Node {
    fn connect<T: IntoConnectionInfo>(info: T, timeout: Option<Duration>) -> RedisResult<Self> {
        let info = info.into_connection_info()?;
        let place = Claim::of_thread(&info).map(|claim| Arc::new(Place(claim)));
        let inner = redis::Connection::connect(info, timeout)?;
        Ok(Self { inner, place })
    }

    fn send_packed_command(&mut self, cmd: &[u8]) -> RedisResult<()> {
        self.inner.send_packed_command(cmd)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_write_timeout(timeout)
    }

    fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()> {
        self.inner.set_read_timeout(timeout)
    }

    fn recv_response(&mut self) -> RedisResult<Value> {
        self.inner.recv_response()
    }
}

#[cfg(feature = "cluster-async")]
impl redis::aio::ConnectionLike for Node<redis::aio::MultiplexedConnection> {
    // Without the box that the connection's own implementation has, so that there is but one.

    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> redis::RedisFuture<'a, Value> {
        Box::pin(async move {
            let reply = self.inner.send_packed_command(cmd).await;
            self.look(Some(cmd), &reply);
            reply
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> redis::RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let sent = self.inner.send_packed_commands(pipeline, offset, count);
            let replies = sent.await;
            self.look_at_replies(&replies);
            replies
        })
    }

    fn get_db(&self) -> i64 {
        redis::aio::ConnectionLike::get_db(&self.inner)
    }
}

#[cfg(feature = "cluster-async")]
impl redis::cluster_async::Connect for Node<redis::aio::MultiplexedConnection> {
    fn connect_with_config<'a, T>(
        info: T,
        config: redis::AsyncConnectionConfig,
    ) -> redis::RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        Box::pin(async move {
            let info = info.into_connection_info()?;
            let place = Claim::of_task(&info).map(|claim| Arc::new(Place(claim)));
            let inner =
                redis::aio::MultiplexedConnection::connect_with_config(info, config).await?;
            Ok(Self { inner, place })
        })
    }
}
