//! A Redis cluster of a test's own.

use super::port;
use super::server::Server;
use redis::{Cmd, FromRedisValue, Value};
use std::ops::RangeInclusive;

/// The slots of each node.
const SLOTS: [RangeInclusive<u16>; 3] = [0..=5_460, 5_461..=10_922, 10_923..=16_383];

/// Three nodes on loopback, none of them a replica. They are killed when dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Vec<Server>,
    /// The nodes' names among themselves.
    ids: Vec<String>,
}

impl Cluster {
    /// Starts the nodes and waits until each knows of all slots that they are served.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let buses: Vec<u16> = SLOTS.iter().map(|_| port::free()).collect();
        let nodes = buses.iter().map(|bus| {
            let bus = bus.to_string();
            Server::start_with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-config-file",
                "nodes.conf",
                "--cluster-node-timeout",
                "5000",
                "--cluster-port",
                &bus,
            ])
        });
        let nodes: Vec<_> = nodes.collect();
        for (place, (node, slots)) in nodes.iter().zip(SLOTS).enumerate() {
            // An epoch each, so that none has to be agreed on first.
            let _: Value = cluster(node, "SET-CONFIG-EPOCH", place + 1);
            let _: Value = cluster(node, "ADDSLOTSRANGE", &[*slots.start(), *slots.end()]);
        }
        for (node, bus) in nodes.iter().zip(buses).skip(1) {
            let port = node.port().to_string();
            let address = ["127.0.0.1", &port, &bus.to_string()];
            let _: Value = cluster(&nodes[0], "MEET", &address);
        }
        let ids = nodes
            .iter()
            .map(|node| cluster(node, "MYID", NOTHING))
            .collect();
        let started = Self { nodes, ids };
        for node in &started.nodes {
            node.wait_for("a cluster that is whole", || {
                let is_ok = node.info("CLUSTER INFO", "cluster_state")? == "ok";
                let owners: Vec<Value> = cluster(node, "SLOTS", NOTHING);
                (is_ok && owners.len() == SLOTS.len()).then_some(())
            });
        }
        started
    }

    /// The addresses of all nodes, for a client.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Server::url).collect()
    }

    /// The node at this place, 0 to 2.
    pub(crate) fn node(&self, place: usize) -> &Server {
        &self.nodes[place]
    }

    pub(crate) fn node_mut(&mut self, place: usize) -> &mut Server {
        &mut self.nodes[place]
    }

    /// A connection that is not under test.
    pub(crate) fn connection(&self) -> redis::cluster::ClusterConnection {
        let client = redis::cluster::ClusterClient::new(self.urls()).unwrap();
        client.get_connection().unwrap()
    }

    pub(crate) fn slot(&self, key: &str) -> u16 {
        cluster(&self.nodes[0], "KEYSLOT", key)
    }

    /// The place of the node that serves the key, as far as that node itself knows.
    pub(crate) fn owner(&self, key: &str) -> usize {
        let slot = self.slot(key);
        let serves = |place: &usize| {
            let owners: Vec<(u16, u16, Vec<Value>)> =
                cluster(&self.nodes[*place], "SLOTS", NOTHING);
            owners.iter().any(|(first, last, owner)| {
                let id: String = redis::from_redis_value_ref(&owner[2]).unwrap();
                (first..=last).contains(&&slot) && id == self.ids[*place]
            })
        };
        (0..self.nodes.len())
            .find(serves)
            .expect("all slots are served")
    }

    /// A node that does not serve the key.
    pub(crate) fn other_than_owner(&self, key: &str) -> usize {
        (self.owner(key) + 1) % self.nodes.len()
    }

    /// Begins to move the slot of the key to the node at that place: until it
    /// [ends](Self::end_move), the owner answers `ASK` for keys of the slot that it does not have.
    pub(crate) fn begin_move(&self, key: &str, to: usize) {
        self.wait_for_one_epoch();
        let (slot, from) = (self.slot(key).to_string(), self.owner(key));
        let importing = [slot.as_str(), "IMPORTING", &self.ids[from]];
        let _: Value = cluster(&self.nodes[to], "SETSLOT", &importing);
        let migrating = [slot.as_str(), "MIGRATING", &self.ids[to]];
        let _: Value = cluster(&self.nodes[from], "SETSLOT", &migrating);
    }

    /// Ends what [`begin_move`](Self::begin_move) began: all keys of the slot are moved, and the
    /// old owner answers `MOVED`.
    pub(crate) fn end_move(&self, key: &str, to: usize) {
        let (slot, from) = (self.slot(key).to_string(), self.owner(key));
        let keys: Vec<String> =
            cluster(&self.nodes[from], "GETKEYSINSLOT", &[slot.as_str(), "1000"]);
        for key in keys {
            let mut migrate = redis::cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(self.nodes[to].port());
            let _: Value = query(&self.nodes[from], migrate.arg(key).arg(0).arg(5_000));
        }
        let owner = [slot.as_str(), "NODE", &self.ids[to]];
        // The new owner first: it must not lose the slot between.
        let others = (0..self.nodes.len()).filter(|place| *place != to);
        for place in std::iter::once(to).chain(others) {
            let _: Value = cluster(&self.nodes[place], "SETSLOT", &owner);
        }
    }

    /// Waits until all nodes know of the newest epoch. A node that takes a slot before would take it
    /// with an older one, and lose it again to what the former owner sent earlier.
    fn wait_for_one_epoch(&self) {
        let newest = |node: &Server| node.info("CLUSTER INFO", "cluster_current_epoch");
        self.nodes[0].wait_for("one epoch", || {
            let epoch = newest(&self.nodes[0])?;
            let agree = (self.nodes.iter()).all(|node| newest(node).as_ref() == Some(&epoch));
            agree.then_some(())
        });
    }

    /// Moves the slot of the key to the node at that place. A client that learned of the slots
    /// before is answered `MOVED`.
    pub(crate) fn move_slot(&self, key: &str, to: usize) {
        self.begin_move(key, to);
        self.end_move(key, to);
    }
}

const NOTHING: &[&str] = &[];

/// The answer of a node to `CLUSTER …`.
#[track_caller]
fn cluster<T: FromRedisValue>(
    node: &Server,
    subcommand: &str,
    arguments: impl redis::ToRedisArgs,
) -> T {
    query(node, redis::cmd("CLUSTER").arg(subcommand).arg(arguments))
}

#[track_caller]
fn query<T: FromRedisValue>(node: &Server, command: &Cmd) -> T {
    command.query(&mut node.connection()).unwrap()
}
