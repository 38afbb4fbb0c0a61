//! Consumers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use otelware_rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer,
};
use otelware_rdkafka::otelware::messaging::Parenting;
use otelware_rdkafka::otelware::opentelemetry::Context;
use otelware_rdkafka::otelware::opentelemetry::baggage::BaggageExt;
use otelware_rdkafka::otelware::opentelemetry::trace::TraceContextExt;
use otelware_rdkafka::otelware::operation;
use otelware_rdkafka::otelware::propagation::Trust;
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use otelware_rdkafka::{KafkaMessage, Telemetry};
use otelware_testing::{Capture, RemoteParent, Span};
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, TopicPartitionList};
use std::num::ParseIntError;
use std::sync::Arc;
use std::time::Duration;
use support::broker::{Kafka, from_beginning, nowhere, unique};
use support::expected::{
    and, at, consumed, measured, measured_at, operations, poll, process, processings, settle,
};
use support::{PATIENCE, options, wait_for};

fn headers(pairs: &[(&str, &str)]) -> OwnedHeaders {
    let pairs = pairs.iter();
    pairs.fold(OwnedHeaders::new(), |headers, &(key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    })
}

/// A message with these headers, by a client that has no telemetry.
fn produce(kafka: &Kafka, topic: &str, pairs: &[(&str, &str)]) {
    let record = BaseRecord::to(topic).payload("7").headers(headers(pairs));
    kafka.produce_plainly(record.partition(0).key("key"));
}

fn by(remote: &RemoteParent) -> Vec<(&'static str, String)> {
    vec![("traceparent", remote.traceparent())]
}

fn produce_by(kafka: &Kafka, topic: &str, remote: &RemoteParent) {
    let by = by(remote);
    let by: Vec<_> = by
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    produce(kafka, topic, &by);
}

fn number<M: KafkaMessage>(message: &M) -> Result<u32, ParseIntError> {
    let text = message.payload().map(String::from_utf8_lossy);
    text.unwrap_or_default().parse()
}

fn last(telemetry: &Capture) -> Span {
    telemetry.spans().pop().unwrap()
}

async fn nothing() -> Result<(), ParseIntError> {
    Ok(())
}

#[tokio::test]
async fn a_group_processes_and_commits() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let producer: FutureProducer = options(&telemetry).create(&kafka.config()).unwrap();
    let record = FutureRecord::to(&topic).key("secret").payload("7");
    producer.send(record, PATIENCE).await.unwrap();
    let sent = telemetry.span(&format!("send {topic}"));

    let config = kafka.consumer_config(&unique("billing"));
    let consumer: StreamConsumer = options(&telemetry).create(&config).unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let message = tokio::time::timeout(PATIENCE, consumer.recv())
        .await
        .unwrap()
        .unwrap();
    let number = consumer.process(&message, async {
        consumer.commit_message(&message, CommitMode::Sync).unwrap();
        number(&message)
    });
    assert_eq!(number.await, Ok(7));

    let processed = telemetry.span(&format!("process {topic}"));
    let id = kafka.cluster_id();
    processed.assert(
        process(&config, &topic)
            .attributes(at("0", 0))
            .attribute("kafka.cluster.id", id.clone())
            .remote_child_of(&sent)
            .link_to(&sent),
    );
    telemetry.span(&format!("commit {topic}")).assert(
        settle(&config, "commit", &topic)
            .attributes(at("0", 0))
            .attribute("kafka.cluster.id", id.clone())
            .child_of(&processed),
    );
    let series = |name| measured_at(&config, name, &topic, "0");
    let metric = |name| telemetry.metric(name);
    metric("messaging.client.consumed.messages").assert(consumed().point(series("poll"), 1));
    let durations = metric("messaging.process.duration");
    durations.assert(processings().point(series("process"), 1));
    durations.assert_same_reading([&processed]);

    consumer.commit_consumer_state(CommitMode::Async).unwrap();
    last(&telemetry)
        .assert(settle(&config, "commit", "").attribute("kafka.cluster.id", id.clone()));
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, rdkafka::Offset::Offset(1))
        .unwrap();
    consumer.commit(&list, CommitMode::Sync).unwrap();
    let commit = || settle(&config, "commit", &topic).attribute("kafka.cluster.id", id.clone());
    let partition = ("messaging.destination.partition.id", "0");
    last(&telemetry).assert(commit().attribute(partition.0, partition.1));
    // Nobody has that topic.
    let mut wrong = TopicPartitionList::new();
    wrong.add_partition(&topic, 0);
    let error = consumer.commit(&wrong, CommitMode::Sync).unwrap_err();
    assert_eq!(
        error,
        KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)
    );
    last(&telemetry).assert(
        commit()
            .attribute(partition.0, partition.1)
            .attribute("error.type", "_NO_OFFSET")
            .error(),
    );
    let commits = |pairs| and(pairs, "messaging.operation.type", "settle");
    let sends = measured_at(&kafka.config(), "send", &topic, "0");
    metric("messaging.client.operation.duration").assert(
        operations()
            .point(and(sends, "messaging.operation.type", "send"), 1)
            .point(commits(series("commit")), 2)
            .point(commits(measured(&config, "commit", "")), 1)
            .point(
                commits(and(series("commit"), "error.type", "_NO_OFFSET")),
                1,
            ),
    );
    telemetry.assert_never_contains("secret");
}

