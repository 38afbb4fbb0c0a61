//! The broker that tests run against: a mock cluster of librdkafka's, one for each test, or the
//! one that `KAFKA_BOOTSTRAP` names, which is not librdkafka's (`scripts/services kafka` starts one).
//!
//! On the mock cluster in any case, since no other broker here does it when it is told to:
//! - faults: errors of a broker's, a broker that goes down and comes back (`faults.rs`, with what
//!   needs no broker at all: messages that time out, queues that are full);
//! - transactions: nisshi refuses them (`transactions.rs`).

use super::{PATIENCE, native, wait_for};
use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use otelware_rdkafka::producer::{BaseProducer, Producer};
use otelware_testing::Capture;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::sync::atomic::{AtomicU32, Ordering};

/// A broker.
pub(crate) struct Kafka {
    /// Whose mock cluster it is.
    owner: Option<BaseProducer>,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Kafka {
    /// The broker of a test.
    pub(crate) fn start() -> Self {
        match std::env::var("KAFKA_BOOTSTRAP") {
            Ok(bootstrap) => Self::at(None, &bootstrap),
            Err(_) => Self::mock(),
        }
    }

    /// A mock cluster, for what no other broker does when it is told to.
    pub(crate) fn mock() -> Self {
        // Its telemetry is nobody's.
        let telemetry = Capture::new();
        let options = KafkaOptions::new()
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider());
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", "1");
        let owner: BaseProducer = options.create(&config).unwrap();
        let bootstrap = native::prepare_mock_cluster(&owner);
        Self::at(Some(owner), &bootstrap)
    }

    fn at(owner: Option<BaseProducer>, bootstrap: &str) -> Self {
        let (host, port) = bootstrap.rsplit_once(':').unwrap();
        Self {
            owner,
            host: host.to_owned(),
            port: port.parse().unwrap(),
        }
    }

    /// The mock cluster, to inject faults.
    pub(crate) fn cluster(&self) -> MockCluster<'_, impl rdkafka::ClientContext + use<>> {
        self.owner
            .as_ref()
            .unwrap()
            .client()
            .mock_cluster()
            .unwrap()
    }

    /// `host:port`.
    pub(crate) fn bootstrap(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A client's configuration.
    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.bootstrap())
            .set("client.id", "shop")
            .set("message.timeout.ms", "20000");
        config
    }

    /// The configuration of a consumer of this group, which begins with the first message and
    /// commits nothing by itself.
    pub(crate) fn consumer_config(&self, group: &str) -> ClientConfig {
        let mut config = self.config();
        config
            .remove("message.timeout.ms")
            .set("group.id", group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000");
        config
    }

    /// A topic with a name that nobody else has.
    pub(crate) async fn topic(&self, name: &str, partitions: i32) -> String {
        let topic = unique(name);
        if self.owner.is_some() {
            self.cluster().create_topic(&topic, partitions, 1).unwrap();
        } else {
            let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
            let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1));
            let created = admin.create_topics([&new], &AdminOptions::new()).await;
            assert_eq!(created.unwrap(), [Ok(topic.clone())]);
        }
        topic
    }

    /// A topic that the broker refuses: on the mock cluster, which takes any, by an error of its own.
    pub(crate) async fn refused_topic(&self) -> String {
        if self.owner.is_none() {
            return unique("a name with spaces");
        }
        let topic = self.topic("refused", 1).await;
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
        self.cluster().topic_error(&topic, error).unwrap();
        topic
    }

    /// `kafka.cluster.id`.
    pub(crate) fn cluster_id(&self) -> String {
        let client: rdkafka::producer::BaseProducer<DefaultProducerContext> =
            self.config().create().unwrap();
        use rdkafka::producer::Producer;
        client.client().fetch_cluster_id(PATIENCE).unwrap()
    }

    /// A consumer that has the first partition of the topic, from its beginning, in no group's
    /// name.
    pub(crate) fn assigned(&self, options: &KafkaOptions, topic: &str) -> StreamConsumer {
        let group = unique("group");
        let consumer: StreamConsumer = options.create(&self.consumer_config(&group)).unwrap();
        consumer.assign(&from_beginning(topic)).unwrap();
        consumer
    }

    /// The same, to be polled.
    pub(crate) fn assigned_base(&self, options: &KafkaOptions, topic: &str) -> BaseConsumer {
        let group = unique("group");
        let consumer: BaseConsumer = options.create(&self.consumer_config(&group)).unwrap();
        consumer.assign(&from_beginning(topic)).unwrap();
        consumer
    }

    /// Runs plain rdkafka's producer, with no telemetry at all.
    pub(crate) fn produce_plainly(&self, record: rdkafka::producer::BaseRecord<'_, str, str>) {
        let producer: rdkafka::producer::BaseProducer = self.config().create().unwrap();
        producer.send(record).map_err(|(error, _)| error).unwrap();
        use rdkafka::producer::Producer;
        producer.flush(PATIENCE).unwrap();
    }

    /// The messages of the first partition of a topic, by plain rdkafka's consumer.
    pub(crate) fn messages(
        &self,
        topic: &str,
        count: usize,
    ) -> Vec<rdkafka::message::OwnedMessage> {
        use rdkafka::consumer::{BaseConsumer, Consumer};
        let mut config = self.consumer_config(&unique("reader"));
        let consumer: BaseConsumer = config.set("client.id", "reader").create().unwrap();
        consumer.assign(&from_beginning(topic)).unwrap();
        let mut messages = Vec::new();
        wait_for("messages", || {
            if let Some(message) = consumer.poll(std::time::Duration::from_millis(100)) {
                messages.push(message.unwrap().detach());
            }
            (messages.len() == count).then_some(())
        });
        messages
    }
}

pub(crate) fn from_beginning(topic: &str) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    list
}

/// A name that no other test has, nor the same test in another process.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}

/// A place where nobody listens.
pub(crate) fn nowhere() -> ClientConfig {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address.to_string())
        .set("client.id", "shop");
    config
}
