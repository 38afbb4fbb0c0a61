//! What clients are told.

use crate::expected::{Call, all, batch, command, database, options};
use crate::support::Server;
use otelware_redis::{Instrument, RedisOptions};
use otelware_testing::{Capture, expect_span};
use redis::{Commands, Value};

/// Goes through a few commands with these options.
async fn finds(change: impl FnOnce(RedisOptions) -> RedisOptions, expected: &[Call]) {
    let (server, telemetry) = (Server::start(), Capture::new());
    let options = change(options(&telemetry));
    let mut connection = server
        .client()
        .instrument_with(options)
        .get_connection()
        .unwrap();
    let _: () = connection.set("k", "v").unwrap();
    let _: Value = connection.hget("h", "f").unwrap();
    redis::cmd("PING").exec(&mut connection).unwrap();
    let mut pipeline = redis::pipe();
    let _: Value = pipeline
        .cmd("PING")
        .cmd("PING")
        .query(&mut connection)
        .unwrap();
    pipeline.clear();
    let _: Value = pipeline
        .get("k")
        .cmd("PING")
        .query(&mut connection)
        .unwrap();
    all(&telemetry, &database(server.port()), expected).await;
}

#[tokio::test]
async fn keys_and_texts_are_left_out() {
    let expected = [
        command("SET ? ?"),
        command("HGET ? ?"),
        command("PING"),
        batch("PIPELINE PING", 2, "PING; PING"),
        batch("PIPELINE", 2, "GET ?; PING"),
    ];
    finds(RedisOptions::without_keys, &expected).await;
    let named = |name: &str| Call::new(name).on_both("db.operation.name", name);
    let expected = [
        named("SET"),
        named("HGET"),
        named("PING"),
        named("PIPELINE PING").on_span("db.operation.batch.size", 2),
        named("PIPELINE").on_span("db.operation.batch.size", 2),
    ];
    finds(RedisOptions::without_query_text, &expected).await;
}

#[tokio::test]
async fn commands_are_left_out() {
    let expected = [
        command("SET k ?"),
        command("HGET h f"),
        batch("PIPELINE", 2, "GET k; PING"),
    ];
    finds(|options| options.without_commands(["PING"]), &expected).await;
    let expected = [command("SET k ?")];
    finds(|options| options.with_commands_only(["set"]), &expected).await;
    let filter =
        |options: RedisOptions| options.with_filter(|command| command.batch_size == Some(2));
    let expected = [
        batch("PIPELINE PING", 2, "PING; PING"),
        batch("PIPELINE", 2, "GET k; PING"),
    ];
    finds(filter, &expected).await;
    finds(
        |options| filter(options).without_commands(["ping"]),
        &expected[1..],
    )
    .await;
}

/// Of what the client opens itself.
#[tokio::test]
async fn connections_have_spans() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let options = options(&telemetry).with_connect_spans();
    let client = server.client().instrument_with(options);
    drop(client.get_connection().unwrap());
    drop(client.get_multiplexed_async_connection().await.unwrap());
    let scope = database(0).scope;
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 2);
    for span in spans {
        span.assert(
            expect_span("connect")
                .scope(
                    &scope.name,
                    scope.version.as_deref().unwrap(),
                    scope.schema_url.as_deref().unwrap(),
                )
                .attribute("db.system.name", "redis")
                .attribute("server.address", "127.0.0.1")
                .attribute("server.port", i64::from(server.port())),
        );
    }
    assert_eq!(telemetry.metrics(), []);
}
