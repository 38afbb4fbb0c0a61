//! Errors, of the server and of the way to it.

use crate::expected::{
    Call, all, assert_operations, assert_spans, batch, client, command, counter, database, options,
};
use crate::support::Server;
use otelware_redis::Instrument;
use otelware_testing::suites::database::Failure;
use otelware_testing::{Capture, attributes, expect_span};
use redis::{AsyncCommands, AsyncConnectionConfig, Commands, RedisResult, Value};
use std::time::Duration;

/// What a server's errors begin with is their code.
#[tokio::test]
async fn codes() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    let _: () = connection.set("s", "a").unwrap();
    let mut expected = vec![command("SET s ?")];
    let script = |error: &str| {
        vec![
            "EVAL".to_owned(),
            format!("return redis.error_reply('{error}')"),
            "0".to_owned(),
        ]
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for (arguments, text, failure) in [
        (words("LPUSH s a"), "LPUSH s ?", Failure::Code("WRONGTYPE")),
        (words("INCR s"), "INCR s", Failure::Code("ERR")),
        (words("GET"), "GET", Failure::Code("ERR")),
        (words("EXEC"), "EXEC", Failure::Code("ERR")),
        (
            words("XGROUP CREATE none g $"),
            "XGROUP CREATE none ? $",
            Failure::Code("ERR"),
        ),
        (
            words("AUTH someone s3cr3t"),
            "AUTH ? ?",
            Failure::Code("WRONGPASS"),
        ),
        (words("FCALL none 0"), "FCALL none 0", Failure::Code("ERR")),
        (script("OOM full"), "EVAL ? 0", Failure::Code("OOM")),
        // What a script says may be anything.
        (
            script("S3CR3T declined"),
            "EVAL ? 0",
            Failure::Class("_OTHER"),
        ),
        (
            script("s3cr3t: it failed"),
            "EVAL ? 0",
            Failure::Class("_OTHER"),
        ),
        (
            script("4711 it failed"),
            "EVAL ? 0",
            Failure::Class("_OTHER"),
        ),
    ] {
        let mut command_of = redis::Cmd::new();
        command_of.arg(&arguments);
        let result: RedisResult<Value> = command_of.query(&mut connection);
        result.expect_err(text);
        let mut call = command(text);
        if arguments[0] == "FCALL" {
            call = call.on_span("db.stored_procedure.name", "none");
        }
        expected.push(match failure {
            Failure::Code(code) => call.fails(code),
            failure => call.failing(failure),
        });
    }
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains("s3cr3t");
    telemetry.assert_never_contains("S3CR3T");
}

/// Of scripts, alone and among other commands, of which any number is one class.
#[tokio::test]
async fn codes_of_scripts() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let options = options(&telemetry).with_error_codes(["OUT_OF_STOCK"]);
    let client = server.client().instrument_with(options);
    let mut connection = client.get_connection().unwrap();
    let script = |answer: String| {
        let mut script = redis::cmd("EVAL");
        script
            .arg("return redis.error_reply(ARGV[1])")
            .arg(0)
            .arg(answer);
        script
    };
    let run = || command("EVAL ? 0 ?");
    let mut expected = Vec::new();
    let told = script("OUT_OF_STOCK none left".to_owned());
    let failed: RedisResult<Value> = told.query(&mut connection);
    failed.unwrap_err();
    expected.push(run().fails("OUT_OF_STOCK"));
    let mut pipeline = redis::pipe();
    pipeline.add_command(told).cmd("PING");
    let failed: RedisResult<Value> = pipeline.query(&mut connection);
    failed.unwrap_err();
    expected.push(
        batch("PIPELINE", 2, "EVAL ? 0 ?; PING")
            .fails("OUT_OF_STOCK")
            .at_end("otelware.redis.batch.errors", 1),
    );
    for number in 0..50 {
        let any = script(format!("CARD{number} declined"));
        let failed: RedisResult<Value> = any.query(&mut connection);
        failed.unwrap_err();
        expected.push(run().failing(Failure::Class("_OTHER")));
    }
    all(&telemetry, &database(server.port()), &expected).await;
    let durations = telemetry.metric("db.client.operation.duration");
    assert_eq!((durations.points.len(), durations.total_count()), (3, 52));
    telemetry.assert_never_contains("CARD");
}

/// Of a server that wants a password and got none, or a wrong one.
#[tokio::test]
async fn passwords() {
    let server = Server::start_with(&["--requirepass", "pa55w0rd"]);
    let telemetry = Capture::new();
    let at = server.address();
    let url = format!("redis://{at}");
    let raw = redis::Client::open(url).unwrap();
    let client = raw.instrument_with(options(&telemetry));
    let mut connection = client.get_connection().unwrap();
    let refused: RedisResult<Value> = connection.get("a");
    refused.unwrap_err();
    all(
        &telemetry,
        &database(server.port()),
        &[command("GET a").fails("NOAUTH")],
    )
    .await;

    let telemetry = Capture::new();
    let raw = redis::Client::open(format!("redis://:wr0ng@{at}")).unwrap();
    let client = raw.instrument_with(options(&telemetry).with_connect_spans());
    client.get_connection().map(drop).unwrap_err();
    client
        .get_multiplexed_async_connection()
        .await
        .map(drop)
        .unwrap_err();
    let scope = database(0).scope;
    for span in telemetry.spans() {
        span.assert(
            expect_span("connect")
                .scope(
                    &scope.name,
                    scope.version.as_deref().unwrap(),
                    scope.schema_url.as_deref().unwrap(),
                )
                .attribute("db.system.name", "redis")
                .attribute("server.address", "127.0.0.1")
                .attribute("server.port", i64::from(server.port()))
                .attribute("error.type", "authentication_failed")
                .error(),
        );
    }
    assert_eq!(telemetry.spans().len(), 2);
    telemetry.assert_never_contains("wr0ng");
}

fn timed_out(text: &str, telemetry: &Capture, port: u16) {
    let database = database(port);
    let expected: [Call; 1] = [command(text).failing(Failure::Class("timeout"))];
    assert_spans(telemetry, &database, &expected);
    assert_operations(telemetry, &database, &expected);
    let metric = telemetry.metric("otelware.redis.timeouts");
    metric.assert(counter(
        "otelware.redis.timeouts",
        "The number of commands to which no reply came in time.",
        "{timeout}",
        attributes! {
            "db.system.name" => "redis",
            "db.namespace" => "0",
            "db.operation.name" => "BLPOP",
            "error.type" => "timeout",
            "server.address" => "127.0.0.1",
            "server.port" => port,
        },
        1,
    ));
}

/// They are counted.
#[tokio::test]
async fn timeouts() {
    let server = Server::start();
    let telemetry = Capture::new();
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_millis(50)));
    let mut connection = client(&server, &telemetry)
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    let late: RedisResult<Value> = connection.blpop("none", 0.3).await;
    late.unwrap_err();
    timed_out("BLPOP none ?", &telemetry, server.port());

    let telemetry = Capture::new();
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    connection
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let late: RedisResult<Value> = Commands::blpop(&mut connection, "none", 0.3);
    late.unwrap_err();
    timed_out("BLPOP none ?", &telemetry, server.port());
}
