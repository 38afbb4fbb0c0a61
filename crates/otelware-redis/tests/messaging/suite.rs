//! The suite of messaging, on streams. Entries are sent, received and settled by commands, which leave
//! what commands leave.

use crate::support::Shared;
use otelware_redis::otelware::semconv::SCHEMA_URL;
use otelware_redis::streams::StreamConsumer;
use otelware_redis::{ConsumerOptions, Instrument, RedisOptions};
use otelware_testing::suites::messaging::{
    Broker, Class, ExpectedOperation, Message, MessagingUnderTest, OutOfStock, Setup, not_there,
};
use otelware_testing::{Attributes, Scope};
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, Cmd, Value};

const GROUP: &str = "billing";
const CONSUMER: &str = "worker-1";
const BODY: &str = "body";

/// A stream and a group that reads it.
struct Stream {
    /// Adds entries with the context of what adds them.
    observed: otelware_redis::aio::MultiplexedConnection,
    /// Adds and reads entries as they are.
    plain: MultiplexedConnection,
    consumer: StreamConsumer,
    key: String,
    _keys: Shared,
}

impl Stream {
    /// The command that adds an entry with these fields.
    fn adding(&self, fields: &[(String, Vec<u8>)]) -> Cmd {
        let mut command = redis::cmd("XADD");
        command.arg(&self.key).arg("*");
        for (name, value) in fields {
            command.arg(name).arg(value);
        }
        command
    }

    async fn add_plainly(&self, fields: &[(String, Vec<u8>)]) {
        let mut plain = self.plain.clone();
        let adding = self.adding(fields);
        adding.exec_async(&mut plain).await.unwrap();
    }

    fn of(&self, class: Class) -> ExpectedOperation {
        let expected = ExpectedOperation::new(class, "process", &*self.key)
            .on_both("messaging.consumer.group.name", GROUP);
        match class {
            Class::Consume => expected,
            _ => expected.on_span("messaging.client.id", CONSUMER),
        }
    }
}

fn fields(message: &Message) -> Vec<(String, Vec<u8>)> {
    let bytes = |(name, value): &(String, String)| (name.clone(), value.clone().into_bytes());
    let mut fields: Vec<_> = message.headers.iter().map(bytes).collect();
    fields.push((BODY.to_owned(), message.body.clone().into_bytes()));
    fields
}

impl MessagingUnderTest for Stream {
    type Sent = ();
    type Message = StreamId;

    otelware_testing::messaging_processing!(otelware_redis::otelware);

    async fn connect(setup: &Setup) -> Self {
        let keys = Shared::new();
        let key = keys.key("orders");
        // Commands have options of their own: they are told where telemetry goes.
        let mut commands = RedisOptions::new().with_stream_context();
        if let Some(telemetry) = &setup.telemetry {
            commands = commands
                .with_tracer_provider(telemetry.tracer_provider())
                .with_meter_provider(telemetry.meter_provider());
        }
        if let Some(propagator) = setup.propagator.clone() {
            commands = commands.with_propagator(propagator);
        }
        let client = redis::Client::open(keys.url()).unwrap();
        let mut plain = client.get_multiplexed_async_connection().await.unwrap();
        let group = plain.xgroup_create_mkstream(&key, GROUP, 0);
        let _: Value = group.await.unwrap();
        let options = otelware_testing::messaging_options!(
            ConsumerOptions::new(client.get_connection_info()),
            setup,
            otelware_redis::otelware
        );
        let client = client.instrument_with(commands);
        let observed = client.get_multiplexed_async_connection().await.unwrap();
        Self {
            observed,
            plain,
            consumer: options.stream_consumer(GROUP, CONSUMER),
            key,
            _keys: keys,
        }
    }

    fn broker(&self) -> Broker {
        Broker {
            scope: Scope::new("otelware-redis", env!("CARGO_PKG_VERSION"), SCHEMA_URL),
            system: "redis",
            address: Some("127.0.0.1".to_owned()),
            port: Some(6_379),
        }
    }

