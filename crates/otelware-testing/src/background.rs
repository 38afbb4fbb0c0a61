//! A thread for what a test needs to run beside it.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime on a thread of its own. It may be started and dropped inside asynchronous code, too.
#[derive(Debug)]
pub(crate) struct BackgroundRuntime(Option<Runtime>, Handle);

impl BackgroundRuntime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.1
    }

    /// A listener that belongs to this runtime.
    pub(crate) fn listen(&self, address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let _context = self.1.enter();
        tokio::net::TcpListener::from_std(listener)
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
