//! What lies between a client and a server.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The bytes that every HTTP/2 connection begins with.
const PREFACE_LENGTH: usize = 24;
/// The type of the frames that end a stream at once.
const RST_STREAM: u8 = 3;

/// A TCP port on loopback behind which there is a server, until it is dropped.
///
/// It tells what the server sees of its connections, and can cut them.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    ports: Arc<Mutex<Vec<u16>>>,
    accepting: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Link {
    /// A link to the server that listens at `server`.
    pub async fn start(server: SocketAddr) -> Self {
        Self::start_with(server, true).await
    }

    /// A link that keeps the resets of streams from the server: it doesn't learn that a client has
    /// lost its interest in a call.
    pub async fn without_resets(server: SocketAddr) -> Self {
        Self::start_with(server, false).await
    }

    async fn start_with(server: SocketAddr, resets: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ports = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&ports);
        let accepting = tokio::spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let port = server.local_addr().unwrap().port();
                known
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(port);
                connections.spawn(connect(client, server, resets));
            }
        });
        Self {
            address,
            ports,
            accepting,
        }
    }

    /// Where clients connect to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ports that the server sees its connections come from, in the order of their beginning.
    pub fn ports(&self) -> Vec<u16> {
        let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.clone()
    }

    /// Ends all connections, and accepts no more.
    pub fn cut(&self) {
        self.accepting.abort();
    }
}

async fn connect(mut client: TcpStream, mut server: TcpStream, resets: bool) -> io::Result<()> {
    if resets {
        copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::try_join!(
        copy_without_resets(from_client, to_server),
        copy(&mut from_server, &mut to_client),
    )?;
    Ok(())
}

/// Ends with an error at the end of the connection.
async fn copy_without_resets(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut preface = [0; PREFACE_LENGTH];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    loop {
        let mut frame = vec![0; 9];
        from.read_exact(&mut frame).await?;
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]);
        frame.resize(9 + length as usize, 0);
        from.read_exact(&mut frame[9..]).await?;
        if frame[3] != RST_STREAM {
            to.write_all(&frame).await?;
        }
    }
}
