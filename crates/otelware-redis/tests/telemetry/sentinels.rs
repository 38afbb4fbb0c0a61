//! Servers that sentinels tell of.

use crate::expected::{all, command, database, options};
use crate::support::{Server, port};
use otelware_redis::Instrument;
use otelware_redis::sentinel::{AsyncLockedSentinelClient, LockedSentinelClient};
use otelware_testing::{Capture, Program};
use redis::sentinel::{Sentinel, SentinelClient, SentinelServerType};
use redis::{AsyncCommands, Commands, Value};
use std::{env, fs};
use tempfile::TempDir;

/// A server, and a sentinel that watches it under the name of `primary`.
struct Watched {
    server: Server,
    url: String,
    _sentinel: Program,
    _directory: TempDir,
}

impl Watched {
    fn start() -> Self {
        let server = Server::start();
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (own, watched) = (port::free(), server.port());
        let path = directory.path();
        let configuration = path.join("sentinel.conf");
        let text = format!(
            "port {own}\nbind 127.0.0.1\ndir {}\nsentinel monitor primary 127.0.0.1 {watched} 1\n",
            path.display()
        );
        fs::write(&configuration, text).unwrap();
        let arguments = [configuration.to_str().unwrap(), "--sentinel"];
        let found = env::var("PATH").unwrap();
        let sentinel = Program::start("redis-server", &arguments, &[("PATH", &found)]);
        let url = format!("redis://127.0.0.1:{own}");
        let client = redis::Client::open(url.as_str()).unwrap();
        sentinel.wait_for("an answer of the sentinel", || {
            let mut connection = client.get_connection().ok()?;
            redis::cmd("PING").exec(&mut connection).ok()
        });
        Self {
            server,
            url,
            _sentinel: sentinel,
            _directory: directory,
        }
    }

    fn client(&self) -> SentinelClient {
        let name = "primary".to_owned();
        let server_type = SentinelServerType::Master;
        SentinelClient::build(vec![self.url.as_str()], name, None, server_type).unwrap()
    }
}

/// They have the address of the server, not the sentinel's.
#[tokio::test]
async fn the_server_is_told() {
    let watched = Watched::start();
    let telemetry = Capture::new();
    let mut client = watched.client().instrument_with(options(&telemetry));
    let mut connection = client.get_connection().unwrap();
    let _: Value = connection.get("a").unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let _: Value = AsyncCommands::get(&mut connection, "a").await.unwrap();
    let mut connection = client.get_client().unwrap().get_connection().unwrap();
    let _: Value = connection.get("a").unwrap();

    let sentinel = Sentinel::build(vec![watched.url.as_str()]).unwrap();
    let mut sentinel = sentinel.instrument_with(options(&telemetry));
    let found = sentinel.master_for("primary", None).unwrap();
    let _: Value = found.get_connection().unwrap().get("a").unwrap();
    let found = sentinel.async_master_for("primary", None).await.unwrap();
    let _: Value = found.get_connection().unwrap().get("a").unwrap();
    // It has no replicas.
    sentinel.get_replica_clients("primary", None).unwrap_err();

    let locked = LockedSentinelClient::new(watched.client().instrument_with(options(&telemetry)));
    let _: Value = locked.get_connection().unwrap().get("a").unwrap();
    let locked = watched.client().instrument_with(options(&telemetry));
    let locked = AsyncLockedSentinelClient::new(locked);
    let mut connection = locked.get_async_connection().await.unwrap();
    let _: Value = AsyncCommands::get(&mut connection, "a").await.unwrap();

    let expected = ["GET a"; 7].map(command);
    all(&telemetry, &database(watched.server.port()), &expected).await;
}
