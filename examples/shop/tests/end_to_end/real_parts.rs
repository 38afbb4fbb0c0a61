//! The same with real parts: the servers that `scripts/services` starts, and a Redis of the test's own.
//!
//! Kafka is the broker that `KAFKA_BOOTSTRAP` names, which is not librdkafka's (`scripts/services kafka` starts one);
//! without it, librdkafka's mock cluster.

use std::collections::BTreeSet;

use otelware_testing::otlp::OtlpReceiver;

use crate::demonstration::assert_demonstrated;
use crate::metrics::LastSums;
use crate::printed::{self, Account};
use crate::servers::{self, MARIADB, POSTGRES, RABBITMQ, Redis};
use crate::shop::Shop;
use crate::traces::Traces;

#[test]
fn with_postgresql_redis_and_rabbitmq() {
    let url = servers::postgres(POSTGRES, "shop_real_parts");
    assert_the_same(&url, "postgresql", POSTGRES.port());
}

#[test]
fn with_mariadb_redis_and_rabbitmq() {
    assert_the_same(&servers::mariadb(MARIADB), "mariadb", MARIADB.port());
}

#[track_caller]
fn assert_the_same(database_url: &str, database: &'static str, database_port: u16) {
    let (receiver, redis) = (OtlpReceiver::grpc(), Redis::start());
    let (redis_url, rabbitmq) = (redis.url(), servers::rabbitmq(RABBITMQ));
    let kafka = std::env::var("KAFKA_BOOTSTRAP").ok();
    let mut variables = vec![
        ("DATABASE_URL", database_url),
        ("REDIS_URL", &redis_url),
        ("AMQP_URL", &rabbitmq),
    ];
    variables.extend(kafka.iter().map(|brokers| ("KAFKA_BROKERS", &**brokers)));

    let shop = Shop::open_to(receiver.address(), &[], &variables);
    let ended = shop.end().assert_success();
    let traces = receiver.look(Traces::of);
    assert_demonstrated(&traces, database);
    receiver.look(LastSums::of).assert_nothing_in_flight();
    let all = Account {
        exported: receiver.look(|received| received.spans().len()),
        ..Account::default()
    };
    assert_eq!(printed::accounts(&ended.stdout)["all"], all);

    // The telemetry says where all of it went.
    let mut expected: BTreeSet<(&str, u16)> = [
        (database, database_port),
        ("redis", redis.port()),
        ("rabbitmq", RABBITMQ.port()),
    ]
    .into();
    let kafka_port = |brokers: &String| brokers.rsplit_once(':').unwrap().1.parse().unwrap();
    expected.extend(kafka.as_ref().map(|brokers| ("kafka", kafka_port(brokers))));
    let seen = traces.spans().filter_map(|seen| {
        let system = ["db.system.name", "messaging.system.name"];
        let system = system.iter().find_map(|key| seen.attribute(key))?;
        let port = seen.attribute("server.port")?.parse::<u16>().unwrap();
        (system != "kafka" || kafka.is_some()).then_some((system, port))
    });
    let seen: BTreeSet<(String, u16)> = seen.collect();
    let seen: BTreeSet<(&str, u16)> = seen.iter().map(|(system, port)| (&**system, *port)).collect();
    assert_eq!(seen, expected);
}
