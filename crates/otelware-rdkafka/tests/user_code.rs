//! The same code with rdkafka's imports and with ours: nothing but the imports is changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rdkafka::ClientConfig;
use support::PATIENCE;
use support::broker::{Kafka, unique};

macro_rules! user_code {
    ($name:ident, $library:ident) => {
        mod $name {
            use super::PATIENCE;
            use futures_util::{StreamExt, TryStreamExt};
            use rdkafka::client::{Client, ClientContext};
            use rdkafka::error::{KafkaError, KafkaResult};
            use rdkafka::message::{BorrowedMessage, Message, OwnedMessage};
            use rdkafka::{ClientConfig, Offset, TopicPartitionList};
            use std::sync::Arc;
            use std::sync::atomic::{AtomicUsize, Ordering};
            use $library::consumer::base_consumer::PartitionQueue;
            use $library::consumer::stream_consumer::{StreamConsumer, StreamPartitionQueue};
            use $library::consumer::{
                BaseConsumer, CommitMode, Consumer, ConsumerContext, MessageStream, Rebalance,
            };
            use $library::producer::base_producer::ThreadedProducer;
            use $library::producer::future_producer::{FutureProducer, OwnedDeliveryResult};
            use $library::producer::{
                BaseProducer, BaseRecord, DeliveryResult, FutureRecord, PARTITION_UA, Producer,
                ProducerContext, PurgeConfig,
            };

            #[derive(Default)]
            pub(super) struct Counting(AtomicUsize);

            impl ClientContext for Counting {}

            impl ProducerContext for Counting {
                type DeliveryOpaque = Box<usize>;

                fn delivery(&self, result: &DeliveryResult<'_>, opaque: Box<usize>) {
                    assert!(result.is_ok());
                    self.0.fetch_add(*opaque, Ordering::SeqCst);
                }
            }

            impl ConsumerContext for Counting {
                /// Contexts are told rdkafka's own consumer.
                fn pre_rebalance(
                    &self,
                    consumer: &rdkafka::consumer::BaseConsumer<Self>,
                    _: &Rebalance<'_>,
                ) {
                    let _nothing_yet = consumer.commit_consumer_state(CommitMode::Sync);
                }

                fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
                    assert!(result.is_ok());
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }

            /// A function of the user's over any consumer.
            fn assigned<C: ConsumerContext>(consumer: &impl Consumer<C>) -> usize {
                consumer.assignment().unwrap().count()
            }

            /// Functions of the user's over these types, with no bounds but rdkafka's.
            #[allow(dead_code)]
            fn subscribe<C: ConsumerContext, R>(consumer: &StreamConsumer<C, R>, topic: &str) {
                consumer.subscribe(&[topic]).unwrap();
            }

            #[allow(dead_code)]
            fn stream<C: ConsumerContext, R>(
                queue: &StreamPartitionQueue<C, R>,
            ) -> MessageStream<'_, C> {
                queue.stream()
            }

            #[allow(dead_code)]
            fn poll<C: ConsumerContext>(queue: &PartitionQueue<C>) -> bool {
                queue.poll(PATIENCE).is_some()
            }

            fn cluster<C: ClientContext>(client: &Client<C>) -> bool {
                client.fetch_metadata(None, PATIENCE).is_ok()
            }

            fn from(topic: &str, offset: i64) -> TopicPartitionList {
                let mut list = TopicPartitionList::new();
                list.add_partition_offset(topic, 0, Offset::Offset(offset))
                    .unwrap();
                list
            }

            async fn owned(message: KafkaResult<BorrowedMessage<'_>>) -> KafkaResult<OwnedMessage> {
                Ok(message?.detach())
            }

            pub(super) async fn run(
                config: &ClientConfig,
                group: &ClientConfig,
                topic: &str,
            ) -> Vec<(i64, Vec<u8>)> {
                let base: BaseProducer<Counting> =
                    config.create_with_context(Counting::default()).unwrap();
                let threaded: ThreadedProducer<Counting> =
                    config.create_with_context(Counting::default()).unwrap();
                let record = BaseRecord::with_opaque_to(topic, Box::new(7));
                base.send(record.key("k").payload("first"))
                    .map_err(|(error, _)| error)
                    .unwrap();
                while base.in_flight_count() > 0 {
                    base.poll(PATIENCE.min(std::time::Duration::from_millis(20)));
                }
                let record = BaseRecord::with_opaque_to(topic, Box::new(8));
                threaded
                    .send(record.key(&[1_u8, 2]).payload(&vec![b'2']))
                    .map_err(|(error, _)| error)
                    .unwrap();
                threaded.flush(PATIENCE).unwrap();
                assert_eq!(base.context().0.load(Ordering::SeqCst), 7);
                while threaded.context().0.load(Ordering::SeqCst) != 8 {
                    tokio::task::yield_now().await;
                }
                base.purge(PurgeConfig::default().queue().inflight());
                assert!(cluster(base.client()));

                let future: FutureProducer = config.create().unwrap();
                let (clone, name) = (future.clone(), topic.to_owned());
                let sending = tokio::spawn(async move {
                    let record = FutureRecord::<str, _>::to(&name).payload("third");
                    clone.send(record, PATIENCE).await
                });
                let result: OwnedDeliveryResult = sending.await.unwrap();
                let delivery = result.unwrap();
                assert_eq!((delivery.partition, delivery.offset), (0, 2));
                let record = FutureRecord::<(), ()>::to(topic).partition(PARTITION_UA);
                let report = future
                    .send_result(record)
                    .map_err(|(error, _)| error)
                    .unwrap();
                assert_eq!(report.await.unwrap().unwrap().offset, 3);

                let consumer: StreamConsumer = group.create().unwrap();
                consumer.subscribe(&[topic]).unwrap();
                let messages: Result<Vec<OwnedMessage>, KafkaError> =
                    consumer.stream().take(4).then(owned).try_collect().await;
                assert_eq!(assigned(&consumer), 1);
                consumer.commit_consumer_state(CommitMode::Sync).unwrap();
                drop(consumer);

                let mut group = group.clone();
                group.set("group.id", format!("{topic}-later"));
                let consumer: Arc<StreamConsumer<Counting>> =
                    Arc::new(group.create_with_context(Counting::default()).unwrap());
                consumer.assign(&from(topic, 4)).unwrap();
                let same = consumer.clone();
                let record = FutureRecord::<str, str>::to(topic).payload("fifth");
                future.send(record, PATIENCE).await.unwrap();
                let fifth = tokio::spawn(async move {
                    let message = same.recv().await.unwrap();
                    same.commit_message(&message, CommitMode::Sync).unwrap();
                    message.offset()
                });
                assert_eq!(fifth.await.unwrap(), 4);
                drop(consumer);

                let consumer: BaseConsumer = group.create().unwrap();
                consumer.assign(&from(topic, 5)).unwrap();
                future
                    .send(
                        FutureRecord::<str, str>::to(topic).payload("sixth"),
                        PATIENCE,
                    )
                    .await
                    .unwrap();
                let sixth = (&consumer).into_iter().next().unwrap().unwrap();
                consumer.store_offset_from_message(&sixth).unwrap();
                assert_eq!(sixth.offset(), 5);
                let position = consumer.position().unwrap();
                assert_eq!(position.count(), assigned(&consumer));

                let text = |message: &OwnedMessage| {
                    (
                        message.offset(),
                        message.payload().unwrap_or(b"none").to_vec(),
                    )
                };
                messages.unwrap().iter().map(text).collect()
            }
        }
    };
}

user_code!(before, rdkafka);
user_code!(after, otelware_rdkafka);

async fn place(kafka: &Kafka) -> (ClientConfig, String) {
    let topic = kafka.topic("orders", 1).await;
    (kafka.consumer_config(&unique("billing")), topic)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_goes_on_as_it_is() {
    let kafka = Kafka::start();
    let config = kafka.config();
    let (group, topic) = place(&kafka).await;
    let before = before::run(&config, &group, &topic).await;
    let (group, topic) = place(&kafka).await;
    let after = after::run(&config, &group, &topic).await;
    let expected = [&b"first"[..], b"2", b"third", b"none"];
    let expected: Vec<_> = (0..).zip(expected.map(<[u8]>::to_vec)).collect();
    assert_eq!((&before, &after), (&expected, &expected));
}
