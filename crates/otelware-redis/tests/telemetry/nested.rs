//! Errors within replies: of scripts, and of transactions.

use crate::expected::{Call, all, batch, client, command, database};
use crate::support::Server;
use otelware_redis::otelware::semconv::attribute;
use otelware_testing::Capture;
use redis::{Cmd, Pipeline, RedisResult, Value};

const TWO_ERRORS: &str =
    "return {1, {redis.error_reply('WRONGTYPE a'), redis.error_reply('ERR b')}}";

/// What is sent, alone or with others.
enum Sent {
    Alone(Cmd),
    Together(Pipeline),
}

fn words(line: &str) -> Cmd {
    let mut command = Cmd::new();
    command.arg(line.split(' ').collect::<Vec<_>>());
    command
}

fn script() -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(TWO_ERRORS).arg(0);
    command
}

/// What is done, and what it leaves behind.
fn cases() -> Vec<(Sent, Call)> {
    let together = |commands: &[Cmd]| {
        let mut pipeline = redis::pipe();
        for command in commands {
            pipeline.add_command(command.clone());
        }
        pipeline
    };
    let mut atomic = together(&[script(), words("PING"), words("LPUSH s a")]);
    atomic.atomic();
    let errors = |call: Call, count: i64| {
        call.fails("WRONGTYPE")
            .at_end(attribute::REDIS_BATCH_ERRORS, count)
    };
    let by_hand = ["MULTI", "LPUSH s a", "EXEC", "LPUSH s b"].map(words);
    vec![
        (Sent::Alone(words("SET s a")), command("SET s ?")),
        (
            Sent::Alone(script()),
            command("EVAL ? 0").fails("WRONGTYPE"),
        ),
        // Each command counts once.
        (
            Sent::Together(together(&[script(), words("PING"), script()])),
            errors(batch("PIPELINE", 3, "EVAL ? 0; PING; EVAL ? 0"), 2),
        ),
        (
            Sent::Together(together(&[script()])),
            command("EVAL ? 0").fails("WRONGTYPE"),
        ),
        (
            Sent::Together(atomic),
            errors(batch("MULTI", 3, "EVAL ? 0; PING; LPUSH s ?"), 2),
        ),
        (
            Sent::Together(together(&by_hand)),
            errors(batch("PIPELINE", 4, "MULTI; LPUSH s ?; EXEC; LPUSH s ?"), 2),
        ),
        (Sent::Alone(words("MULTI")), command("MULTI")),
        (Sent::Alone(words("LPUSH s a")), command("LPUSH s ?")),
        (
            Sent::Alone(words("EXEC")),
            command("EXEC").fails("WRONGTYPE"),
        ),
    ]
}

#[tokio::test]
async fn asynchronous() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut expected = Vec::new();
    for (sent, call) in cases() {
        let result: RedisResult<Value> = match sent {
            Sent::Alone(command) => command.query_async(&mut connection).await,
            Sent::Together(pipeline) => pipeline.query_async(&mut connection).await,
        };
        drop(result);
        expected.push(call);
    }
    all(&telemetry, &database(server.port()), &expected).await;
}

#[tokio::test]
async fn blocking() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    let mut expected = Vec::new();
    for (sent, call) in cases() {
        let result: RedisResult<Value> = match sent {
            Sent::Alone(command) => command.query(&mut connection),
            Sent::Together(pipeline) => pipeline.query(&mut connection),
        };
        drop(result);
        expected.push(call);
    }
    all(&telemetry, &database(server.port()), &expected).await;
}
