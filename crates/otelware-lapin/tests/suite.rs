//! The suite of messaging, on RabbitMQ.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, ByteArray, FieldArray, FieldTable, ShortString};
use otelware_lapin::message::Delivery;
use otelware_lapin::otelware::semconv::SCHEMA_URL;
use otelware_lapin::{AmqpOptions, Channel, Connection, Consumer};
use otelware_testing::suites::messaging::{
    Broker, Class, ExpectedOperation, Message, MessagingUnderTest, OutOfStock, Setup,
};
use otelware_testing::{Attributes, Scope};
use support::{connect, consume, server, unique};
use tokio::sync::Mutex;

/// A queue, by the default exchange.
struct Rabbit {
    connection: Connection,
    /// In confirm mode.
    channel: Channel,
    /// Of lapin itself.
    unseen: lapin::Channel,
    consumer: Mutex<Consumer>,
    queue: ShortString,
    /// An exchange that there is not.
    nowhere: ShortString,
}

fn properties(message: &Message) -> BasicProperties {
    let properties = BasicProperties::default();
    if message.headers.is_empty() {
        return properties;
    }
    let mut table = FieldTable::default();
    for (name, value) in &message.headers {
        let value = AMQPValue::LongString(value.as_str().into());
        table.insert(name.as_str().into(), value);
    }
    properties.with_headers(table)
}

impl Rabbit {
    async fn send_plainly(&self, properties: BasicProperties, body: &str) {
        let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
        let body = body.as_bytes();
        let queue = self.queue.clone();
        let publishing = self
            .unseen
            .basic_publish(exchange, queue, options, body, properties);
        publishing.await.unwrap().await.unwrap();
    }

    /// What is known of a delivery.
    fn of(&self, class: Class, verb: &'static str, delivery: &Delivery) -> ExpectedOperation {
        let tag = i64::try_from(delivery.delivery_tag).unwrap();
        ExpectedOperation::new(class, verb, self.queue.as_str())
            .on_span("rabbitmq.message.delivery_tag", tag)
    }
}

impl MessagingUnderTest for Rabbit {
    type Sent = ();
    type Message = Delivery;

    otelware_testing::messaging_processing!(otelware_lapin::otelware);

    async fn connect(setup: &Setup) -> Self {
        let options = otelware_testing::messaging_options!(
            AmqpOptions::new(),
            setup,
            otelware_lapin::otelware
        );
        let connection = connect(options).await;
        let channel = connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        let unseen = connection.inner().create_channel().await.unwrap();
        let queue: ShortString = unique("suite").into();
        let declare = lapin::options::QueueDeclareOptions {
            exclusive: true,
            ..Default::default()
        };
        let declared = channel.queue_declare(queue.clone(), declare, FieldTable::default());
        declared.await.unwrap();
        Self {
            consumer: consume(&channel, &queue).await.into(),
            connection,
            channel,
            unseen,
            queue,
            nowhere: unique("nowhere").into(),
        }
    }

    fn broker(&self) -> Broker {
        let known: Attributes = server()
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let port = known["server.port"].as_int().unwrap();
        Broker {
            scope: Scope::new("otelware-lapin", env!("CARGO_PKG_VERSION"), SCHEMA_URL),
            system: "rabbitmq",
            address: known["server.address"].as_str().map(str::to_owned),
            port: Some(port.try_into().unwrap()),
        }
    }

    async fn send(&self, message: &Message) {
        let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
        let (queue, body) = (self.queue.clone(), message.body.as_bytes());
        let publishing =
            self.channel
                .basic_publish(exchange, queue, options, body, properties(message));
        publishing.await.unwrap().await.unwrap();
    }

    fn expected_send(&self, (): &()) -> ExpectedOperation {
        ExpectedOperation::new(Class::Send, "publish", self.queue.as_str())
            .on_span("rabbitmq.destination.routing_key", self.queue.as_str())
    }

    async fn send_in_vain(&self, message: &Message) -> String {
        // The broker closes the channel for it.
        let channel = self.connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        let (options, body) = (BasicPublishOptions::default(), message.body.as_bytes());
        let (exchange, key) = (self.nowhere.clone(), "new".into());
        let publishing = channel.basic_publish(exchange, key, options, body, properties(message));
        publishing.await.unwrap().await.unwrap_err().to_string()
    }

