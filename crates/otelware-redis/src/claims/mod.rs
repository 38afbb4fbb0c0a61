//! Which client a connection to a node is of. redis-rs opens them by a function that is told the
//! address alone, often on a task of its own.

#[cfg(feature = "cluster-async")]
mod task;

use crate::core::Core;
use redis::{ConnectionAddr, ConnectionInfo};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// No more nodes are known at a time, and no more tasks.
const MOST: usize = 1_024;

/// No more clients are known of one node.
const MOST_CLIENTS: usize = 64;

/// Clients by the nodes that they may open connections to.
static NODES: LazyLock<Mutex<Nodes>> = LazyLock::new(Mutex::default);

thread_local! {
    /// The client that was at work last on this thread, of those that block it.
    static AT_WORK: RefCell<Weak<Core>> = const { RefCell::new(Weak::new()) };
}

#[derive(Default)]
struct Nodes(HashMap<(String, u16), Vec<Client>>);

struct Client {
    core: Weak<Core>,
    /// What the cluster calls the node, which may be connected by another address.
    host: String,
}

impl Nodes {
    /// This client may open connections to that node; if it is about to, it goes before others.
    fn expect(&mut self, host: &str, port: u16, core: &Arc<Core>, is_about_to: bool) {
        let node = core.server().address_of(host, port);
        if self.0.len() >= MOST && !self.0.contains_key(&node) {
            self.0
                .retain(|_, clients| clients.iter().any(Client::lives));
            if self.0.len() >= MOST {
                return;
            }
        }
        let clients = self.0.entry(node).or_default();
        let core = Arc::downgrade(core);
        if !is_about_to && clients.iter().any(|client| client.is(&core)) {
            return;
        }
        clients.retain(|client| client.lives() && !client.is(&core));
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
        }
        let host = host.to_owned();
        clients.push(Client { core, host });
    }

    /// The client that a connection to that node is of: the likely one if that may have it, or else
    /// the last that was about to open one.
    fn find(&self, node: &(String, u16), likely: &Weak<Core>) -> Option<Claim> {
        let clients = self.0.get(node)?;
        let likely = clients.iter().filter(|client| client.is(likely));
        likely.chain(clients.iter().rev()).find_map(Client::claim)
    }
}

impl Client {
    fn lives(&self) -> bool {
        self.core.strong_count() > 0
    }

    fn is(&self, core: &Weak<Core>) -> bool {
        self.core.ptr_eq(core)
    }

    fn claim(&self) -> Option<Claim> {
        Some(Claim {
            core: self.core.upgrade()?,
            host: self.host.clone(),
        })
    }
}

/// A connection to a node is of this client.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) core: Arc<Core>,
    /// What the cluster calls the node.
    pub(crate) host: String,
}

impl Claim {
    /// That of a connection that is opened by this thread, which waits for it.
    pub(crate) fn of_thread(info: &ConnectionInfo) -> Option<Self> {
        let likely = AT_WORK.try_with(|client| client.borrow().clone());
        lock(&NODES).find(&place(info)?, &likely.unwrap_or_default())
    }

    /// That of a connection that is opened by a task.
    #[cfg(feature = "cluster-async")]
    pub(crate) fn of_task(info: &ConnectionInfo) -> Option<Self> {
        let (node, likely) = (place(info)?, task::client());
        let claim = lock(&NODES).find(&node, &likely);
        let Some(core) = likely.upgrade() else {
            let claim = claim?;
            task::is_of(&claim.core);
            return Some(claim);
        };
        // It is certain, even where the node is none that the client is known to have.
        let own = claim.filter(|claim| Arc::ptr_eq(&claim.core, &core));
        let (host, _) = node;
        Some(own.unwrap_or(Self { core, host }))
    }
}

/// The client is about to open a connection to that node.
pub(crate) fn expect_now(host: &str, port: u16, core: &Arc<Core>) {
    lock(&NODES).expect(host, port, core, true);
}

/// The client may open a connection to that node.
pub(crate) fn expect(host: &str, port: u16, core: &Arc<Core>) {
    lock(&NODES).expect(host, port, core, false);
}

/// The client is at work on this thread, which waits for it.
pub(crate) fn at_work(core: &Arc<Core>) {
    let known = AT_WORK.try_with(|client| {
        if !std::ptr::eq(client.borrow().as_ptr(), Arc::as_ptr(core)) {
            client.replace(Arc::downgrade(core));
        }
    });
    // A thread that ends knows nothing any more.
    known.unwrap_or_default();
}

fn place(info: &ConnectionInfo) -> Option<(String, u16)> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            Some((host.clone(), *port))
        }
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RedisOptions, Server};

    fn core() -> Arc<Core> {
        Core::new(RedisOptions::new(), Server::default())
    }

    fn node() -> (String, u16) {
        ("node".to_owned(), 1)
    }

    #[track_caller]
    fn assert_found(nodes: &Nodes, likely: &Arc<Core>, expected: &Arc<Core>) {
        let found = nodes.find(&node(), &Arc::downgrade(likely)).unwrap();
        assert!(Arc::ptr_eq(&found.core, expected));
    }

    #[test]
    fn a_connection_is_of_the_likely_client_or_of_the_last() {
        let (mut nodes, one, other, stranger) = (Nodes::default(), core(), core(), core());
        nodes.expect("node", 1, &one, true);
        nodes.expect("node", 1, &other, true);
        assert_found(&nodes, &one, &one);
        assert_found(&nodes, &other, &other);
        assert_found(&nodes, &stranger, &other);
        // To be told of the node makes it no more likely.
        nodes.expect("node", 1, &one, false);
        assert_found(&nodes, &stranger, &other);
        nodes.expect("node", 1, &one, true);
        assert_found(&nodes, &stranger, &one);
        drop(one);
        assert_found(&nodes, &stranger, &other);
        drop(other);
        assert!(nodes.find(&node(), &Weak::new()).is_none());
    }

    #[test]
    fn no_more_clients_of_a_node_are_known_than_that() {
        let mut nodes = Nodes::default();
        let cores: Vec<_> = (0..=MOST_CLIENTS).map(|_| core()).collect();
        for core in &cores {
            nodes.expect("node", 1, core, true);
        }
        assert_eq!(nodes.0[&node()].len(), MOST_CLIENTS);
        // The first was forgotten.
        assert_found(&nodes, &cores[0], &cores[MOST_CLIENTS]);
        assert_found(&nodes, &cores[1], &cores[1]);
    }

    #[test]
    fn no_more_nodes_are_known_than_that() {
        let (live, dead, mut nodes) = (core(), core(), Nodes::default());
        for port in 0..MOST {
            let core = if port < 10 { &dead } else { &live };
            nodes.expect("node", port.try_into().unwrap(), core, true);
        }
        let another = ("another".to_owned(), 1);
        nodes.expect("another", 1, &live, true);
        assert_eq!(nodes.0.len(), MOST);
        assert!(!nodes.0.contains_key(&another));
        drop(dead);
        nodes.expect("another", 1, &live, true);
        assert_eq!(nodes.0.len(), MOST - 9);
        assert!(nodes.0.contains_key(&another));
    }
}
