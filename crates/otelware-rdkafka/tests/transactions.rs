//! Transactions, by the mock cluster alone: the brokers that run here know none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::consumer::{Consumer, StreamConsumer};
use otelware_rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use otelware_testing::Capture;
use rdkafka::error::KafkaError;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use support::broker::{Kafka, unique};
use support::expected::{at, send, settle, step};
use support::{PATIENCE, options};

fn transactional(kafka: &Kafka) -> ClientConfig {
    let mut config = kafka.config();
    config.set("transactional.id", unique("shop"));
    config
}

#[tokio::test]
async fn the_steps_of_a_transaction_have_spans_where_wanted() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let topic = kafka.topic("orders", 1).await;
    let config = transactional(&kafka);
    let wanted = options(&telemetry).with_transactions();
    let producer: FutureProducer = wanted.create(&config).unwrap();
    // The client is to know its cluster from the start.
    let id = producer.client().fetch_cluster_id(PATIENCE).unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    let record = || {
        FutureRecord::<str, str>::to(&topic)
            .payload("1")
            .partition(0)
    };
    producer.send(record(), PATIENCE).await.unwrap();
    let consumer: StreamConsumer = options(&telemetry)
        .create(&kafka.consumer_config("billing"))
        .unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(&topic, 0, Offset::Offset(7))
        .unwrap();
    let group = consumer.group_metadata().unwrap();
    producer
        .send_offsets_to_transaction(&offsets, &group, PATIENCE)
        .unwrap();
    producer.commit_transaction(PATIENCE).unwrap();

    let steps = telemetry.spans();
    assert_eq!(steps.len(), 4);
    steps[0].assert(step(&config, "init_transactions"));
    let cluster = "kafka.cluster.id";
    steps[1].assert(
        send(&config, &topic)
            .attributes(at("0", 0))
            .attribute(cluster, id.clone()),
    );
    steps[2].assert(
        settle(&config, "send_offsets_to_transaction", &topic)
            .attribute("messaging.destination.partition.id", "0")
            .attribute(
                "otelware.kafka.transaction.id",
                config.get("transactional.id").unwrap(),
            )
            .attribute(cluster, id.clone()),
    );
    steps[3].assert(step(&config, "commit_transaction").attribute(cluster, id));
}

#[tokio::test]
async fn an_abort_ends_what_was_not_delivered() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let topic = kafka.topic("orders", 1).await;
    let mut config = transactional(&kafka);
    config.set("linger.ms", "19000");
    let wanted = options(&telemetry).with_transactions();
    let producer: FutureProducer = wanted.create(&config).unwrap();
    // The client is to know its cluster from the start.
    let id = producer.client().fetch_cluster_id(PATIENCE).unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    let record = FutureRecord::<str, str>::to(&topic)
        .payload("1")
        .partition(0);
    let report = producer
        .send_result(record)
        .map_err(|(error, _)| error)
        .unwrap();
    producer.abort_transaction(PATIENCE).unwrap();
    assert!(report.await.unwrap().is_err());
    telemetry.span(&format!("send {topic}")).assert(
        send(&config, &topic)
            .attribute("messaging.destination.partition.id", "0")
            .attribute("kafka.cluster.id", id.clone())
            .attribute("error.type", "_PURGE_QUEUE")
            .error(),
    );
    let expected = step(&config, "abort_transaction").attribute("kafka.cluster.id", id);
    telemetry.span("abort_transaction").assert(expected);
}

#[tokio::test]
async fn a_failed_step_tells_what_is_to_be_done() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let topic = kafka.topic("orders", 1).await;
    let config = transactional(&kafka);
    let wanted = options(&telemetry).with_transactions();
    let producer: FutureProducer = wanted.create(&config).unwrap();
    // The client is to know its cluster from the start.
    let id = producer.client().fetch_cluster_id(PATIENCE).unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    let record = FutureRecord::<str, str>::to(&topic)
        .payload("1")
        .partition(0);
    producer.send(record, PATIENCE).await.unwrap();
    kafka.cluster().request_errors(
        RDKafkaApiKey::EndTxn,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH],
    );
    let error = producer.commit_transaction(PATIENCE).unwrap_err();
    assert!(matches!(error, KafkaError::Transaction(_)), "{error:?}");
    let span = telemetry.span("commit_transaction");
    span.assert(
        step(&config, "commit_transaction")
            .attribute("kafka.cluster.id", id)
            .attribute("otelware.kafka.transaction.remedy", "restart")
            .attribute("error.type", "_FENCED")
            .error(),
    );
}

#[tokio::test]
async fn by_default_they_have_none() {
    let (telemetry, kafka) = (Capture::new(), Kafka::mock());
    let config = transactional(&kafka);
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer.abort_transaction(PATIENCE).unwrap();
    assert_eq!(telemetry.spans().len(), 0);
    assert_eq!(telemetry.metrics().len(), 0);
}
