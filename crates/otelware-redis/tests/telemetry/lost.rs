//! Servers that go away, and come again.

use crate::expected::{assert_spans, client, command, counter, database, options};
use crate::support::Server;
use otelware_redis::Instrument;
use otelware_redis::aio::ConnectionManager;
use otelware_testing::suites::database::Failure;
use otelware_testing::{Capture, attributes};
use redis::aio::ConnectionManagerConfig;
use redis::{AsyncCommands, Commands, RedisResult, Value};
use std::time::Duration;

fn reconnections(telemetry: &Capture, port: u16, count: u64) {
    let metric = telemetry.metric("otelware.redis.reconnections");
    metric.assert(counter(
        "otelware.redis.reconnections",
        "The number of connections that worked again after they had been lost.",
        "{connection}",
        attributes! {
            "db.system.name" => "redis",
            "server.address" => "127.0.0.1",
            "server.port" => port,
        },
        count,
    ));
}

fn has_reconnections(telemetry: &Capture) -> bool {
    let metrics = telemetry.metrics();
    metrics
        .iter()
        .any(|metric| metric.name == "otelware.redis.reconnections")
}

/// Asks until there is an answer.
async fn until_it_works(connection: &mut ConnectionManager) {
    for _ in 0..200 {
        let answer: RedisResult<Value> = connection.get("a").await;
        if answer.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not work again");
}

/// Once for all its clones, each time that it works again.
#[tokio::test]
async fn a_manager_connects_again() {
    let (mut server, telemetry) = (Server::start(), Capture::new());
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(1))
        .set_number_of_retries(2);
    let client = client(&server, &telemetry);
    let mut connection = ConnectionManager::new_with_config(client, config)
        .await
        .unwrap();
    let mut clone = connection.clone();
    let _: Value = connection.get("a").await.unwrap();
    for count in 1..=2 {
        server.kill();
        let lost: RedisResult<Value> = connection.get("a").await;
        lost.unwrap_err();
        server.restart();
        until_it_works(&mut clone).await;
        let _: Value = connection.get("a").await.unwrap();
        reconnections(&telemetry, server.port(), count);
    }
    let errors = telemetry.spans().into_iter().filter_map(|span| {
        let class = span.attribute("error.type")?;
        Some(class.as_str().unwrap().to_owned())
    });
    let errors: std::collections::BTreeSet<_> = errors.collect();
    let known = ["broken_pipe", "connection_dropped", "connection_refused"].map(str::to_owned);
    assert!(
        !errors.is_empty() && errors.is_subset(&known.into()),
        "{errors:?}"
    );
}

/// An error of the server's is an answer too. The database is that of the beginning again.
#[tokio::test]
async fn a_manager_connects_again_and_is_refused() {
    let (mut server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(1))
        .set_number_of_retries(2);
    let mut connection = ConnectionManager::new_with_config(client, config)
        .await
        .unwrap();
    let mut select = redis::cmd("SELECT");
    let _: () = select.arg(5).query_async(&mut connection).await.unwrap();
    let _: Value = connection.get("a").await.unwrap();
    server.kill();
    let lost: RedisResult<Value> = connection.get("a").await;
    lost.unwrap_err();
    server.restart();
    let mut refused = redis::pipe();
    refused.atomic().get("a").cmd("NONE.SUCH");
    let mut is_refused = false;
    for _ in 0..200 {
        let answer: RedisResult<Value> = refused.query_async(&mut connection).await;
        is_refused = answer.unwrap_err().code() == Some("EXECABORT");
        if is_refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_refused, "{}", telemetry.dump());
    reconnections(&telemetry, server.port(), 1);
    let spans = telemetry.spans();
    let databases = [&spans[0], &spans[1], &spans[spans.len() - 1]];
    let databases = databases.map(|span| span.attribute("db.namespace").unwrap().to_string());
    assert_eq!(
        databases.each_ref().map(|number| number.trim_matches('"')),
        ["0", "5", "0"]
    );
}

/// Which is an error, and the connection is as lost as before.
#[tokio::test]
async fn a_connection_is_lost_for_good() {
    let (mut server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    let _: Value = Commands::get(&mut connection, "a").unwrap();
    server.kill();
    let lost: RedisResult<Value> = Commands::get(&mut connection, "a");
    lost.unwrap_err();
    assert!(!redis::ConnectionLike::is_open(&connection));
    let lost = command("GET a").failing(Failure::Class("connection_dropped"));
    assert_spans(
        &telemetry,
        &database(server.port()),
        &[command("GET a"), lost],
    );
    assert!(!has_reconnections(&telemetry));
}

/// Nobody listens.
#[tokio::test]
async fn a_server_that_is_not_there() {
    let (mut server, telemetry) = (Server::start(), Capture::new());
    server.kill();
    let raw = server.client();
    let mut client = raw.instrument_with(options(&telemetry).with_connect_spans());
    client.get_connection().map(drop).unwrap_err();
    // A client that is a connection opens one for each command.
    let refused: RedisResult<Value> = Commands::get(&mut client, "a");
    refused.unwrap_err();
    let found: Vec<_> = telemetry
        .spans()
        .iter()
        .map(|span| (span.name.clone(), span.attribute("error.type").cloned()))
        .collect();
    let refused = |name: &str| (name.to_owned(), Some("connection_refused".into()));
    assert_eq!(found, [refused("connect"), refused("GET")]);
    assert!(!has_reconnections(&telemetry));

    server.restart();
    let _: Value = Commands::get(&mut client, "a").unwrap();
    reconnections(&telemetry, server.port(), 1);
}
