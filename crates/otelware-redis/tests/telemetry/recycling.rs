//! What a pool does between two that borrow a connection.

use crate::clusters::observed;
use crate::expected::client;
use crate::support::{Cluster, Server};
use otelware_redis::deadpool::Pool;
use otelware_testing::Capture;
use redis::AsyncCommands;
use redis::aio::ConnectionLike;

/// The one before watched a key, which another has changed since.
async fn assert_watches_nothing(connection: &mut (impl ConnectionLike + Send + Sync), number: u64) {
    let mut pipeline = redis::pipe();
    pipeline.atomic().set("{w}rites", number).get("{w}rites");
    let written: Option<((), u64)> = pipeline.query_async(connection).await.unwrap();
    assert_eq!(written, Some(((), number)), "the transaction failed");
}

#[tokio::test]
async fn keys_are_watched_no_longer() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let pool = deadpool::managed::Pool::builder(client(&server, &telemetry))
        .max_size(1)
        .build()
        .unwrap();
    let pool = Pool::new(pool);
    for number in 0..3 {
        let mut first = pool.get().await.unwrap();
        let mut watch = redis::cmd("WATCH");
        watch.arg("{w}").exec_async(&mut first).await.unwrap();
        drop(first);
        let _: () = redis::Commands::set(&mut server.connection(), "{w}", number).unwrap();
        assert_watches_nothing(&mut pool.get().await.unwrap(), number).await;
    }
    assert_eq!(pool.status().size, 1);
    // It is one connection, and what the pool asks of it has no spans.
    let created = telemetry.metric("db.client.connection.create_time");
    assert_eq!(created.total_count(), 1);
    let names: Vec<_> = telemetry
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["WATCH", "MULTI"].repeat(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_cluster_are_watched_no_longer() {
    let (cluster, telemetry) = (Cluster::start(), Capture::new());
    let pool = deadpool::managed::Pool::builder(observed(&cluster, &telemetry))
        .max_size(1)
        .build()
        .unwrap();
    let pool = Pool::new(pool);
    for number in 0..3 {
        let mut first = pool.get().await.unwrap();
        let mut watch = redis::cmd("WATCH");
        watch.arg("{w}").exec_async(&mut first).await.unwrap();
        drop(first);
        let mut other = cluster.connection();
        let _: () = redis::Commands::set(&mut other, "{w}", number).unwrap();
        assert_watches_nothing(&mut pool.get().await.unwrap(), number).await;
    }
    let mut connection = pool.get().await.unwrap();
    let _: Option<String> = connection.get("{w}").await.unwrap();
    let created = telemetry.metric("db.client.connection.create_time");
    assert_eq!(created.total_count(), 1);
}
