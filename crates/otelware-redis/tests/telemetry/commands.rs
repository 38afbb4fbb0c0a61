//! Commands, as `AsyncCommands` and `Commands` have them.

use crate::expected::{Call, all, client, command, database};
use crate::support::Server;
use otelware_testing::Capture;
use redis::{AsyncCommands, Commands, Value};

const VALUE: &str = "v4lu3-m4rk3r";

/// What each command is, and what is shown of it.
macro_rules! commands {
    ($run:ident $server:expr) => {
        $run! { $server;
            "PING": ping();
            "SET s ?": set("s", VALUE);
            "GET s": get("s");
            "APPEND s ?": append("s", VALUE);
            "STRLEN s": strlen("s");
            "GETRANGE s ? ?": getrange("s", 0, 3);
            "SETRANGE s ? ?": setrange("s", 0, VALUE);
            "SETEX x ? ?": set_ex("x", VALUE, 100);
            "SETNX n ?": set_nx("n", VALUE);
            "GETSET s ?": getset("s", VALUE);
            "GETDEL s": get_del("s");
            "MSET a ? b ?": mset(&[("a", VALUE), ("b", VALUE)]);
            "MGET a b": mget(&["a", "b"]);
            "INCRBY i ?": incr("i", 3);
            "DECRBY i ?": decr("i", 1);
            "EXISTS a": exists("a");
            "EXPIRE a ?": expire("a", 100);
            "TTL a": ttl("a");
            "PTTL a": pttl("a");
            "PERSIST a": persist("a");
            "TYPE a": key_type("a");
            "RENAME a c": rename("a", "c");
            "DEL c": del("c");
            "UNLINK b": unlink("b");
            "SETBIT bits ? ?": setbit("bits", 3, true);
            "GETBIT bits ?": getbit("bits", 3);
            "BITCOUNT bits": bitcount("bits");
            "HSET h f ?": hset("h", "f", VALUE);
            "HGET h f": hget("h", "f");
            "HMSET h f ? g ?": hset_multiple("h", &[("f", VALUE), ("g", VALUE)]);
            "HGETALL h": hgetall("h");
            "HDEL h g": hdel("h", "g");
            "HEXISTS h f": hexists("h", "f");
            "HKEYS h": hkeys("h");
            "HVALS h": hvals("h");
            "HLEN h": hlen("h");
            "HINCRBY h n ?": hincr("h", "n", 1);
            "LPUSH l ?": lpush("l", VALUE);
            "RPUSH l ?": rpush("l", VALUE);
            "LLEN l": llen("l");
            "LRANGE l ? ?": lrange("l", 0, -1);
            "LINDEX l ?": lindex("l", 0);
            "LSET l ? ?": lset("l", 0, VALUE);
            "LREM l ? ?": lrem("l", 1, VALUE);
            "LPOP l": lpop("l", None);
            "BLPOP none ?": blpop("none", 0.01);
            "SADD set ?": sadd("set", VALUE);
            "SCARD set": scard("set");
            "SISMEMBER set ?": sismember("set", VALUE);
            "SMEMBERS set": smembers("set");
            "SINTER set none": sinter(&["set", "none"]);
            "SREM set ?": srem("set", VALUE);
            "ZADD z ? ?": zadd("z", VALUE, 1);
            "ZCARD z": zcard("z");
            "ZSCORE z ?": zscore("z", VALUE);
            "ZRANGE z ? ?": zrange("z", 0, -1);
            "ZRANK z ?": zrank("z", VALUE);
            "ZCOUNT z ? ?": zcount("z", 0, 1);
            "ZREM z ?": zrem("z", VALUE);
            "PFADD p ?": pfadd("p", VALUE);
            "PFCOUNT p": pfcount("p");
            "XADD stream * f ?": xadd("stream", "*", &[("f", VALUE)]);
            "XLEN stream": xlen("stream");
            "PUBLISH channel ?": publish("channel", VALUE);
        }
    };
}

#[tokio::test]
async fn asynchronous() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry)
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    macro_rules! run {
        ($connection:expr; $($text:literal: $method:ident($($argument:expr),*);)*) => {{
            $(
                let reply: Value = AsyncCommands::$method($connection, $($argument),*).await.unwrap();
                drop(reply);
            )*
            [$(command($text)),*]
        }};
    }
    let expected = commands!(run & mut connection);
    assert_eq!(expected.len(), 64);
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains(VALUE);
}

#[tokio::test]
async fn blocking() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    macro_rules! run {
        ($connection:expr; $($text:literal: $method:ident($($argument:expr),*);)*) => {{
            $(
                let reply: Value = Commands::$method($connection, $($argument),*).unwrap();
                drop(reply);
            )*
            [$(command($text)),*]
        }};
    }
    let expected = commands!(run & mut connection);
    all(&telemetry, &database(server.port()), &expected).await;
    telemetry.assert_never_contains(VALUE);
}

