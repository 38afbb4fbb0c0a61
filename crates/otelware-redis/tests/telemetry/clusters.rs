//! Clusters: routes, redirections, and what is different about them.

use crate::expected::{
    Call, Database, all, assert_spans, batch, command, counter, database, options,
};
use crate::support::Cluster;
use otelware_redis::cluster::ClusterClient;
use otelware_redis::{Instrument, Instrumented, Server};
use otelware_testing::{Attributes, Capture, ExpectedMetric, attributes};
use redis::cluster::{ClusterConfig, cluster_pipe};
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, SingleNodeRoutingInfo};
use redis::{AsyncCommands, Commands, ProtocolVersion, RedisResult, Value};

pub(crate) fn observed(cluster: &Cluster, telemetry: &Capture) -> ClusterClient {
    ClusterClient::builder(cluster.urls())
        .instrument_with(options(telemetry))
        .build()
        .unwrap()
}

/// A cluster has no database, and no address where several nodes are known.
fn nowhere() -> Database {
    Database {
        namespace: None,
        address: None,
        port: None,
        pool: "redis".to_owned(),
        ..database(6_379)
    }
}

fn redirected(attributes: Attributes, count: u64) -> ExpectedMetric {
    counter(
        "otelware.redis.redirections",
        "The number of commands that a node of the cluster sent elsewhere.",
        "{command}",
        attributes,
        count,
    )
}

#[track_caller]
pub(crate) fn redirections(telemetry: &Capture, code: &str, count: u64) {
    let attributes = attributes! { "db.system.name" => "redis", "db.response.status_code" => code };
    let metric = telemetry.metric("otelware.redis.redirections");
    metric.assert(redirected(attributes, count));
}

/// They happen within a command, and are counted.
#[tokio::test(flavor = "multi_thread")]
async fn redirections_of_an_asynchronous_connection() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    let _: () = connection.set("moved", "a").await.unwrap();
    cluster.move_slot("moved", cluster.other_than_owner("moved"));
    let found: String = connection.get("moved").await.unwrap();
    assert_eq!(found, "a");
    redirections(&telemetry, "MOVED", 1);
    let expected = [command("SET moved ?"), command("GET moved")];
    assert_spans(&telemetry, &nowhere(), &expected);

    let telemetry = Capture::new();
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    cluster.begin_move("asked", cluster.other_than_owner("asked"));
    let found: Option<String> = connection.get("asked").await.unwrap();
    assert_eq!(found, None);
    redirections(&telemetry, "ASK", 1);
    assert_spans(&telemetry, &nowhere(), &[command("GET asked")]);
}

/// Also by nodes that only the cluster told of.
#[tokio::test(flavor = "multi_thread")]
async fn redirections_by_nodes_that_were_not_known_beforehand() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let (first, known) = (cluster.urls().remove(0), cluster.node(0).port());
    let client = ClusterClient::builder([first])
        .instrument_with(options(&telemetry))
        .build()
        .unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let key = (0..100)
        .map(|number| format!("key-{number}"))
        .find(|key| cluster.owner(key) == 1)
        .unwrap();
    let _: () = connection.set(&key, "a").await.unwrap();
    cluster.move_slot(&key, 2);
    let found: String = connection.get(&key).await.unwrap();
    assert_eq!(found, "a");
    let attributes = attributes! {
        "db.system.name" => "redis",
        "db.response.status_code" => "MOVED",
        "server.address" => "127.0.0.1",
        "server.port" => known,
    };
    let metric = telemetry.metric("otelware.redis.redirections");
    metric.assert(redirected(attributes, 1));
}

#[test]
fn redirections_of_a_connection_that_blocks() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_connection_counting_redirections().unwrap();
    let _: () = connection.set("moved", "a").unwrap();
    cluster.move_slot("moved", cluster.other_than_owner("moved"));
    let found: String = connection.get("moved").unwrap();
    assert_eq!(found, "a");
    redirections(&telemetry, "MOVED", 1);
    let expected = [command("SET moved ?"), command("GET moved")];
    assert_spans(&telemetry, &nowhere(), &expected);
}

/// Also where the pipeline goes elsewhere as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn pipelines() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    let pipeline = || {
        let mut pipeline = redis::pipe();
        pipeline.set("{p}a", "a").get("{p}a").ignore();
        pipeline
    };
    let _: Value = pipeline().query_async(&mut connection).await.unwrap();
    cluster.move_slot("{p}a", cluster.other_than_owner("{p}a"));
    let _: Value = pipeline().query_async(&mut connection).await.unwrap();
    redirections(&telemetry, "MOVED", 1);
    let call = || batch("PIPELINE", 2, "SET {p}a ?; GET {p}a");
    assert_spans(&telemetry, &nowhere(), &[call(), call()]);
}