    fn expected_send_in_vain(&self) -> ExpectedOperation {
        let destination = format!("{}:new", self.nowhere);
        ExpectedOperation::new(Class::Send, "publish", destination)
            .on_span("rabbitmq.destination.routing_key", "new")
            .fails("not_found")
    }

    async fn send_unseen(&self, message: &Message) {
        self.send_plainly(properties(message), &message.body).await;
    }

    async fn send_foreign(&self) -> usize {
        let odd = [
            AMQPValue::Void,
            AMQPValue::Boolean(true),
            AMQPValue::LongLongInt(7),
            AMQPValue::Double(0.5),
            AMQPValue::Timestamp(7),
            AMQPValue::LongString(vec![0xff, 0xfe].into()),
            AMQPValue::ByteArray(ByteArray::from(&[0xff, 0xfe][..])),
            AMQPValue::FieldTable(FieldTable::default()),
            AMQPValue::FieldArray(FieldArray::default()),
            AMQPValue::FieldArray(vec![AMQPValue::Void].into()),
        ];
        let count = odd.len();
        for value in odd {
            let table = support::headers(
                ["traceparent", "tracestate", "baggage"].map(|name| (name, value.clone())),
            );
            let properties = BasicProperties::default().with_headers(table);
            self.send_plainly(properties, "3 pens").await;
        }
        count
    }

    async fn receive(&self) -> Delivery {
        let mut consumer = self.consumer.lock().await;
        consumer.next().await.unwrap().unwrap()
    }

    fn expected_consume(&self, _delivery: &Delivery) -> ExpectedOperation {
        ExpectedOperation::new(Class::Consume, "consume", self.queue.as_str())
    }

    fn content(delivery: &Delivery) -> Message {
        let text = |value: &AMQPValue| match value {
            AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
            _ => None,
        };
        let headers = delivery.properties.headers().iter();
        let headers = headers.flat_map(|table| table.inner());
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), text(value)?)));
        Message {
            // A table is sorted.
            headers: headers.collect(),
            ..Message::new(std::str::from_utf8(&delivery.data).unwrap())
        }
    }

    async fn process(
        &self,
        delivery: &Delivery,
        work: impl Future<Output = Result<(), OutOfStock>> + Send,
    ) -> Result<(), OutOfStock> {
        delivery.process(work).await
    }

    fn process_sync(
        &self,
        delivery: &Delivery,
        work: impl FnOnce() -> Result<(), OutOfStock>,
    ) -> Result<(), OutOfStock> {
        delivery.process_sync(work)
    }

    fn start_process(&self, delivery: &Delivery) -> Self::Processing {
        delivery.start_process()
    }

    fn expected_process(&self, delivery: &Delivery) -> ExpectedOperation {
        self.of(Class::Process, "process", delivery)
            .on_span("rabbitmq.destination.routing_key", self.queue.as_str())
    }

    fn start_batch(&self, deliveries: &[Delivery]) -> Self::Processing {
        self.channel.start_process_batch(deliveries)
    }

    fn expected_batch(&self, deliveries: &[Delivery]) -> ExpectedOperation {
        ExpectedOperation::new(Class::Process, "process", self.queue.as_str())
            .batch(deliveries.len().try_into().unwrap())
    }

    fn link_attributes(delivery: &Delivery) -> Attributes {
        otelware_testing::attributes! {
            "rabbitmq.destination.routing_key" => delivery.routing_key.as_str(),
            "rabbitmq.message.delivery_tag" => i64::try_from(delivery.delivery_tag).unwrap(),
        }
    }

    async fn settle(&self, delivery: &Delivery) {
        assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
    }

    fn expected_settle(&self, delivery: &Delivery) -> ExpectedOperation {
        self.of(Class::Settle, "ack", delivery)
    }
}

// Not `late`: a confirm says nothing of its message.
otelware_testing::messaging_suite!(Rabbit:
    sends, processing, counts, contexts, forwards, batches, settlements
);
