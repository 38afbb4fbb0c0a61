//! The stand-in, driven by plain redis-rs.

use super::RedisStandIn;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client, ErrorKind, SetExpiry, SetOptions, Value, cmd};
use std::time::{Duration, Instant};

async fn start() -> (RedisStandIn, MultiplexedConnection) {
    let stand_in = RedisStandIn::start().await.unwrap();
    let connection = connect(&stand_in.url()).await;
    (stand_in, connection)
}

async fn connect(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn what_is_set_is_there_for_everybody_until_it_is_deleted() {
    let (stand_in, mut ada) = start().await;
    let mut bob = connect(&stand_in.url()).await;
    let pong: String = ada.ping().await.unwrap();
    let missing: Option<String> = ada.get("teapot").await.unwrap();
    let () = ada.set("teapot", "1 \r\n 2").await.unwrap();
    let () = ada.set("cup", "3").await.unwrap();
    let there: Option<String> = bob.get("teapot").await.unwrap();
    let deleted: u32 = bob.del(&["teapot", "samovar", "cup"]).await.unwrap();
    let gone: Option<String> = ada.get("teapot").await.unwrap();
    assert_eq!(
        (pong.as_str(), missing, there.as_deref(), deleted, gone),
        ("PONG", None, Some("1 \r\n 2"), 2, None)
    );
}

#[tokio::test]
async fn what_has_expired_is_gone() {
    let (_stand_in, mut connection) = start().await;
    let milliseconds = SetOptions::default().with_expiration(SetExpiry::PX(20));
    let seconds = SetOptions::default().with_expiration(SetExpiry::EX(60));
    let before = Instant::now();
    let () = connection
        .set_options("short", "1", milliseconds)
        .await
        .unwrap();
    let () = connection.set_options("long", "2", seconds).await.unwrap();
    let () = connection.set_ex("longer", "3", 60).await.unwrap();
    let () = connection.pset_ex("shorter", "4", 10).await.unwrap();
    while is_there(&mut connection, "short").await || is_there(&mut connection, "shorter").await {
        assert!(
            before.elapsed() < Duration::from_secs(10),
            "it never expires"
        );
        tokio::task::yield_now().await;
    }
    assert!(before.elapsed() >= Duration::from_millis(20));
    let left: Vec<Option<String>> = vec![
        connection.get("long").await.unwrap(),
        connection.get("longer").await.unwrap(),
    ];
    assert_eq!(left, [Some("2".to_owned()), Some("3".to_owned())]);
}

async fn is_there(connection: &mut MultiplexedConnection, key: &str) -> bool {
    let value: Option<String> = connection.get(key).await.unwrap();
    value.is_some()
}

#[tokio::test]
async fn many_requests_at_once_are_answered_in_their_order() {
    let (_stand_in, mut connection) = start().await;
    let mut pipeline = redis::pipe();
    for number in 0..1_000 {
        pipeline.set(number, number).ignore().get(number);
    }
    let answers: Vec<u32> = pipeline.query_async(&mut connection).await.unwrap();
    assert_eq!(answers, (0..1_000).collect::<Vec<u32>>());
}

#[tokio::test]
async fn the_third_version_of_the_protocol_is_spoken_too() {
    let (stand_in, _) = start().await;
    let mut connection = connect(&format!("{}/?protocol=resp3", stand_in.url())).await;
    let nothing: Value = connection.get("teapot").await.unwrap();
    let () = connection.set("teapot", "1").await.unwrap();
    let something: Value = connection.get("teapot").await.unwrap();
    assert_eq!(
        (nothing, something),
        (Value::Nil, Value::BulkString(b"1".to_vec()))
    );
}

#[tokio::test]
async fn what_it_cannot_do_it_refuses() {
    let (_stand_in, mut connection) = start().await;
    for refused in [
        "LPUSH list 1",
        "SET key 1 NX",
        "SET key 1 EX 60 GET",
        "SET key 1 EX 0",
        "SELECT 1",
        "GET",
    ] {
        let mut words = refused.split(' ');
        let mut command = cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        let answer = command.query_async::<Value>(&mut connection).await;
        let kind = answer.map_err(|error| error.kind());
        assert!(
            matches!(kind, Err(ErrorKind::Server(_) | ErrorKind::Extension)),
            "{kind:?} to {refused}"
        );
    }
    let pong: String = connection.ping().await.unwrap();
    assert_eq!(pong, "PONG");
}

#[tokio::test]
async fn a_request_that_is_too_large_ends_the_connection() {
    let (stand_in, mut connection) = start().await;
    let large = "x".repeat(1_000_000);
    let answer: Result<(), _> = connection.set("large", large).await;
    assert!(answer.is_err(), "{answer:?}");
    let mut connection = connect(&stand_in.url()).await;
    let missing: Option<String> = connection.get("large").await.unwrap();
    assert_eq!(missing, None);
}
