//! What connections have methods of their own for.

use crate::expected::{all, client, command, database, options};
use crate::support::Server;
use otelware_redis::Instrument;
use otelware_redis::aio::ConnectionManager;
use otelware_testing::Capture;
use redis::aio::ConnectionManagerConfig;
use redis::{AsyncConnectionConfig, Cmd, Commands, Value};
use std::time::Duration;

fn resp3(server: &Server, telemetry: &Capture) -> otelware_redis::Client {
    let url = format!("{}?protocol=resp3", server.url());
    let raw = redis::Client::open(url).unwrap();
    raw.instrument_with(options(telemetry))
}

#[tokio::test]
async fn of_asynchronous_connections() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = resp3(&server, &telemetry);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    connection.subscribe("news").await.unwrap();
    connection.subscribe(&["a", "b"]).await.unwrap();
    connection.psubscribe("n*").await.unwrap();
    connection.unsubscribe("news").await.unwrap();
    connection.punsubscribe("n*").await.unwrap();
    connection.set_response_timeout(Duration::from_secs(1));
    connection.send_packed_command(&Cmd::ping()).await.unwrap();
    let mut pipeline = redis::pipe();
    pipeline.cmd("PING");
    connection
        .send_packed_commands(&pipeline, 0, 1)
        .await
        .unwrap();
    assert!(receiver.try_recv().is_ok(), "pushes are for the caller");
    assert_eq!(connection.get_cache_statistics().map(drop), None);
    let expected = [
        command("SUBSCRIBE news"),
        command("SUBSCRIBE a b"),
        command("PSUBSCRIBE n*"),
        command("UNSUBSCRIBE news"),
        command("PUNSUBSCRIBE n*"),
        command("PING"),
        command("PING"),
    ];
    all(&telemetry, &database(server.port()), &expected).await;
}

#[tokio::test]
async fn of_managers() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = resp3(&server, &telemetry);
    let config = || ConnectionManagerConfig::new();
    let mut connection = ConnectionManager::new(client.clone()).await.unwrap();
    connection.send_packed_command(&Cmd::ping()).await.unwrap();
    let mut connection = client.get_connection_manager_lazy(config()).unwrap();
    connection.subscribe("news").await.unwrap();
    connection.psubscribe("n*").await.unwrap();
    connection.unsubscribe("news").await.unwrap();
    connection.punsubscribe("n*").await.unwrap();
    let mut connection = client
        .get_connection_manager_with_config(config())
        .await
        .unwrap();
    let mut pipeline = redis::pipe();
    pipeline.cmd("PING");
    connection
        .send_packed_commands(&pipeline, 0, 1)
        .await
        .unwrap();
    let expected = [
        command("PING"),
        command("SUBSCRIBE news"),
        command("PSUBSCRIBE n*"),
        command("UNSUBSCRIBE news"),
        command("PUNSUBSCRIBE n*"),
        command("PING"),
    ];
    all(&telemetry, &database(server.port()), &expected).await;
}

#[tokio::test]
async fn of_connections_that_block() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = resp3(&server, &telemetry);
    let mut connection = client
        .get_connection_with_timeout(Duration::from_secs(5))
        .unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    connection
        .set_write_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    connection.set_push_sender(sender);
    connection.subscribe_resp3("news").unwrap();
    connection.psubscribe_resp3("n*").unwrap();
    connection.unsubscribe_resp3("news").unwrap();
    connection.punsubscribe_resp3("n*").unwrap();
    // What is sent without waiting for the reply is not observed, nor is a question of health.
    connection
        .send_packed_command(&Cmd::ping().get_packed_command())
        .unwrap();
    while !matches!(connection.recv_response().unwrap(), Value::SimpleString(_)) {}
    assert!(receiver.try_recv().is_ok());
    assert!(redis::ConnectionLike::check_connection(&mut connection));
    assert!(redis::ConnectionLike::is_open(&connection));
    let _: Value = connection.get("a").unwrap();
    let expected = [
        command("SUBSCRIBE news"),
        command("PSUBSCRIBE n*"),
        command("UNSUBSCRIBE news"),
        command("PUNSUBSCRIBE n*"),
        command("GET a"),
    ];
    all(&telemetry, &database(server.port()), &expected).await;
}

/// The library's own is to be had, and goes past the spans.
#[tokio::test]
async fn what_is_wrapped_is_given_back() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    assert_eq!(
        client.get_connection_info().addr(),
        client.get_ref().get_connection_info().addr()
    );
    let mut connection = client.get_connection().unwrap();
    let _: Value = connection.get_mut().get("a").unwrap();
    let _: Value = connection.get("a").unwrap();
    let mut raw = connection.into_inner();
    let _: Value = raw.get("a").unwrap();
    drop(client.get_async_monitor().await.unwrap());
    all(&telemetry, &database(server.port()), &[command("GET a")]).await;
}
