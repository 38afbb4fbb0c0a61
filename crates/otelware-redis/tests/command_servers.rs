//! The servers that the other tests use do as they say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use redis::{Commands, RedisResult};
use support::{Cluster, Server, Shared};

#[test]
fn a_server_has_the_options_it_is_given() {
    let server = Server::start_with(&["--requirepass", "secret", "--databases", "3"]);
    let without = redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let refused: RedisResult<String> =
        redis::cmd("PING").query(&mut without.get_connection().unwrap());
    assert_eq!(refused.unwrap_err().code(), Some("NOAUTH"));
    for url in [server.url(), server.socket_url()] {
        let client = redis::Client::open(url).unwrap();
        let answer: String = redis::cmd("PING")
            .query(&mut client.get_connection().unwrap())
            .unwrap();
        assert_eq!(answer, "PONG");
    }
    let databases: Vec<String> = redis::cmd("CONFIG")
        .arg("GET")
        .arg("databases")
        .query(&mut server.connection())
        .unwrap();
    assert_eq!(databases, ["databases", "3"]);
}

#[test]
fn a_server_is_killed_and_restarted_on_its_port() {
    let mut server = Server::start();
    let port = server.port();
    let id = server.info("INFO server", "run_id").unwrap();
    let mut connection = server.connection();
    server.kill();
    assert!(connection.get::<_, Option<String>>("k").is_err());
    assert!(server.client().get_connection().is_err());
    server.restart();
    assert_eq!(server.port(), port);
    assert_ne!(server.info("INFO server", "run_id").unwrap(), id);
}

#[test]
fn keys_of_a_test_are_its_own_and_do_not_outlive_it() {
    let (one, other) = (Shared::new(), Shared::new());
    assert_ne!(one.key("k"), other.key("k"));
    let mut connection = one.connection();
    let () = connection.set(one.key("k"), 1).unwrap();
    let () = connection.set(other.key("k"), 2).unwrap();
    let gone = one.key("k");
    drop(one);
    assert_eq!(connection.get::<_, Option<u8>>(gone).unwrap(), None);
    assert_eq!(
        connection.get::<_, Option<u8>>(other.key("k")).unwrap(),
        Some(2)
    );
}

#[test]
fn a_slot_of_a_cluster_is_moved() {
    let cluster = Cluster::start();
    let () = cluster.connection().set("k", "v").unwrap();
    let owner = cluster.owner("k");
    let to = cluster.other_than_owner("k");
    let ask = |place: usize, key: &str| -> RedisResult<Option<String>> {
        cluster.node(place).connection().get(key)
    };
    let code = |place, key| ask(place, key).unwrap_err().code().map(str::to_owned);
    assert_eq!(ask(owner, "k").unwrap().as_deref(), Some("v"));
    assert_eq!(code(to, "k").as_deref(), Some("MOVED"));

    cluster.begin_move("k", to);
    assert_eq!(cluster.owner("k"), owner);
    assert_eq!(ask(owner, "k").unwrap().as_deref(), Some("v"));
    assert_eq!(code(owner, "{k}:missing").as_deref(), Some("ASK"));

    cluster.end_move("k", to);
    assert_eq!(cluster.owner("k"), to);
    assert_eq!(ask(to, "k").unwrap().as_deref(), Some("v"));
    assert_eq!(code(owner, "k").as_deref(), Some("MOVED"));
}