#[tokio::test]
async fn who_is_whose_parent() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let remote = RemoteParent::sampled();
    produce_by(&kafka, &topic, &remote);
    let consumer = kafka.assigned(&options(&telemetry), &topic);
    let message = consumer.recv().await.unwrap();
    let config = kafka.consumer_config("any");
    for parenting in [Parenting::Auto, Parenting::Link, Parenting::Parent] {
        let of = topic.clone();
        let options = options(&telemetry).with_parenting_by(move |topic| {
            assert_eq!(topic, of);
            parenting
        });
        let handle = options.telemetry(&config);
        let expected = || {
            process(&config, &topic)
                .attributes(at("0", 0))
                .link_to(&remote)
        };
        handle.process(&message, nothing()).await.unwrap();
        let alone = expected();
        last(&telemetry).assert(match parenting {
            Parenting::Link => alone.no_parent(),
            _ => alone.remote_child_of(&remote),
        });
        let outer = operation("outer")
            .with_tracer_provider(telemetry.tracer_provider())
            .run(async { handle.process(&message, nothing()).await.unwrap() });
        outer.await;
        let mut spans = telemetry.spans();
        let (outer, inner) = (spans.pop().unwrap(), spans.pop().unwrap());
        inner.assert(match parenting {
            Parenting::Parent => expected().remote_child_of(&remote).link_to(&outer),
            _ => expected().child_of(&outer),
        });
    }
    // Someone else's messages are linked and nothing more.
    let public = options(&telemetry)
        .with_trust(Trust::Public)
        .telemetry(&config);
    public.process(&message, nothing()).await.unwrap();
    last(&telemetry).assert(
        process(&config, &topic)
            .attributes(at("0", 0))
            .link_to(&remote),
    );
}

#[tokio::test]
async fn every_way_to_process() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    produce(&kafka, &topic, &[]);
    let all = options(&telemetry).with_message_keys().with_body_sizes();
    let consumer = kafka.assigned(&all, &topic);
    let config = kafka.consumer_config("any");
    let message = consumer.recv().await.unwrap();
    let handle: Telemetry = all.clone().telemetry(&config);
    let expected = || {
        process(&config, &topic)
            .attributes(at("0", 0))
            .attribute("kafka.message.key", "key")
            .attribute("messaging.message.body.size", 1)
    };
    // A closure.
    assert_eq!(handle.process_sync(&message, || number(&message)), Ok(7));
    last(&telemetry).assert(expected());
    // In a task, with a message of its own.
    let (clone, owned) = (handle.clone(), message.detach());
    let task = tokio::spawn(async move { clone.process(&owned, async { number(&owned) }).await });
    assert_eq!(task.await.unwrap(), Ok(7));
    last(&telemetry).assert(expected());
    // Errors.
    let error: Result<u32, ParseIntError> = "x".parse();
    assert!(handle.process(&message, async { error }).await.is_err());
    let failed = |class: &'static str| expected().attribute("error.type", class).error();
    last(&telemetry).assert(failed("ParseIntError"));
    // Guards.
    let mut guard = handle.start_process(&message);
    let inner = guard.in_scope(|| Context::current().span().span_context().clone());
    assert_eq!(guard.context().span().span_context(), &inner);
    guard.finish();
    last(&telemetry).assert(expected());
    handle.start_process(&message).fail("out_of_stock");
    last(&telemetry).assert(failed("out_of_stock"));
    drop(handle.start_process(&message));
    last(&telemetry).assert(expected().attribute("error.type", "cancelled"));
    // A panic.
    let panicking = async {
        handle
            .process(&message, async {
                if true {
                    panic!("x")
                }
                nothing().await
            })
            .await
    };
    let caught = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(panicking));
    assert!(caught.await.is_err());
    last(&telemetry).assert(failed("panic"));
    // All are measured, and each message is counted once.
    assert_eq!(
        telemetry.metric("messaging.process.duration").total_count(),
        7
    );
    assert_eq!(
        telemetry
            .metric("messaging.client.consumed.messages")
            .points
            .len(),
        1
    );
}