/// Of a scan, each request that it makes.
#[tokio::test]
async fn scans() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let _: () = redis::cmd("DEBUG")
        .arg(&["SLEEP", "0"])
        .query(&mut server.connection())
        .unwrap_or_default();
    let mut raw = server.connection();
    for number in 0..25 {
        let _: () = Commands::set(&mut raw, format!("key:{number}"), VALUE).unwrap();
    }
    let client = client(&server, &telemetry);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut found = 0;
    {
        let mut keys: redis::AsyncIter<'_, String> = connection.scan_match("key:*").await.unwrap();
        while let Some(key) = keys.next_item().await {
            key.unwrap();
            found += 1;
        }
    }
    assert_eq!(found, 25);
    let asynchronous = telemetry.spans().len();
    assert!(asynchronous > 1, "{}", telemetry.dump());
    let mut connection = client.get_connection().unwrap();
    assert_eq!(
        Commands::scan_match::<_, String>(&mut connection, "key:*")
            .unwrap()
            .count(),
        25
    );
    let expected = vec![command("SCAN ? MATCH ?"); telemetry.spans().len()];
    assert_eq!(expected.len(), 2 * asynchronous);
    all(&telemetry, &database(server.port()), &expected).await;
}

/// The number is that of the moment where the connection knows it.
#[tokio::test]
async fn a_database_is_told_by_its_number() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let url = format!("{}/3", server.url());
    let client = otelware_redis::Client::open(url).unwrap().into_inner();
    let client =
        otelware_redis::Instrument::instrument_with(client, crate::expected::options(&telemetry));
    let mut connection = client.get_connection().unwrap();
    let _: Value = Commands::get(&mut connection, "a").unwrap();
    redis::cmd("SELECT").arg(12).exec(&mut connection).unwrap();
    let _: Value = Commands::get(&mut connection, "a").unwrap();
    let mut pipeline = redis::pipe();
    let _: Value = pipeline
        .cmd("SELECT")
        .arg(5)
        .query(&mut connection)
        .unwrap();
    let refused = redis::cmd("SELECT").arg(1_000).exec(&mut connection);
    refused.unwrap_err();
    // A client opens another connection for the next command.
    let mut each = client.clone();
    redis::cmd("SELECT").arg(9).exec(&mut each).unwrap();
    let _: Value = Commands::get(&mut each, "a").unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut clone = connection.clone();
    redis::cmd("SELECT")
        .arg(7)
        .exec_async(&mut clone)
        .await
        .unwrap();
    let _: Value = AsyncCommands::get(&mut connection, "a").await.unwrap();
    let databases: Vec<_> = telemetry
        .spans()
        .iter()
        .map(|span| (span.name.clone(), span.attribute("db.namespace").cloned()))
        .collect();
    let expected = [
        ("GET", "3"),
        ("SELECT", "3"),
        ("GET", "12"),
        ("SELECT", "12"),
        ("SELECT", "5"),
        ("SELECT", "3"),
        ("GET", "3"),
        ("SELECT", "3"),
        ("GET", "7"),
    ];
    assert_eq!(
        databases,
        expected.map(|(name, database)| (name.to_owned(), Some(database.into())))
    );
    let durations = telemetry.metric("db.client.operation.duration");
    assert_eq!((durations.points.len(), durations.total_count()), (6, 9));
}

/// A Unix socket is an address, and has no port.
#[tokio::test]
async fn a_socket() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let raw = redis::Client::open(server.socket_url()).unwrap();
    let options = crate::expected::options(&telemetry);
    let client = otelware_redis::Instrument::instrument_with(raw, options);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let _: Value = AsyncCommands::get(&mut connection, "a").await.unwrap();
    let mut expected = database(6_379);
    expected.address = Some(server.socket().to_str().unwrap().to_owned());
    all(&telemetry, &expected, &[command("GET a")]).await;
}

/// What a command is that the table does not know, or that is spelt otherwise.
#[tokio::test]
async fn other_spellings_and_unknown_commands() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    redis::cmd("set")
        .arg("a")
        .arg(VALUE)
        .exec(&mut connection)
        .unwrap();
    redis::cmd("NONE.SUCH")
        .arg("a")
        .arg(VALUE)
        .exec(&mut connection)
        .unwrap_err();
    // Bytes that were packed beforehand are decoded.
    let packed = redis::cmd("GET").arg("a").get_packed_command();
    redis::ConnectionLike::req_packed_command(&mut connection, &packed).unwrap();
    let expected = [
        command("set a ?"),
        command("NONE.SUCH ? ?").fails("ERR"),
        command("GET a"),
    ];
    all(&telemetry, &database(server.port()), &expected).await;
}

/// It has no name, and is no batch of no commands.
#[tokio::test]
async fn what_is_no_command() {
    let (server, telemetry) = (Server::start(), Capture::new());
    let mut connection = client(&server, &telemetry).get_connection().unwrap();
    // Which servers take all the same.
    redis::ConnectionLike::req_packed_command(&mut connection, b"PING\r\n").unwrap();
    let expected = [Call::new("_OTHER").on_both("db.operation.name", "_OTHER")];
    all(&telemetry, &database(server.port()), &expected).await;
}
