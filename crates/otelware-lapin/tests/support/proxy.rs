//! A way to RabbitMQ that can be cut.

use lapin::uri::AMQPUri;
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// Forwards connections to RabbitMQ until it is told to end them.
pub(crate) struct Proxy {
    port: u16,
    cut: Arc<Notify>,
    is_held: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            is_held: watch::Sender::new(false),
        };
        let uri: AMQPUri = super::support::url().parse().unwrap();
        let (cut, is_held) = (proxy.cut.clone(), proxy.is_held.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let authority = &uri.authority;
                let server = TcpStream::connect((authority.host.as_str(), authority.port));
                let server = server.await.unwrap();
                tokio::spawn(forward(client, server, cut.clone(), is_held.subscribe()));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        let mut uri: AMQPUri = super::support::url().parse().unwrap();
        uri.authority.port = self.port;
        let user = &uri.authority.userinfo;
        format!(
            "amqp://{}:{}@127.0.0.1:{}/%2f",
            user.username, user.password, self.port
        )
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing through that RabbitMQ sends from now on, until the connections are cut.
    pub(crate) fn hold_answers(&self) {
        self.is_held.send_replace(true);
    }

    /// Ends the connections that there are.
    pub(crate) fn cut(&self) {
        self.is_held.send_replace(false);
        self.cut.notify_waiters();
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    cut: Arc<Notify>,
    is_held: watch::Receiver<bool>,
) {
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let cut = cut.notified();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = answers(from_server, to_client, is_held) => {}
        () = cut => {}
    }
}

async fn answers(
    from_server: OwnedReadHalf,
    mut to_client: OwnedWriteHalf,
    mut is_held: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 65_536];
    loop {
        from_server.readable().await.unwrap();
        // What is held is thrown away with the connection.
        if *is_held.borrow_and_update() {
            return std::future::pending().await;
        }
        match from_server.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => to_client.write_all(&buffer[..read]).await.unwrap(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
