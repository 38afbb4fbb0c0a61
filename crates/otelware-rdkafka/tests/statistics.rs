//! librdkafka's statistics as metrics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use otelware_rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use otelware_testing::{Capture, Metric, Value};
use rdkafka::client::ClientContext;
use rdkafka::producer::BaseRecord;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::broker::{Kafka, nowhere, unique};
use support::{PATIENCE, options, wait_for};

fn find(telemetry: &Capture, name: &str) -> Option<Metric> {
    let metrics = telemetry.metrics();
    metrics.into_iter().find(|metric| metric.name == name)
}

/// The value of the metric's only point.
fn value(telemetry: &Capture, name: &str) -> Option<i64> {
    match &find(telemetry, name)?.points[..] {
        [point] => match &point.data {
            otelware_testing::PointData::Number(Value::Int(number)) => Some(*number),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_producer_s_queue_is_observed_while_it_lives() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config.set("statistics.interval.ms", "50");
    let producer: FutureProducer = options(&telemetry).create(&config).unwrap();
    let reports: Vec<_> = (0..3)
        .map(|_| {
            let record = FutureRecord::<str, str>::to("orders").payload("12345");
            producer
                .send_result(record)
                .map_err(|(error, _)| error)
                .unwrap()
        })
        .collect();
    let queued = "otelware.kafka.producer.queue.messages";
    wait_for("three messages", || {
        (value(&telemetry, queued) == Some(3)).then_some(())
    });
    assert_eq!(
        value(&telemetry, "otelware.kafka.producer.queue.size"),
        Some(15)
    );
    let point = find(&telemetry, queued).unwrap().points.remove(0);
    let name = point.attribute("otelware.kafka.client.name").unwrap();
    assert!(
        name.as_str().unwrap().starts_with("shop#producer-"),
        "{name:?}"
    );
    assert_eq!(
        point.attribute("messaging.system.name").unwrap().as_str(),
        Some("kafka")
    );
    // Its telemetry may be in other hands.
    let _telemetry = producer.telemetry().clone();
    drop(producer);
    assert!(find(&telemetry, queued).is_none_or(|metric| metric.points.is_empty()));
    drop(reports);
}

/// Statistics come while the consumer is polled; what it has fetched stays there.
fn poll_for_statistics<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    consumer.pause(&consumer.assignment().unwrap()).unwrap();
    assert!(consumer.poll(Duration::from_millis(20)).is_none());
    consumer.resume(&consumer.assignment().unwrap()).unwrap();
}

#[tokio::test]
async fn lag_and_round_trips() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    for _ in 0..5 {
        let record = BaseRecord::<str, str>::to(&topic).payload("1").partition(0);
        kafka.produce_plainly(record);
    }
    let mut config = kafka.consumer_config(&unique("billing"));
    config.set("statistics.interval.ms", "50");
    let consumer: BaseConsumer = options(&telemetry).create(&config).unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let commit_next = || {
        let message = wait_for("a message", || consumer.poll(Duration::from_millis(50)));
        consumer
            .commit_message(&message.unwrap(), CommitMode::Sync)
            .unwrap();
    };
    let lag = "otelware.kafka.consumer.lag";
    for left in [4, 3] {
        commit_next();
        wait_for("the lag", || {
            poll_for_statistics(&consumer);
            (value(&telemetry, lag) == Some(left)).then_some(())
        });
    }
    let (low, high) = consumer.fetch_watermarks(&topic, 0, PATIENCE).unwrap();
    assert_eq!((low, high), (0, 5));
    let group = config.get("group.id").unwrap().to_owned();
    let name = find(&telemetry, lag).unwrap().points.remove(0);
    let name = name
        .attribute("otelware.kafka.client.name")
        .unwrap()
        .clone();
    let common: Vec<(&str, Value)> = vec![
        ("messaging.system.name", "kafka".into()),
        ("messaging.consumer.group.name", group.into()),
        ("otelware.kafka.client.name", name),
    ];
    let partition: Vec<(&str, Value)> = vec![
        ("messaging.destination.name", topic.clone().into()),
        ("messaging.destination.partition.id", "0".into()),
    ];
    let of_partition = [common.clone(), partition].concat();
    find(&telemetry, lag).unwrap().assert(
        otelware_testing::expect_gauge(lag)
            .unit("{message}")
            .description("Number of messages between the offset that the group has committed and the end of the partition.")
            .point(of_partition, 3),
    );
    assert_eq!(
        value(&telemetry, "otelware.kafka.consumer.assigned_partitions"),
        Some(1)
    );
    assert_eq!(
        value(&telemetry, "otelware.kafka.consumer.rebalances"),
        Some(1)
    );
    // Between two statistics there may have been none.
    let trips = wait_for("round trips", || {
        poll_for_statistics(&consumer);
        find(&telemetry, "otelware.kafka.broker.round_trip.average")
            .filter(|trips| !trips.points.is_empty())
    });
    assert_eq!(trips.unit, "s");
    let trip = &trips.points[0];
    assert_eq!(
        trip.attribute("server.port").unwrap().as_int(),
        Some(kafka.port.into())
    );
    assert_eq!(
        value(&telemetry, "otelware.kafka.broker.request.timeouts"),
        Some(0)
    );
    let changes = find(&telemetry, "otelware.kafka.consumer.assignment.changes").unwrap();
    let change = changes.points[0]
        .attribute("otelware.kafka.assignment.change")
        .unwrap();
    assert_eq!((changes.points.len(), change.as_str()), (1, Some("assign")));
    let _telemetry = consumer.telemetry().clone();
    drop(consumer);
    assert!(find(&telemetry, lag).is_none_or(|metric| metric.points.is_empty()));
}

