//! Servers in this process, for those parts of the shop that run somewhere else in earnest and that no library brings
//! along: as much of them as the shop needs, on loopback, in memory, and bounded. What they cannot do they refuse.

mod amqp;
mod redis;

pub(super) use amqp::AmqpStandIn;
pub(super) use redis::RedisStandIn;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// So many clients are served at once; more wait.
const MAXIMUM_CONNECTIONS: usize = 64;

/// Accepts connections, each of which is served by a task, until it is dropped.
struct Server {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Server {
    /// Listens on a free port of loopback.
    async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                while connections.try_join_next().is_some() {}
                if connections.len() == MAXIMUM_CONNECTIONS {
                    connections.join_next().await;
                }
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // Small answers are not to wait for one another.
                        stream.set_nodelay(true).ok();
                        connections.spawn(serve(stream));
                    }
                    // Too many open files, say: somebody may close one.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Ok(Self {
            address,
            _task: task,
        })
    }
}