    async fn send(&self, message: &Message) {
        let mut observed = self.observed.clone();
        let adding = self.adding(&fields(message));
        adding.exec_async(&mut observed).await.unwrap();
    }

    fn expected_send(&self, (): &()) -> ExpectedOperation {
        not_there("sending")
    }

    async fn send_in_vain(&self, _message: &Message) -> String {
        not_there("sending")
    }

    fn expected_send_in_vain(&self) -> ExpectedOperation {
        not_there("sending")
    }

    async fn send_unseen(&self, message: &Message) {
        self.add_plainly(&fields(message)).await;
    }

    async fn send_foreign(&self) -> usize {
        let odd = [Vec::new(), vec![0xff, 0xfe], vec![0]];
        for value in &odd {
            let names = ["traceparent", "tracestate", "baggage", "\u{0}"];
            let all = names.map(|name| (name.to_owned(), value.clone()));
            self.add_plainly(&all).await;
        }
        odd.len()
    }

    async fn receive(&self) -> StreamId {
        let mut plain = self.plain.clone();
        let options = StreamReadOptions::default().group(GROUP, CONSUMER).count(1);
        let keys = [&self.key];
        loop {
            let reading = plain.xread_options(&keys, &[">"], &options);
            let reply: Option<StreamReadReply> = reading.await.unwrap();
            let streams = reply.unwrap_or_default().keys.into_iter();
            if let Some(entry) = streams.flat_map(|stream| stream.ids).next() {
                return entry;
            }
        }
    }

    fn expected_consume(&self, _entry: &StreamId) -> ExpectedOperation {
        self.of(Class::Consume)
    }

    fn content(entry: &StreamId) -> Message {
        let text = |value: &Value| match value {
            Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        };
        let texts = entry.map.iter();
        let texts = texts.filter_map(|(name, value)| Some((name.clone(), text(value)?)));
        let (body, mut headers): (Vec<_>, Vec<_>) = texts.partition(|(name, _)| name == BODY);
        headers.sort();
        Message {
            headers,
            ..Message::new(&body[0].1)
        }
    }

    /// All names and values.
    fn body_size(message: &Message) -> usize {
        let headers = message.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        headers + BODY.len() + message.body.len()
    }

    async fn process(
        &self,
        entry: &StreamId,
        work: impl Future<Output = Result<(), OutOfStock>> + Send,
    ) -> Result<(), OutOfStock> {
        self.consumer.process(&self.key, entry, work).await
    }

    fn process_sync(
        &self,
        entry: &StreamId,
        work: impl FnOnce() -> Result<(), OutOfStock>,
    ) -> Result<(), OutOfStock> {
        self.consumer.process_sync(&self.key, entry, work)
    }

    fn start_process(&self, entry: &StreamId) -> Self::Processing {
        self.consumer.start_process(&self.key, entry)
    }

    fn expected_process(&self, entry: &StreamId) -> ExpectedOperation {
        self.of(Class::Process)
            .on_span("messaging.message.id", &*entry.id)
    }

    fn start_batch(&self, entries: &[StreamId]) -> Self::Processing {
        self.consumer.start_process_batch(&self.key, entries)
    }

    fn expected_batch(&self, entries: &[StreamId]) -> ExpectedOperation {
        self.of(Class::Process)
            .batch(entries.len().try_into().unwrap())
    }

    fn link_attributes(entry: &StreamId) -> Attributes {
        otelware_testing::attributes! { "messaging.message.id" => &*entry.id }
    }

    async fn settle(&self, _entry: &StreamId) {
        not_there("settling")
    }

    fn expected_settle(&self, _entry: &StreamId) -> ExpectedOperation {
        not_there("settling")
    }
}

otelware_testing::messaging_suite!(Stream: processing, counts, contexts, batches);
