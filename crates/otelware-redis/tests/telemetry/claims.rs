//! Several clients of one cluster, each of which counts its own redirections.

use crate::clusters::{observed, redirections};
use crate::expected::options;
use crate::support::Cluster;
use otelware_redis::cluster::ClusterClient;
use otelware_redis::cluster_async::Cluster as Inner;
use otelware_testing::{Capture, Metric};
use redis::cluster::{ClusterConfig, NodeAddress};
use redis::{AsyncCommands, Commands};
use std::collections::HashMap;
use std::thread;
use std::time::Duration;

const KEY: &str = "moved";

/// Ends all connections that the nodes have, which the clients are to open again.
fn disconnect(cluster: &Cluster) {
    for place in 0..cluster.urls().len() {
        let mut kill = redis::cmd("CLIENT");
        kill.arg("KILL").arg("TYPE").arg("normal");
        let killed: usize = kill.query(&mut cluster.node(place).connection()).unwrap();
        assert!(killed > 0);
    }
}

/// How many redirections were counted. A connection that is opened anew may be redirected too, until
/// it knows all nodes again.
fn count(telemetry: &Capture) -> f64 {
    let metrics = telemetry.metrics();
    let mut metrics = metrics.iter();
    let found = metrics.find(|metric| metric.name == "otelware.redis.redirections");
    found.map_or(0.0, Metric::total_sum)
}

fn counts(telemetry: [&Capture; 2]) -> [f64; 2] {
    telemetry.map(count)
}

/// A key of each node.
fn keys(cluster: &Cluster) -> Vec<String> {
    let keys = |place| {
        (0..1_000)
            .map(|number| format!("key-{number}"))
            .find(|key| cluster.owner(key) == place)
            .unwrap()
    };
    (0..cluster.urls().len()).map(keys).collect()
}

/// Until the connection to each node works again.
async fn work(connection: &mut impl AsyncCommands, keys: &[String]) {
    for key in keys {
        let mut tries = 0;
        while let Err(error) = connection.get::<_, Option<String>>(key).await {
            tries += 1;
            assert!(tries < 100, "{key} is never found again: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn work_blocking(connection: &mut impl Commands, keys: &[String]) {
    for key in keys {
        let mut tries = 0;
        while let Err(error) = connection.get::<_, Option<String>>(key) {
            tries += 1;
            assert!(tries < 100, "{key} is never found again: {error}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whichever of them was there first, and whichever opens its connections again first.
#[tokio::test(flavor = "multi_thread")]
async fn of_asynchronous_connections() {
    let cluster = Cluster::start();
    let (of_one, of_other) = (Capture::new(), Capture::new());
    let (one, other) = (observed(&cluster, &of_one), observed(&cluster, &of_other));
    let mut one = one.get_async_connection().await.unwrap();
    let mut other = other.get_async_connection().await.unwrap();
    let keys = keys(&cluster);
    let _: () = one.set(KEY, "a").await.unwrap();
    for is_other_first in [false, true] {
        disconnect(&cluster);
        if is_other_first {
            work(&mut other, &keys).await;
            work(&mut one, &keys).await;
        } else {
            work(&mut one, &keys).await;
            work(&mut other, &keys).await;
        }
        let [before_one, before_other] = counts([&of_one, &of_other]);
        cluster.move_slot(KEY, cluster.other_than_owner(KEY));
        let _: String = one.get(KEY).await.unwrap();
        let expected = [before_one + 1.0, before_other];
        assert_eq!(counts([&of_one, &of_other]), expected);
        let _: String = other.get(KEY).await.unwrap();
        let expected = [before_one + 1.0, before_other + 1.0];
        assert_eq!(counts([&of_one, &of_other]), expected);
    }
}

#[test]
fn of_connections_that_block() {
    let cluster = Cluster::start();
    let (of_one, of_other) = (Capture::new(), Capture::new());
    let (one, other) = (observed(&cluster, &of_one), observed(&cluster, &of_other));
    let mut one = one.get_connection_counting_redirections().unwrap();
    let mut other = other.get_connection_counting_redirections().unwrap();
    let keys = keys(&cluster);
    let _: () = one.set(KEY, "a").unwrap();
    disconnect(&cluster);
    work_blocking(&mut one, &keys);
    work_blocking(&mut other, &keys);
    let [before_one, before_other] = counts([&of_one, &of_other]);
    cluster.move_slot(KEY, cluster.other_than_owner(KEY));
    let _: String = one.get(KEY).unwrap();
    let expected = [before_one + 1.0, before_other];
    assert_eq!(counts([&of_one, &of_other]), expected);
    let _: String = other.get(KEY).unwrap();
    let expected = [before_one + 1.0, before_other + 1.0];
    assert_eq!(counts([&of_one, &of_other]), expected);
}

/// The end of one is not that of the other's counts.
#[tokio::test(flavor = "multi_thread")]
async fn of_which_one_is_gone() {
    let cluster = Cluster::start();
    let (of_one, of_other) = (Capture::new(), Capture::new());
    let one = observed(&cluster, &of_one);
    let mut one = one.get_async_connection().await.unwrap();
    let _: () = one.set(KEY, "a").await.unwrap();
    let other = observed(&cluster, &of_other);
    drop(other.get_async_connection().await.unwrap());
    drop(other);
    disconnect(&cluster);
    work(&mut one, &keys(&cluster)).await;
    let [before, _] = counts([&of_one, &of_other]);
    cluster.move_slot(KEY, cluster.other_than_owner(KEY));
    let _: String = one.get(KEY).await.unwrap();
    assert_eq!(counts([&of_one, &of_other]), [before + 1.0, 0.0]);
}

/// What is observed is redis-rs' own connection, which is to be had.
#[tokio::test(flavor = "multi_thread")]
async fn of_redis_own() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    let Inner::Counting(own) = connection.get_mut() else {
        panic!("it counts no redirections");
    };
    let _: () = own.set(KEY, "a").await.unwrap();
    let config = ClusterConfig::new();
    let connection = client.get_async_connection_with_config(config).await;
    let Inner::Plain(mut own) = connection.unwrap().into_inner() else {
        panic!("redis-rs counts redirections");
    };
    let found: String = own.get(KEY).await.unwrap();
    assert_eq!(found, "a");
    assert_eq!(telemetry.spans(), []);
}

/// Nodes that are connected by other addresses than the cluster tells are counted by too.
#[tokio::test(flavor = "multi_thread")]
async fn by_other_addresses() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let address = |host: &str, place: usize| NodeAddress::new(host, cluster.node(place).port());
    let map: HashMap<_, _> = (0..cluster.urls().len())
        .map(|place| (address("127.0.0.1", place), address("localhost", place)))
        .collect();
    let client = ClusterClient::builder(cluster.urls())
        .instrument_with(options(&telemetry))
        .node_address_map(map)
        .build()
        .unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let _: () = connection.set(KEY, "a").await.unwrap();
    cluster.move_slot(KEY, cluster.other_than_owner(KEY));
    let _: String = connection.get(KEY).await.unwrap();
    redirections(&telemetry, "MOVED", 1);

    let mut blocking = client.get_connection_counting_redirections().unwrap();
    cluster.move_slot(KEY, cluster.other_than_owner(KEY));
    let _: String = Commands::get(&mut blocking, KEY).unwrap();
    redirections(&telemetry, "MOVED", 2);
}