#[tokio::test]
async fn the_lag_is_what_the_watermarks_say_as_it_grows_and_shrinks() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let produce = |count| {
        for _ in 0..count {
            let record = BaseRecord::<str, str>::to(&topic).payload("1").partition(0);
            kafka.produce_plainly(record);
        }
    };
    produce(5);
    let mut config = kafka.consumer_config(&unique("billing"));
    config.set("statistics.interval.ms", "50");
    let consumer: BaseConsumer = options(&telemetry).create(&config).unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let first = wait_for("a message", || consumer.poll(Duration::from_millis(50)));
    drop(first);
    let commit = |offset| {
        let mut list = TopicPartitionList::new();
        let offset = Offset::Offset(offset);
        list.add_partition_offset(&topic, 0, offset).unwrap();
        consumer.commit(&list, CommitMode::Sync).unwrap();
    };
    let by_watermarks = || {
        let (_, high) = consumer.fetch_watermarks(&topic, 0, PATIENCE).unwrap();
        let committed = consumer.committed(PATIENCE).unwrap();
        let committed = committed.find_partition(&topic, 0).unwrap();
        high - committed.offset().to_raw().unwrap()
    };
    // So many more are produced, and the group has committed up to there.
    for (more, committed, expected) in [(0, 1, 4), (10, 1, 14), (0, 9, 6), (3, 9, 9), (0, 18, 0)] {
        produce(more);
        commit(committed);
        assert_eq!(by_watermarks(), expected);
        wait_for("the lag", || {
            // What comes is passed over: the lag is that of what is committed.
            let _ = consumer.poll(Duration::from_millis(20));
            (value(&telemetry, "otelware.kafka.consumer.lag") == Some(expected)).then_some(())
        });
    }
}

/// A context of a user's that wants the statistics for itself.
#[derive(Default)]
struct Counting(AtomicUsize);

impl ClientContext for Counting {
    fn stats(&self, statistics: rdkafka::Statistics) {
        assert_eq!(statistics.client_type, "producer");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_user_s_context_is_told_too() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config.set("statistics.interval.ms", "50");
    let producer: FutureProducer<Counting> = options(&telemetry)
        .create_with_context(&config, Counting::default())
        .unwrap();
    let queued = "otelware.kafka.producer.queue.messages";
    wait_for("statistics", || {
        let told = producer.context().0.load(Ordering::SeqCst);
        (told > 1 && value(&telemetry, queued) == Some(0)).then_some(())
    });
}
