//! The database that a connection has come to, beside what the server says of it.

use crate::expected::{client, options};
use crate::support::Server;
use futures_util::FutureExt;
use otelware_redis::{Connection, Instrument, Instrumented};
use otelware_testing::Capture;
use redis::{Cmd, Commands, ConnectionLike, IntoConnectionInfo, Pipeline, RedisResult, Value};

fn words(line: &str) -> Cmd {
    let mut command = Cmd::new();
    command.arg(line.split(' ').collect::<Vec<_>>());
    command
}

fn together(commands: &[&str]) -> Pipeline {
    let mut pipeline = redis::pipe();
    for command in commands {
        pipeline.add_command(words(command));
    }
    pipeline
}

fn atomic(commands: &[&str]) -> Pipeline {
    let mut pipeline = together(commands);
    pipeline.atomic();
    pipeline
}

/// The database of a connection, as the server has it, and as the span of the question had it.
fn told(telemetry: &Capture, info: &str) -> (String, Option<String>) {
    let database = info.split(' ').find_map(|word| word.strip_prefix("db="));
    let spans = telemetry.spans();
    let told = spans.last().unwrap().attribute("db.namespace");
    let told = told.map(|told| told.as_str().unwrap().to_owned());
    (database.unwrap().to_owned(), told)
}

#[track_caller]
fn is(telemetry: &Capture, info: &str, database: &str) {
    let both = (database.to_owned(), Some(database.to_owned()));
    assert_eq!(told(telemetry, info), both);
}

/// What is sent after each other, each at once, and the database that this comes to.
fn sequences() -> Vec<(Vec<Pipeline>, &'static str)> {
    let one = |line| together(&[line]);
    vec![
        (vec![together(&["SELECT 2", "NONE.SUCH"])], "2"),
        (vec![together(&["SELECT 3", "SELECT 1000"])], "3"),
        (vec![together(&["SELECT 1000", "PING", "SELECT 1"])], "1"),
        (vec![one("RESET")], "0"),
        (vec![together(&["SELECT 2", "RESET", "select 4"])], "4"),
        (vec![atomic(&["SELECT 5", "PING"])], "5"),
        (vec![atomic(&["SELECT 6", "SELECT 1000"])], "6"),
        // Of what is no command there is no transaction.
        (vec![atomic(&["SELECT 7", "NONE.SUCH"])], "6"),
        // By hand.
        (vec![one("MULTI"), one("SELECT 8"), one("EXEC")], "8"),
        (vec![one("MULTI"), one("SELECT 9"), one("DISCARD")], "8"),
        (
            vec![one("MULTI"), one("SELECT 9"), one("NONE.SUCH"), one("EXEC")],
            "8",
        ),
        (vec![one("MULTI"), one("SELECT 9"), one("RESET")], "0"),
        (vec![together(&["MULTI", "SELECT 9", "EXEC", "PING"])], "9"),
        (vec![together(&["MULTI", "SELECT 3", "DISCARD"])], "9"),
        // What was watched has changed.
        (
            vec![
                one("WATCH w"),
                one("SET w 1"),
                atomic(&["SELECT 4", "PING"]),
            ],
            "9",
        ),
        (
            vec![
                one("WATCH w"),
                one("SET w 2"),
                one("MULTI"),
                one("SELECT 4"),
                one("EXEC"),
            ],
            "9",
        ),
    ]
}

#[test]
fn blocking() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    for (sequence, database) in sequences() {
        for pipeline in &sequence {
            let _: RedisResult<Value> = pipeline.query(&mut connection);
        }
        let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
        is(&telemetry, &info, database);
    }
}

#[tokio::test]
async fn asynchronous() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (sequence, database) in sequences() {
        for pipeline in &sequence {
            let _: RedisResult<Value> = pipeline.query_async(&mut connection).await;
        }
        let info: String = words("CLIENT INFO")
            .query_async(&mut connection)
            .await
            .unwrap();
        is(&telemetry, &info, database);
    }
}

