//! Where Kafka is: brokers that run somewhere, or a cluster in this process.

use crate::Failure;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaErrorCode;
use std::env;

pub(crate) const ORDERS: &str = "orders";
pub(crate) const INVOICES: &str = "invoices";
/// Orders that cannot be billed.
pub(crate) const DEAD_LETTERS: &str = "orders.dead";

/// The brokers.
pub(crate) struct Brokers {
    addresses: String,
    /// Which runs for as long as this lives.
    _cluster: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Brokers {
    /// The brokers that `KAFKA_BROKERS` names, or librdkafka's own mock cluster, which listens on this
    /// machine only.
    pub(crate) async fn from_environment() -> Result<Self, Failure> {
        let topics = [ORDERS, INVOICES, DEAD_LETTERS];
        if let Ok(addresses) = env::var("KAFKA_BROKERS") {
            let brokers = Self {
                addresses,
                _cluster: None,
            };
            brokers.create(&topics).await?;
            return Ok(brokers);
        }
        let cluster = MockCluster::new(1)?;
        for topic in topics {
            cluster.create_topic(topic, 1, 1)?;
        }
        tracing::info!("no KAFKA_BROKERS: a mock cluster in this process");
        Ok(Self {
            addresses: cluster.bootstrap_servers(),
            _cluster: Some(cluster),
        })
    }

    /// Creates what is not there.
    async fn create(&self, topics: &[&str]) -> Result<(), Failure> {
        let admin: AdminClient<DefaultClientContext> = self.clients().create()?;
        let topics: Vec<_> = topics
            .iter()
            .map(|topic| NewTopic::new(topic, 1, TopicReplication::Fixed(1)))
            .collect();
        for created in admin.create_topics(&topics, &AdminOptions::new()).await? {
            match created {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, error)) => return Err(format!("{topic}: {error}").into()),
            }
        }
        Ok(())
    }

    /// What clients are created with.
    pub(crate) fn clients(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.addresses)
            .set("client.id", "shop");
        config
    }
}

/// What the consumers of a group are created with.
pub(crate) fn group(mut clients: ClientConfig, group: &str) -> ClientConfig {
    clients
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false");
    clients
}
