//! Pipelines, transactions and scripts.

use crate::expected::{Call, all, batch, client, command, database};
use crate::support::Server;
use otelware_testing::Capture;
use otelware_testing::suites::database::Failure;
use redis::{AsyncCommands, Commands, Pipeline, RedisResult, Script, Value};

const VALUE: &str = "v4lu3-m4rk3r";

/// What is done, and what it leaves behind.
fn cases() -> Vec<(Pipeline, Call)> {
    let mut cases = Vec::new();
    let mut case = |make: &dyn Fn(&mut Pipeline), call| {
        let mut pipeline = redis::pipe();
        make(&mut pipeline);
        cases.push((pipeline, call));
    };
    let failing = |pipeline: &mut Pipeline| {
        pipeline
            .set("s", VALUE)
            .lpush("s", VALUE)
            .get("s")
            .cmd("NONE.SUCH")
            .arg(VALUE)
            .cmd("LPOP")
            .arg("s");
    };
    case(
        &|pipeline| {
            pipeline.set("a", VALUE).set("b", VALUE).set("c", VALUE);
        },
        batch("PIPELINE SET", 3, "SET a ?; SET b ?; SET c ?"),
    );
    case(
        &|pipeline| {
            pipeline.set("a", VALUE).get("a").ignore();
        },
        batch("PIPELINE", 2, "SET a ?; GET a"),
    );
    case(
        &|pipeline| {
            pipeline.set("a", VALUE).get("a").set("a", VALUE);
        },
        batch("PIPELINE", 3, "SET a ?; GET a; SET a ?"),
    );
    case(
        &|pipeline| {
            pipeline.get("a");
        },
        command("GET a"),
    );
    case(
        &|pipeline| {
            pipeline.atomic().set("a", VALUE).incr("i", 1);
        },
        batch("MULTI", 2, "SET a ?; INCRBY i ?"),
    );
    case(
        &|pipeline| {
            pipeline.atomic().get("a").get("b");
        },
        batch("MULTI GET", 2, "GET a; GET b"),
    );
    case(
        &|pipeline| {
            pipeline.atomic().get("a");
        },
        command("GET a"),
    );
    // Each error is a reply among others.
    case(
        &failing,
        batch(
            "PIPELINE",
            5,
            "SET s ?; LPUSH s ?; GET s; NONE.SUCH ?; LPOP s",
        )
        .fails("WRONGTYPE")
        .at_end("otelware.redis.batch.errors", 3),
    );
    case(
        &|pipeline| {
            pipeline.ignore_errors();
            pipeline.lpush("s", VALUE).get("s");
        },
        batch("PIPELINE", 2, "LPUSH s ?; GET s")
            .fails("WRONGTYPE")
            .at_end("otelware.redis.batch.errors", 1),
    );
    // The replies of a transaction are one.
    case(
        &|pipeline| {
            pipeline.atomic().lpush("s", VALUE).get("s").lpop("s", None);
        },
        batch("MULTI", 3, "LPUSH s ?; GET s; LPOP s")
            .fails("WRONGTYPE")
            .at_end("otelware.redis.batch.errors", 2),
    );
    // A transaction that has what is no command is not begun.
    case(
        &|pipeline| {
            pipeline.atomic().get("a").cmd("NONE.SUCH").arg(VALUE);
        },
        batch("MULTI", 2, "GET a; NONE.SUCH ?")
            .fails("EXECABORT")
            .at_end("otelware.redis.batch.errors", 1),
    );
    cases
}

#[tokio::test]
async fn asynchronous() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut expected = Vec::new();
    for (pipeline, call) in cases() {
        let result: RedisResult<Value> = pipeline.query_async(&mut connection).await;
        drop(result);
        expected.push(call);
    }
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains(VALUE);
}

#[tokio::test]
async fn blocking() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    let mut expected = Vec::new();
    for (pipeline, call) in cases() {
        let result: RedisResult<Value> = pipeline.query(&mut connection);
        drop(result);
        expected.push(call);
    }
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains(VALUE);
}

/// It is a batch of no commands, which redis-rs refuses to send.
#[tokio::test]
async fn an_empty_pipeline() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_connection().unwrap();
    let refused: RedisResult<Value> = redis::pipe().query(&mut connection);
    refused.unwrap_err();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let refused: RedisResult<Value> = redis::pipe().query_async(&mut connection).await;
    refused.unwrap_err();
    let empty = || {
        Call::new("PIPELINE")
            .on_both("db.operation.name", "PIPELINE")
            .on_span("db.operation.batch.size", 0)
            .failing(Failure::Class("client_error"))
    };
    all(&telemetry, &database(server.port()), &[empty(), empty()]).await;
}

/// As redis-rs has it, with `WATCH` before.
#[tokio::test]
async fn transactions_that_watch() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_connection().unwrap();
    let (counted,): (i64,) = redis::transaction(&mut connection, &["n"], |connection, pipeline| {
        let old: Option<i64> = connection.get("n")?;
        pipeline
            .set("n", old.unwrap_or(0) + 1)
            .ignore()
            .get("n")
            .query(connection)
    })
    .unwrap();
    assert_eq!(counted, 1);
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let (counted,): (i64,) =
        redis::aio::transaction_async(connection, &["n"], async |mut connection, mut pipeline| {
            let old: i64 = connection.get("n").await?;
            pipeline
                .set("n", old + 1)
                .ignore()
                .get("n")
                .query_async(&mut connection)
                .await
        })
        .await
        .unwrap();
    assert_eq!(counted, 2);
    let once = || {
        [
            command("WATCH n"),
            command("GET n"),
            batch("MULTI", 2, "SET n ?; GET n"),
            command("UNWATCH"),
        ]
    };
    let calls: Vec<Call> = once().into_iter().chain(once()).collect();
    all(&telemetry, &database(server.port()), &calls).await;
}

/// The script is not there, is loaded, and runs; the next time it is there.
#[tokio::test]
async fn scripts_on_a_cold_server() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let script = Script::new("return ARGV[1] .. 'b0dy-m4rk3r'");
    let digest = script.get_hash().to_owned();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for _ in 0..2 {
        let answer: String = script
            .key("k")
            .arg(VALUE)
            .invoke_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(answer, format!("{VALUE}b0dy-m4rk3r"));
    }
    let mut connection = client.get_connection().unwrap();
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec(&mut server.connection())
        .unwrap();
    for _ in 0..2 {
        let _: String = script.key("k").arg(VALUE).invoke(&mut connection).unwrap();
    }
    let run = || {
        command(format!("EVALSHA {digest} 1 k ?"))
            .on_span("db.stored_procedure.name", digest.as_str())
    };
    let load = || command("SCRIPT LOAD ?");
    let cold = || run().fails("NOSCRIPT");
    let expected = [cold(), load(), run(), run(), cold(), load(), run(), run()];
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains(VALUE);
    telemetry.assert_never_contains("b0dy-m4rk3r");
}
