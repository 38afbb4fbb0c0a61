//! The suite of messaging, on Kafka.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use otelware_rdkafka::otelware::semconv::SCHEMA_URL;
use otelware_rdkafka::producer::{FutureProducer, FutureRecord};
use otelware_testing::suites::messaging::{
    Broker, Class, ExpectedOperation, Message, MessagingUnderTest, OutOfStock, PATIENCE, Setup,
};
use otelware_testing::{Attributes, Scope};
use rdkafka::message::{Header, Headers, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::{Offset, TopicPartitionList};
use support::broker::{Kafka, from_beginning, unique};

/// More than the producer takes.
const TOO_LARGE: usize = 2_000_000;

/// A topic of one partition.
struct Topic {
    kafka: Kafka,
    cluster: String,
    name: String,
    group: String,
    producer: FutureProducer,
    /// Of rdkafka itself.
    unseen: rdkafka::producer::FutureProducer,
    consumer: StreamConsumer,
}

fn headers(message: &Message) -> Option<OwnedHeaders> {
    let headers = message.headers.iter();
    let headers = headers.fold(OwnedHeaders::new(), |headers, (key, value)| {
        let value = Some(value);
        headers.insert(Header { key, value })
    });
    (headers.count() > 0).then_some(headers)
}

impl Topic {
    async fn send_plainly(&self, headers: Option<OwnedHeaders>, body: &str) {
        let mut record = rdkafka::producer::FutureRecord::<str, str>::to(&self.name).payload(body);
        record.headers = headers;
        let sending = self.unseen.send(record, PATIENCE);
        sending.await.map_err(|(error, _)| error).unwrap();
    }

    fn of(&self, class: Class, operation: &'static str) -> ExpectedOperation {
        let expected = ExpectedOperation::new(class, operation, &*self.name);
        let expected = match class {
            Class::Consume => expected,
            _ => expected
                .on_span("messaging.client.id", "shop")
                .may_have("kafka.cluster.id", &*self.cluster),
        };
        match class {
            Class::Send => expected,
            _ => expected
                .on_both("messaging.consumer.group.name", &*self.group)
                .on_both("messaging.destination.partition.id", "0"),
        }
    }
}

impl MessagingUnderTest for Topic {
    type Sent = Delivery;
    type Message = OwnedMessage;

    otelware_testing::messaging_processing!(otelware_rdkafka::otelware);

    async fn connect(setup: &Setup) -> Self {
        let options = otelware_testing::messaging_options!(
            KafkaOptions::new(),
            setup,
            otelware_rdkafka::otelware
        );
        let kafka = Kafka::start();
        let name = kafka.topic("suite", 1).await;
        let group = unique("group");
        let mut config = kafka.consumer_config(&group);
        // A mock cluster answers late that there was nothing, whatever has come meanwhile.
        config.set("fetch.wait.max.ms", "10");
        let consumer: StreamConsumer = options.create(&config).unwrap();
        consumer.assign(&from_beginning(&name)).unwrap();
        Self {
            cluster: kafka.cluster_id(),
            producer: options.create(&kafka.config()).unwrap(),
            unseen: kafka.config().create().unwrap(),
            consumer,
            kafka,
            name,
            group,
        }
    }

    fn broker(&self) -> Broker {
        Broker {
            scope: Scope::new("otelware-rdkafka", env!("CARGO_PKG_VERSION"), SCHEMA_URL),
            system: "kafka",
            address: Some(self.kafka.host.clone()),
            port: Some(self.kafka.port),
        }
    }

    async fn send(&self, message: &Message) -> Delivery {
        let mut record = FutureRecord::<str, str>::to(&self.name).payload(&message.body);
        record.key = message.key.as_deref();
        record.headers = headers(message);
        let sending = self.producer.send(record, PATIENCE);
        sending.await.map_err(|(error, _)| error).unwrap()
    }

    fn expected_send(&self, sent: &Delivery) -> ExpectedOperation {
        let partition = sent.partition.to_string();
        self.of(Class::Send, "send")
            .at_end("kafka.offset", sent.offset)
            .at_end("messaging.destination.partition.id", &*partition)
            .on_metrics("messaging.destination.partition.id", &*partition)
    }

    async fn send_in_vain(&self, message: &Message) -> String {
        let body = message.body.repeat(TOO_LARGE / message.body.len());
        let mut record = FutureRecord::<str, str>::to(&self.name).payload(&body);
        record.key = message.key.as_deref();
        record.headers = headers(message);
        let (error, _) = self.producer.send(record, PATIENCE).await.unwrap_err();
        error.to_string()
    }

    fn expected_send_in_vain(&self) -> ExpectedOperation {
        self.of(Class::Send, "send").fails("MESSAGE_TOO_LARGE")
    }

    async fn send_unseen(&self, message: &Message) {
        self.send_plainly(headers(message), &message.body).await;
    }

    async fn send_foreign(&self) -> usize {
        let odd: [Option<&[u8]>; 3] = [None, Some(&[0xff, 0xfe]), Some(&[])];
        for value in odd {
            let names = ["traceparent", "tracestate", "baggage"];
            let mut headers = names.iter().fold(OwnedHeaders::new(), |headers, key| {
                headers.insert(Header { key, value })
            });
            support::native::add_header(&mut headers, &[0xff, 0xfe], value);
            self.send_plainly(Some(headers), "3 pens").await;
        }
        odd.len()
    }

    async fn receive(&self) -> OwnedMessage {
        self.consumer.recv().await.unwrap().detach()
    }

    fn expected_consume(&self, _message: &OwnedMessage) -> ExpectedOperation {
        self.of(Class::Consume, "poll")
    }

    fn content(message: &OwnedMessage) -> Message {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).ok();
        let headers = message.headers();
        let headers = headers.iter().flat_map(|headers| headers.iter());
        let mut headers: Vec<(String, String)> = headers
            .filter_map(|header| Some((header.key.to_owned(), text(header.value?)?)))
            .collect();
        headers.sort();
        Message {
            headers,
            ..Message::new(std::str::from_utf8(message.payload().unwrap()).unwrap())
        }
    }

    async fn process(
        &self,
        message: &OwnedMessage,
        work: impl Future<Output = Result<(), OutOfStock>> + Send,
    ) -> Result<(), OutOfStock> {
        self.consumer.process(message, work).await
    }

    fn process_sync(
        &self,
        message: &OwnedMessage,
        work: impl FnOnce() -> Result<(), OutOfStock>,
    ) -> Result<(), OutOfStock> {
        self.consumer.process_sync(message, work)
    }

    fn start_process(&self, message: &OwnedMessage) -> Self::Processing {
        self.consumer.start_process(message)
    }

    fn expected_process(&self, message: &OwnedMessage) -> ExpectedOperation {
        self.of(Class::Process, "process")
            .on_span("kafka.offset", message.offset())
    }

    fn start_batch(&self, messages: &[OwnedMessage]) -> Self::Processing {
        self.consumer.start_process_batch(messages)
    }

    fn expected_batch(&self, messages: &[OwnedMessage]) -> ExpectedOperation {
        self.of(Class::Process, "process")
            .batch(messages.len().try_into().unwrap())
    }

    fn link_attributes(message: &OwnedMessage) -> Attributes {
        otelware_testing::attributes! { "kafka.offset" => message.offset() }
    }

    async fn settle(&self, message: &OwnedMessage) {
        let mut list = TopicPartitionList::new();
        let offset = Offset::Offset(message.offset() + 1);
        list.add_partition_offset(&self.name, 0, offset).unwrap();
        self.consumer.commit(&list, CommitMode::Sync).unwrap();
    }

    fn expected_settle(&self, _message: &OwnedMessage) -> ExpectedOperation {
        self.of(Class::Settle, "commit")
    }
}

otelware_testing::messaging_suite!(Topic);
