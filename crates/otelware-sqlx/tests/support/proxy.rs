//! A way to a server that can be cut.

use std::sync::Arc;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Forwards connections to a server on loopback until it is told to end them.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: Arc<Notify>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
        };
        let cut = proxy.cut.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let cut = cut.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let copying = copy_bidirectional(&mut client, &mut server);
                    tokio::select! {
                        _ = copying => {}
                        () = cut.notified() => {}
                    }
                });
            }
        });
        proxy
    }

    /// Ends the connections that there are.
    pub(crate) fn cut(&self) {
        self.cut.notify_waiters();
    }
}