#[tokio::test]
async fn a_batch_is_linked_to_its_senders() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let other = kafka.topic("returns", 1).await;
    let remotes = [RemoteParent::sampled(), RemoteParent::sampled()];
    produce_by(&kafka, &topic, &remotes[0]);
    produce_by(&kafka, &topic, &remotes[1]);
    produce(&kafka, &topic, &[]);
    produce_by(&kafka, &other, &remotes[1]);
    let mut messages = kafka.messages(&topic, 3);
    let config = kafka.consumer_config("any");
    let handle = options(&telemetry).telemetry(&config);
    handle.process_batch(&messages, nothing()).await.unwrap();
    let partition = ("messaging.destination.partition.id", "0");
    last(&telemetry).assert(
        process(&config, &topic)
            .attribute(partition.0, partition.1)
            .attribute("messaging.batch.message_count", 3)
            .link_with(&remotes[0], [("kafka.offset", 0)])
            .link_with(&remotes[1], [("kafka.offset", 1)]),
    );
    // Of several topics.
    messages.extend(kafka.messages(&other, 1));
    handle
        .process_batch(&messages[1..], nothing())
        .await
        .unwrap();
    let link = |topic: &str, offset: i64| -> Vec<(&str, otelware_testing::Value)> {
        vec![
            ("messaging.destination.name", topic.to_owned().into()),
            (partition.0, partition.1.into()),
            ("kafka.offset", offset.into()),
        ]
    };
    last(&telemetry).assert(
        process(&config, "")
            .attribute("messaging.batch.message_count", 3)
            .link_with(&remotes[1], link(&topic, 1))
            .link_with(&remotes[1], link(&other, 0)),
    );
    // More than a span can be linked to.
    let many = vec![messages[0].clone(); 200];
    handle
        .process_batch_sync(&many, || Ok::<_, ParseIntError>(()))
        .unwrap();
    let span = last(&telemetry);
    assert_eq!(span.links.len(), 128);
    let count = span.attribute("otelware.messaging.unlinked_messages");
    assert_eq!(count.and_then(|count| count.as_int()), Some(72));
    let none: [rdkafka::message::OwnedMessage; 0] = [];
    handle.process_batch(&none, nothing()).await.unwrap();
    last(&telemetry).assert(process(&config, "").attribute("messaging.batch.message_count", 0));
}

#[tokio::test]
async fn consumers_process_batches_in_every_way() {
    let telemetry = Capture::new();
    let mut config = nowhere();
    config.set("group.id", "billing");
    let message = |offset| {
        let (payload, time) = (Some(b"7".to_vec()), rdkafka::Timestamp::NotAvailable);
        OwnedMessage::new(payload, None, "orders".to_owned(), time, 0, offset, None)
    };
    let batch = [message(0), message(1)];
    macro_rules! processes {
        ($consumer:expr) => {
            $consumer.process_batch(&batch, nothing()).await.unwrap();
            let numbers = || batch.iter().map(number).collect::<Result<Vec<_>, _>>();
            assert_eq!(
                $consumer.process_batch_sync(&batch, numbers),
                Ok(vec![7, 7])
            );
            $consumer.start_process_batch(&batch).finish();
        };
    }
    let stream: StreamConsumer = options(&telemetry).create(&config).unwrap();
    processes!(stream);
    let base: BaseConsumer = options(&telemetry).create(&config).unwrap();
    processes!(base);
    let spans = telemetry.spans();
    assert_eq!(spans.len(), 6);
    for span in spans {
        span.assert(
            process(&config, "orders")
                .attribute("messaging.destination.partition.id", "0")
                .attribute("messaging.batch.message_count", 2),
        );
    }
}

