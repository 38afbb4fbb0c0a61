//! What the clients of Kafka have in common.

use crate::service::environment::variable;
use rdkafka::ClientConfig;

/// What clients are created with. None of it waits for brokers: they may come and go.
pub(super) fn clients(name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set(
            "bootstrap.servers",
            variable("KAFKA_BROKERS", "127.0.0.1:9092"),
        )
        .set("client.id", name)
        .set("reconnect.backoff.max.ms", "1000")
        // A broker that does not answer for so long is given up, and another connection made.
        .set("socket.timeout.ms", "5000")
        // For the metrics of lag, queues and round trips.
        .set("statistics.interval.ms", "1000");
    config
}
