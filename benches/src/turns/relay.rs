//! Threads between a client and a server: they pass on what either says, and [take their turns](super). Whether the
//! server's answer is there before the client looks for it would be chance.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// What the threads are called.
pub(super) const NAME: &str = "relay";

/// Begins to pass on one connection to the server of that address, at a port of its own.
pub(crate) fn relay(server: &str) -> io::Result<u16> {
    // A server that cannot be reached is an error here.
    let server = TcpStream::connect(server)?;
    server.set_nodelay(true)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    spawn(move || {
        let (client, _) = listener.accept()?;
        client.set_nodelay(true)?;
        let (answers, asking) = (server.try_clone()?, client.try_clone()?);
        spawn(move || pass_on(&answers, &asking))?;
        pass_on(&client, &server)
    })?;
    Ok(port)
}

/// What fails on the way, the driver is told by a connection that ends.
fn spawn(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(NAME.to_owned()).spawn(work)?;
    Ok(())
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Both)
}
