//! No value, no password and no script reaches an exporter; nor does a key where keys are left out.

use crate::expected::options;
use crate::support::Server;
use otelware_redis::{Instrument, RedisOptions};
use otelware_testing::Capture;
use proptest::prelude::*;
use redis::{Commands, ConnectionLike, RedisResult, Script, Value};

/// What is secret begins with this, which could be a code of an error, and goes on with anything
/// at all.
const MARKER: &str = "M4RK3R";

fn secrets() -> impl Strategy<Value = String> {
    // Often a word by itself.
    " ?[ -~äß\\n\\r\\t]{0,24}".prop_map(|rest| format!("{MARKER}{rest}"))
}

fn connection(server: &Server, telemetry: &Capture, keys: bool) -> otelware_redis::Connection {
    let mut options = options(telemetry)
        .with_logger_provider(telemetry.logger_provider())
        .with_connect_spans();
    if !keys {
        options = RedisOptions::without_keys(options);
    }
    let client = server.client().instrument_with(options);
    client.get_connection().unwrap()
}

/// Ways to hand a secret over, of which some fail.
fn hand_over(
    server: &Server,
    connection: &mut otelware_redis::Connection,
    secret: &str,
    way: usize,
) {
    let mut run = |words: &[&str]| {
        let mut command = redis::Cmd::new();
        command.arg(words);
        let result: RedisResult<Value> = command.query(connection);
        drop(result);
    };
    match way {
        0 => run(&["SET", "s", secret]),
        1 => run(&["SET", "s", secret, "EX", secret]),
        2 => run(&["HSET", "h", "f", secret]),
        3 => run(&["LPUSH", "s", secret]),
        4 => run(&["ZADD", "z", secret, secret]),
        5 => run(&["AUTH", secret]),
        6 => run(&["AUTH", "user", secret]),
        7 => run(&["HELLO", "3", "AUTH", secret, secret]),
        8 => run(&["ACL", "SETUSER", secret, &format!(">{secret}")]),
        9 => run(&["CONFIG", "SET", "requirepass-none", secret]),
        10 => run(&[
            "MIGRATE",
            "127.0.0.1",
            "1",
            secret,
            "0",
            "1",
            "AUTH",
            secret,
        ]),
        11 => run(&[
            "EVAL",
            &format!("return redis.error_reply('{secret}')"),
            "0",
        ]),
        12 => run(&["EVAL", secret, "1", "k", secret]),
        13 => run(&["SCRIPT", "LOAD", secret]),
        14 => run(&["FUNCTION", "LOAD", secret]),
        15 => run(&["NONE.SUCH", secret]),
        16 => run(&["ECHO", secret]),
        17 => run(&["PUBLISH", "c", secret]),
        18 => run(&["XADD", "x", "*", "f", secret]),
        19 => run(&["SET", "s", "v", secret]),
        20 => run(&["SCAN", "0", "MATCH", secret]),
        21 => {
            let mut pipeline = redis::pipe();
            pipeline
                .set("s", secret)
                .lpush("s", secret)
                .cmd("NONE.SUCH")
                .arg(secret);
            let result: RedisResult<Value> = pipeline.query(connection);
            drop(result);
        }
        22 => {
            let mut pipeline = redis::pipe();
            pipeline.atomic().set("s", secret).lpush("s", secret);
            let result: RedisResult<Value> = pipeline.query(connection);
            drop(result);
        }
        23 => {
            let script = Script::new("return redis.error_reply(ARGV[1])");
            let result: RedisResult<Value> = script.arg(secret).invoke(connection);
            drop(result);
        }
        24 => {
            let client = redis::Client::open(server.url()).unwrap();
            let info = client.get_connection_info().clone();
            let settings = info.redis_settings().clone();
            let settings = settings.set_username(secret).set_password(secret);
            let client = redis::Client::open(info.set_redis_settings(settings)).unwrap();
            let client = client.instrument();
            drop(client.get_connection());
        }
        25 => {
            let packed = redis::cmd("SET").arg("s").arg(secret).get_packed_command();
            let result = connection.req_packed_command(&packed);
            drop(result);
        }
        way => panic!("there is no way {way}"),
    }
}

const WAYS: usize = 26;

/// The same for keys.
fn name(connection: &mut otelware_redis::Connection, key: &str, way: usize) {
    let result: RedisResult<Value> = match way {
        0 => connection.set(key, "v"),
        1 => connection.get(key),
        2 => connection.hget("h", key),
        3 => connection.mget(&[key, key]),
        4 => connection.rename(key, key),
        5 => connection.publish(key, "v"),
        6 => redis::pipe().get(key).del(key).query(connection),
        7 => redis::pipe().atomic().get(key).del(key).query(connection),
        8 => Script::new("return 1").key(key).invoke(connection),
        9 => connection.blpop(key, 0.01),
        10 => connection.xadd(key, "*", &[(key, "v")]),
        way => panic!("there is no way {way}"),
    };
    drop(result);
}

const NAMES: usize = 11;

fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(48)
}

#[test]
fn no_secret_is_told() {
    // Of all cases, and gone after them.
    let server = Server::start();
    proptest!(cases(), |(secret in secrets(), keys: bool)| {
        let telemetry = Capture::new();
        let mut connection = connection(&server, &telemetry, keys);
        for way in 0..WAYS {
            hand_over(&server, &mut connection, &secret, way);
        }
        prop_assert!(telemetry.spans().len() >= WAYS - 1);
        prop_assert!(!telemetry.logs().is_empty());
        telemetry.assert_never_contains(MARKER);
    });
}

#[test]
fn no_key_is_told_where_keys_are_left_out() {
    let server = Server::start();
    proptest!(cases(), |(key in secrets())| {
        let telemetry = Capture::new();
        let mut hidden = connection(&server, &telemetry, false);
        for way in 0..NAMES {
            name(&mut hidden, &key, way);
        }
        prop_assert!(telemetry.spans().len() >= NAMES);
        telemetry.assert_never_contains(MARKER);
        // They are told otherwise.
        let telemetry = Capture::new();
        name(&mut connection(&server, &telemetry, true), &key, 1);
        prop_assert!(telemetry.dump().contains(MARKER));
    });
}
