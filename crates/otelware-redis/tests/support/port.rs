//! Ports for servers.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that systems give to clients, so that a server that is restarted finds its port free.
const FIRST: u16 = 15_000;

/// How many each process has for itself, as long as no two process ids contend.
const OF_A_PROCESS: u16 = 100;

const PROCESSES: u32 = 160;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port on loopback that nothing listens on, and that no other test of this process is given
/// soon.
pub(crate) fn free() -> u16 {
    let process = u16::try_from(process::id() % PROCESSES).unwrap();
    (0..OF_A_PROCESS)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % OF_A_PROCESS)
        .map(|place| FIRST + process * OF_A_PROCESS + place)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
