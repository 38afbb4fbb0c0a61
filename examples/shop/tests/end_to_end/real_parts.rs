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
    assert_the_same(&url, "postgresql");
}

#[test]
fn with_mariadb_redis_and_rabbitmq() {
    assert_the_same(&servers::mariadb(MARIADB), "mariadb");
}

#[track_caller]
fn assert_the_same(database_url: &str, database: &'static str) {
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

    // The telemetry says where all of it went; of a database its port only where it is not the usual one.
    let mut expected: BTreeSet<String> = [
        format!("{database} 127.0.0.1"),
        format!("redis 127.0.0.1:{}", redis.port()),
        format!("rabbitmq {RABBITMQ}"),
    ]
    .into();
    expected.extend(kafka.iter().map(|brokers| format!("kafka {brokers}")));
    let seen = traces.spans().filter_map(|seen| {
        let system = ["db.system.name", "messaging.system.name"];
        let system = system.iter().find_map(|key| seen.attribute(key))?;
        let address = seen.attribute("server.address")?;
        let port = seen.attribute("server.port");
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        (system != "kafka" || kafka.is_some()).then(|| format!("{system} {address}{port}"))
    });
    assert_eq!(seen.collect::<BTreeSet<_>>(), expected);
}