#[tokio::test]
async fn headers_of_any_kind_do_no_harm() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let remote = RemoteParent::sampled();
    let mut list = headers(&[("traceparent", "wrong"), ("baggage", "tenant=7")]);
    for (name, value) in [
        (&b"\xff\xfe"[..], Some(&b"\xff"[..])),
        (b"traceparent", None),
        (b"", Some(b"")),
        (b"baggage", Some(b"user=me")),
        (b"baggage", Some(b"\xff")),
        (b"tracestate", None),
        (b"traceparent", Some(remote.traceparent().as_bytes())),
    ] {
        support::native::add_header(&mut list, name, value);
    }
    let record = BaseRecord::<str, str>::to(&topic).partition(0);
    kafka.produce_plainly(record.headers(list));
    let options = options(&telemetry).with_captured_headers(["baggage"]);
    let consumer = kafka.assigned(&options, &topic);
    let message = consumer.recv().await.unwrap();
    let baggage = consumer.process_sync(&message, || {
        Ok::<_, ParseIntError>(Context::current().baggage().to_string())
    });
    let mut baggage: Vec<_> = baggage.unwrap().split(',').map(str::to_owned).collect();
    baggage.sort();
    assert_eq!(baggage, ["tenant=7", "user=me"]);
    let values = vec!["tenant=7".into(), "user=me".into()];
    let span = telemetry.span(&format!("process {topic}"));
    assert_eq!(
        span.attribute("messaging.header.baggage"),
        Some(&otelware_testing::Value::List(values))
    );
    assert_eq!(
        span.attribute("kafka.message.tombstone")
            .and_then(|value| value.as_bool()),
        Some(true)
    );
    assert_eq!(
        span.parent_span_id,
        Some(remote.context().span().span_context().span_id())
    );
}

#[tokio::test]
async fn messages_come_by_streams_iterators_and_queues() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    let remote = RemoteParent::sampled();
    for _ in 0..3 {
        produce_by(&kafka, &topic, &remote);
    }
    let all = options(&telemetry).with_receive_spans();
    let config = kafka.consumer_config("any");
    let expected = |telemetry: &Capture, group: &ClientConfig, offsets: &[i64]| {
        let spans = telemetry.spans();
        assert_eq!(spans.len(), offsets.len());
        for (span, offset) in spans.iter().zip(offsets) {
            span.assert(
                poll(group, &topic)
                    .attributes(at("0", *offset))
                    .attribute("kafka.cluster.id", kafka.cluster_id())
                    .link_to(&remote),
            );
        }
        telemetry.reset();
    };
    let mut own = config.clone();
    let mut fresh = || -> ClientConfig { own.set("group.id", unique("group")).clone() };

    // A stream.
    let config = fresh();
    let consumer: StreamConsumer = all.create(&config).unwrap();
    consumer.assign(&from_beginning(&topic)).unwrap();
    let three: Vec<_> = consumer.stream().take(3).collect().await;
    assert!(three.iter().all(Result::is_ok));
    expected(&telemetry, &config, &[0, 1, 2]);
    drop(three);
    drop(consumer);

    // An iterator.
    let config = fresh();
    let consumer: BaseConsumer = all.create(&config).unwrap();
    consumer.assign(&from_beginning(&topic)).unwrap();
    let offsets = consumer
        .iter()
        .take(2)
        .map(|message| message.unwrap().offset());
    assert_eq!(offsets.collect::<Vec<_>>(), [0, 1]);
    let third = wait_for("a message", || consumer.poll(Duration::from_millis(100)));
    assert_eq!(third.unwrap().offset(), 2);
    expected(&telemetry, &config, &[0, 1, 2]);

    // A partition's queue.
    let config = fresh();
    let consumer: BaseConsumer = all.create(&config).unwrap();
    let consumer = Arc::new(consumer);
    consumer.assign(&from_beginning(&topic)).unwrap();
    let queue = consumer.split_partition_queue(&topic, 0).unwrap();
    let first = wait_for("a message", || {
        assert!(consumer.poll(Duration::ZERO).is_none());
        queue.poll(Duration::from_millis(50))
    });
    let first = first.unwrap();
    assert_eq!(first.offset(), 0);
    expected(&telemetry, &config, &[0]);
    let processed = queue.telemetry().process_sync(&first, || number(&first));
    assert_eq!(processed, Ok(7));
    let name = format!("process {topic}");
    telemetry.span(&name).assert(
        process(&config, &topic)
            .attributes(at("0", 0))
            .attribute("kafka.cluster.id", kafka.cluster_id())
            .remote_child_of(&remote)
            .link_to(&remote),
    );
    telemetry.reset();

    // A partition's stream.
    let config = fresh();
    let consumer: StreamConsumer = all.create(&config).unwrap();
    let consumer = Arc::new(consumer);
    consumer.assign(&from_beginning(&topic)).unwrap();
    let queue = consumer.split_partition_queue(&topic, 0).unwrap();
    let both = async {
        let first = queue.recv().await.unwrap().offset();
        (
            first,
            queue.stream().next().await.unwrap().unwrap().offset(),
        )
    };
    let both = tokio::select! {
        both = both => both,
        other = consumer.recv() => panic!("{other:?}"),
    };
    assert_eq!(both, (0, 1));
    expected(&telemetry, &config, &[0, 1]);
}

