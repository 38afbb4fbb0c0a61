//! The server that all tests share.

use redis::{Commands, Connection};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the server that `scripts/services` starts listens.
pub(crate) fn shared_url() -> &'static str {
    "redis://127.0.0.1:6379"
}

/// A test's own part of the shared server: keys with a prefix that no other test has. They are
/// deleted when it is dropped.
#[derive(Debug)]
pub(crate) struct Shared {
    prefix: String,
}

impl Shared {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            prefix: format!("otelware:{}:{number}:", process::id()),
        }
    }

    pub(crate) fn url(&self) -> &'static str {
        shared_url()
    }

    /// What all keys of the test begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A connection that is not under test.
    pub(crate) fn connection(&self) -> Connection {
        let client = redis::Client::open(shared_url()).unwrap();
        client.get_connection().unwrap()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut connection = self.connection();
        let keys: Vec<Vec<u8>> = connection.keys(format!("{}*", self.prefix)).unwrap();
        if !keys.is_empty() {
            let _: usize = connection.del(keys).unwrap();
        }
    }
}
