//! Where a service listens, and where it finds the others.

use super::{Failure, say};
use std::env;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The value of a variable, or what it is where it is not set.
pub(crate) fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Listens on the address that `LISTEN` says, and says so.
pub(crate) async fn listen(default: &str) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(variable("LISTEN", default)).await?;
    let address: SocketAddr = listener.local_addr()?;
    tracing::info!(%address, "listening");
    say(&format!("listening {address}"));
    Ok(listener)
}