/// A context of a user's that uses what the telemetry offers.
struct Mine(Telemetry);

impl ClientContext for Mine {
    fn stats(&self, statistics: rdkafka::Statistics) {
        self.0.record_stats(&statistics);
    }
}

impl ConsumerContext for Mine {
    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        self.0.on_commit(&result, offsets);
    }
}

#[tokio::test]
async fn a_user_s_context_stays_and_may_tell_of_automatic_commits() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    produce(&kafka, &topic, &[]);
    let mut config = kafka.consumer_config(&unique("billing"));
    config
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "50");
    let handle = options(&telemetry).telemetry(&config);
    let consumer: BaseConsumer<Mine> = handle
        .create_with_context(&config, Mine(handle.clone()))
        .unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let message = wait_for("a message", || consumer.poll(Duration::from_millis(50)));
    assert_eq!(message.unwrap().offset(), 0);
    let committed = || {
        let metrics = telemetry.metrics();
        metrics
            .into_iter()
            .find(|metric| metric.name == "otelware.kafka.consumer.commits")
    };
    let metric = wait_for("a commit", || {
        assert!(consumer.poll(Duration::from_millis(20)).is_none());
        committed()
    });
    let group = config.get("group.id").unwrap().to_owned();
    metric.assert(
        otelware_testing::expect_counter("otelware.kafka.consumer.commits")
            .unit("{commit}")
            .description("Number of commits of offsets that were answered.")
            .point(
                [
                    ("messaging.system.name", "kafka"),
                    ("messaging.consumer.group.name", &group),
                    ("messaging.destination.name", &topic),
                ],
                1,
            ),
    );
}

#[tokio::test]
async fn a_template_stands_for_the_topic_of_commits_and_an_empty_one_is_none() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("customers.17", 1).await;
    produce(&kafka, &topic, &[]);
    let mut config = kafka.consumer_config(&unique("billing"));
    config
        .set("enable.auto.commit", "true")
        .set("auto.commit.interval.ms", "50");
    let consumer: BaseConsumer = options(&telemetry)
        .with_destination_template(|_| Some("customers.{id}".to_owned()))
        .create(&config)
        .unwrap();
    // As librdkafka puts it.
    let nothing = Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset));
    let handle = consumer.telemetry();
    handle.on_commit(&nothing, &TopicPartitionList::new());
    consumer.subscribe(&[&topic]).unwrap();
    let message = wait_for("a message", || consumer.poll(Duration::from_millis(50)));
    assert_eq!(message.unwrap().offset(), 0);
    let name = "otelware.kafka.consumer.commits";
    let metric = wait_for("a commit", || {
        assert!(consumer.poll(Duration::from_millis(20)).is_none());
        let metrics = telemetry.metrics();
        metrics.into_iter().find(|metric| metric.name == name)
    });
    metric.assert(
        otelware_testing::expect_counter(name)
            .unit("{commit}")
            .description("Number of commits of offsets that were answered.")
            .point(
                [
                    ("messaging.system.name", "kafka"),
                    (
                        "messaging.consumer.group.name",
                        config.get("group.id").unwrap(),
                    ),
                    ("messaging.destination.template", "customers.{id}"),
                ],
                1,
            ),
    );
}