/// One at a time, packed or not.
#[test]
fn of_single_commands() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection: Connection = client(&server, &telemetry).get_connection().unwrap();
    for (line, database) in [("SELECT 3", "3"), ("SELECT 1000", "3"), ("RESET", "0")] {
        let _: RedisResult<Value> = words(line).query(&mut connection);
        let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
        is(&telemetry, &info, database);
        let _: RedisResult<Value> =
            connection.req_packed_command(&words(line).get_packed_command());
        let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
        is(&telemetry, &info, database);
    }
}

/// The server may have received what nobody waited for.
#[tokio::test]
async fn after_a_cancelled_one_it_is_not_known() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let client = client(&server, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for cancelled in [together(&["SELECT 5"]), together(&["PING", "RESET"])] {
        let sent = cancelled.query_async::<Value>(&mut connection);
        assert!(sent.now_or_never().is_none());
        let info: String = words("CLIENT INFO")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(told(&telemetry, &info).1, None);
        let _: () = words("SELECT 2")
            .query_async(&mut connection)
            .await
            .unwrap();
        let info: String = words("CLIENT INFO")
            .query_async(&mut connection)
            .await
            .unwrap();
        is(&telemetry, &info, "2");
    }
    // Others make no difference.
    for cancelled in ["GET a", "EXEC", "DISCARD"] {
        let sent = words(cancelled);
        let sent = sent.query_async::<Value>(&mut connection);
        assert!(sent.now_or_never().is_none());
        let info: String = words("CLIENT INFO")
            .query_async(&mut connection)
            .await
            .unwrap();
        is(&telemetry, &info, "2");
    }
}

/// Nor where the replies do not tell.
#[test]
fn where_replies_do_not_tell_it_is_not_known() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    let sequences = [
        // This is done at once, and ends the transaction.
        vec![atomic(&["PING", "RESET"])],
        // Of two commands, one failed.
        vec![together(&[
            "SET s a", "MULTI", "INCR s", "SELECT 5", "EXEC",
        ])],
    ];
    for sequence in sequences {
        for pipeline in &sequence {
            let _: RedisResult<Value> = pipeline.query(&mut connection);
        }
        let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
        assert_eq!(told(&telemetry, &info).1, None);
        words("SELECT 2").exec(&mut connection).unwrap();
        let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
        is(&telemetry, &info, "2");
    }
}

/// Which is not that of the beginning.
#[test]
fn after_a_reset_it_is_the_first() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let raw = redis::Client::open(format!("{}/3", server.url())).unwrap();
    let client = raw.instrument_with(options(&telemetry));
    let mut connection = client.get_connection().unwrap();
    let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
    is(&telemetry, &info, "3");
    let _: Value = words("RESET").query(&mut connection).unwrap();
    let info: String = words("CLIENT INFO").query(&mut connection).unwrap();
    is(&telemetry, &info, "0");
}

/// It opens another connection for the next command.
#[test]
fn a_client_that_is_wrapped_selects_nothing() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let info = server.url().into_connection_info().unwrap();
    let mut raw = server.client();
    let mut client = Instrumented::wrap(raw.clone(), &info, options(&telemetry));
    words("SELECT 5").exec(&mut client).unwrap();
    let answer: String = words("CLIENT INFO").query(&mut client).unwrap();
    is(&telemetry, &answer, "0");
    let mut client = Instrumented::wrap(&mut raw, &info, options(&telemetry));
    words("SELECT 5").exec(&mut client).unwrap();
    let answer: String = words("CLIENT INFO").query(&mut client).unwrap();
    is(&telemetry, &answer, "0");
    // A connection does.
    let mut opened = raw.get_connection().unwrap();
    let mut connection = Instrumented::wrap(&mut opened, &info, options(&telemetry));
    words("SELECT 5").exec(&mut connection).unwrap();
    let answer: String = words("CLIENT INFO").query(&mut connection).unwrap();
    is(&telemetry, &answer, "5");
    let _: Option<String> = connection.get("a").unwrap();
}