/// Which is aborted where its commands are sent elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn transactions() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    let mut pipeline = redis::pipe();
    pipeline.atomic().set("{t}a", "a").get("{t}a");
    let _: Value = pipeline.query_async(&mut connection).await.unwrap();
    cluster.move_slot("{t}a", cluster.other_than_owner("{t}a"));
    let aborted: RedisResult<Value> = pipeline.query_async(&mut connection).await;
    aborted.unwrap_err();
    redirections(&telemetry, "MOVED", 1);
    let call = || batch("MULTI", 2, "SET {t}a ?; GET {t}a");
    let aborted = call()
        .fails("EXECABORT")
        .at_end("otelware.redis.batch.errors", 2);
    assert_spans(&telemetry, &nowhere(), &[call(), aborted]);
}

/// Of which a client of redis-rs tells nothing, and one of ours its only node.
#[tokio::test(flavor = "multi_thread")]
async fn addresses() {
    let cluster = Cluster::start();
    let first = cluster.urls().remove(0);
    let telemetry = Capture::new();
    let client = ClusterClient::builder([first.clone()])
        .instrument_with(options(&telemetry))
        .use_protocol(ProtocolVersion::RESP3)
        .build()
        .unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let _: Value = connection.get("a").await.unwrap();
    let mut connection = client.get_connection().unwrap();
    let _: Value = Commands::get(&mut connection, "a").unwrap();
    let at = Database {
        namespace: None,
        ..database(cluster.node(0).port())
    };
    all(&telemetry, &at, &[command("GET a"), command("GET a")]).await;

    let telemetry = Capture::new();
    let raw = redis::cluster::ClusterClient::new([first]).unwrap();
    let client = raw.clone().instrument_with(options(&telemetry));
    let mut connection = client.get_async_connection().await.unwrap();
    let _: Value = connection.get("a").await.unwrap();
    let mut connection = client
        .get_async_connection_with_config(ClusterConfig::new())
        .await
        .unwrap();
    let _: Value = connection.get("a").await.unwrap();
    let mut connection = client.get_pending_async_connection_with_config(ClusterConfig::new());
    let _: Value = connection.get("a").await.unwrap();
    let opened = raw.get_connection().unwrap();
    let mut connection = Instrumented::wrap(opened, Server::default(), options(&telemetry));
    let _: Value = Commands::get(&mut connection, "a").unwrap();
    let expected = ["GET a"; 4].map(command);
    assert_spans(&telemetry, &nowhere(), &expected);
}

/// What connections to clusters can do besides.
#[tokio::test(flavor = "multi_thread")]
async fn routes_and_pipelines_of_clusters() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let all_nodes = || RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllNodes, None));
    let random = || RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);

    let mut connection = client.get_async_connection().await.unwrap();
    let ping = redis::cmd("PING");
    connection
        .route_command(ping.clone(), all_nodes())
        .await
        .unwrap();
    let mut pipeline = redis::pipe();
    pipeline.cmd("PING").cmd("PING");
    let route = SingleNodeRoutingInfo::Random;
    connection
        .route_pipeline(pipeline, 0, 2, route)
        .await
        .unwrap();
    let _: Value = connection.mset(&[("a", "1"), ("b", "2")]).await.unwrap();

    let mut connection = client.get_connection().unwrap();
    connection.set_auto_reconnect(true);
    connection.set_read_timeout(None).unwrap();
    connection.set_write_timeout(None).unwrap();
    connection.route_command(&ping, random()).unwrap();
    let mut pipeline = cluster_pipe();
    pipeline.set("a", "1").ignore().get("a");
    let (found,): (String,) = connection.query_pipeline(&pipeline).unwrap();
    assert_eq!(found, "1");
    let mut pipeline = cluster_pipe();
    pipeline.set("a", "1").lpush("a", "2");
    let failed: RedisResult<Value> = connection.query_pipeline(&pipeline);
    failed.unwrap_err();
    // What the program makes of the replies is its own affair.
    let mut pipeline = cluster_pipe();
    pipeline.set("a", "b").ignore().get("a");
    let converted: RedisResult<(i64,)> = connection.query_pipeline(&pipeline);
    converted.unwrap_err();
    let expected: [Call; 7] = [
        command("PING"),
        batch("PIPELINE PING", 2, "PING; PING"),
        command("MSET a ? b ?"),
        command("PING"),
        batch("PIPELINE", 2, "SET a ?; GET a"),
        batch("PIPELINE", 2, "SET a ?; LPUSH a ?")
            .fails("WRONGTYPE")
            .at_end("otelware.redis.batch.errors", 1),
        batch("PIPELINE", 2, "SET a ?; GET a"),
    ];
    all(&telemetry, &nowhere(), &expected).await;
}

/// Which the connection of a cluster finds another node for.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_cluster() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let client = observed(&cluster, &telemetry);
    let mut connection = client.get_async_connection().await.unwrap();
    let crossed: RedisResult<Value> = connection.rename("a", "b").await;
    crossed.unwrap_err();
    let expected = [command("RENAME a b").fails("CROSSSLOT")];
    assert_spans(&telemetry, &nowhere(), &expected);
}