#[tokio::test]
async fn ages_and_templates() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("customers.17", 1).await;
    let record = BaseRecord::<str, str>::to(&topic).payload("7").partition(0);
    kafka.produce_plainly(record);
    let mut message = kafka.messages(&topic, 1).remove(0);
    let config = kafka.consumer_config("billing");
    let handle = options(&telemetry)
        .with_message_ages()
        .with_destination_template(|_| Some("customers.{id}".to_owned()))
        .telemetry(&config);
    let ages = || telemetry.metric("otelware.kafka.message.age");
    let series = [
        ("messaging.system.name", "kafka"),
        ("messaging.consumer.group.name", "billing"),
        ("messaging.destination.template", "customers.{id}"),
    ];
    for (timestamp, count) in [
        (rdkafka::Timestamp::CreateTime(0), 1),
        (rdkafka::Timestamp::CreateTime(i64::MAX), 2),
        (rdkafka::Timestamp::NotAvailable, 2),
        (rdkafka::Timestamp::LogAppendTime(-5), 2),
    ] {
        message = message.set_timestamp(timestamp);
        handle.process(&message, nothing()).await.unwrap();
        assert_eq!(ages().point(series).count(), count, "{timestamp:?}");
    }
    // Since 1970, and from the future: no time at all.
    let sum = ages().point(series).sum();
    assert!((1.5e9..1e11).contains(&sum), "{sum}");
    let span = telemetry.spans().pop().unwrap();
    assert_eq!(span.name, "process customers.{id}");
    assert_eq!(
        span.attribute("messaging.destination.name")
            .and_then(|name| name.as_str()),
        Some(topic.as_str())
    );
}

#[tokio::test]
async fn an_error_is_received_too() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 1).await;
    produce(&kafka, &topic, &[]);
    let mut config = kafka.consumer_config(&unique("billing"));
    config
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = options(&telemetry)
        .with_receive_spans()
        .create(&config)
        .unwrap();
    // The group has committed nothing, and nothing says where to begin.
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, rdkafka::Offset::Stored)
        .unwrap();
    consumer.assign(&list).unwrap();
    let error = wait_for("an error", || consumer.poll(Duration::from_millis(100)));
    let error = error.map(drop).unwrap_err();
    assert_eq!(
        error,
        KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)
    );
    telemetry.span("poll").assert(
        poll(&config, "")
            .attribute("error.type", "_AUTO_OFFSET_RESET")
            .error(),
    );
    // The end of a partition is none.
    consumer.assign(&from_beginning(&topic)).unwrap();
    let eof = wait_for("the end", || {
        let result = consumer.poll(Duration::from_millis(100))?;
        result
            .err()
            .filter(|error| matches!(error, KafkaError::PartitionEOF(_)))
    });
    assert_eq!(eof, KafkaError::PartitionEOF(0));
    assert_eq!(telemetry.spans().len(), 2);
    assert_eq!(last(&telemetry).name, format!("poll {topic}"));
}

#[tokio::test]
async fn two_consumers_share_the_partitions_and_each_message_is_counted_once() {
    let (telemetry, kafka) = (Capture::new(), Kafka::start());
    let topic = kafka.topic("orders", 2).await;
    let config = kafka.consumer_config(&unique("billing"));
    let consumers: Vec<BaseConsumer> = (0..2)
        .map(|_| {
            let consumer: BaseConsumer = options(&telemetry).create(&config).unwrap();
            consumer.subscribe(&[&topic]).unwrap();
            consumer
        })
        .collect();
    wait_for("one partition each", || {
        for consumer in &consumers {
            assert!(consumer.poll(Duration::from_millis(20)).is_none());
        }
        let counts = consumers
            .iter()
            .map(|consumer| consumer.assignment().unwrap().count());
        counts.eq([1, 1]).then_some(())
    });
    for partition in 0..2 {
        let record = BaseRecord::<str, str>::to(&topic)
            .payload("7")
            .partition(partition);
        kafka.produce_plainly(record);
    }
    for consumer in &consumers {
        let message = wait_for("a message", || consumer.poll(Duration::from_millis(20)));
        consumer
            .process_sync(&message.unwrap(), || Ok::<_, ParseIntError>(()))
            .unwrap();
    }
    let metric = telemetry.metric("messaging.client.consumed.messages");
    metric.assert(
        consumed()
            .point(measured_at(&config, "poll", &topic, "0"), 1)
            .point(measured_at(&config, "poll", &topic, "1"), 1),
    );
    let names = telemetry.spans().into_iter().map(|span| span.name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        [format!("process {topic}"), format!("process {topic}")]
    );
    let changes = telemetry.metric("otelware.kafka.consumer.assignment.changes");
    assert!(changes.total_sum() >= 2.0, "{changes:?}");
}
