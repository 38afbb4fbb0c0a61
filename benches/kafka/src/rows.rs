//! What is measured.

use std::time::Duration;

use otelware::propagation::CompositePropagator;
use otelware_rdkafka::KafkaOptions;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::Error;
use crate::allocator::{self, Allocations};
use crate::floor::Floor;
use crate::providers::{meters, tracers};

pub(crate) const TOPIC: &str = "orders";
const GROUP: &str = "billing";

/// Messages that are sent before they are processed: the mock keeps no more than some megabytes.
const BATCH: u64 = 1_000;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// rdkafka alone.
    Plain,
    /// With one header of the length of `traceparent`, written and looked up: what propagation takes in librdkafka.
    Header,
    FloorSampledOut,
    FloorRecorded,
    NoProvider,
    SampledOut,
    Recorded,
}

impl Row {
    pub(crate) const ALL: [Self; 7] = [
        Self::Plain,
        Self::Header,
        Self::FloorSampledOut,
        Self::FloorRecorded,
        Self::NoProvider,
        Self::SampledOut,
        Self::Recorded,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain rdkafka",
            Self::Header => "plain rdkafka, one header",
            Self::FloorSampledOut => "floor, sampled out",
            Self::FloorRecorded => "floor, recorded",
            Self::NoProvider => "otelware-rdkafka, no provider",
            Self::SampledOut => "otelware-rdkafka, sampled out",
            Self::Recorded => "otelware-rdkafka, recorded",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.name() == name)
    }
}

fn options(sampled: bool) -> KafkaOptions {
    let options = KafkaOptions::new()
        .with_tracer_provider(tracers(sampled))
        .with_meter_provider(meters())
        .with_propagator(CompositePropagator::default());
    if sampled {
        options
    } else {
        // As `otelware::init` has it where the sampler looks at no attributes.
        options.with_late_attributes()
    }
}

/// Produces and processes so many messages, and tells what Rust's code allocated.
pub(crate) fn run(row: Row, count: u64) -> Result<Allocations, Error> {
    let cluster = MockCluster::new(1)?;
    cluster.create_topic(TOPIC, 1, 1)?;
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap_servers());
    let mut consuming = config.clone();
    consuming
        .set("group.id", GROUP)
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10");
    let broker = Broker {
        producing: config,
        consuming,
        count,
    };
    match row {
        Row::Plain => broker.plain(),
        Row::Header => broker.header(),
        Row::FloorSampledOut => broker.floor(&Floor::new(false, &tracers(false), &meters())),
        Row::FloorRecorded => broker.floor(&Floor::new(true, &tracers(true), &meters())),
        Row::NoProvider => broker.observed(&KafkaOptions::new()),
        Row::SampledOut => broker.observed(&options(false)),
        Row::Recorded => broker.observed(&options(true)),
    }
}

struct Broker {
    producing: ClientConfig,
    consuming: ClientConfig,
    count: u64,
}

/// Sends and processes the messages, batch by batch.
fn all(
    count: u64,
    send: impl Fn(BaseRecord<'_, str, [u8]>) -> Result<(), Error>,
    flush: impl Fn() -> Result<(), Error>,
    receive: impl Fn() -> Result<u64, Error>,
) -> Result<Allocations, Error> {
    let payload = [7_u8; 1_024];
    let before = allocator::of_all_threads();
    let mut sent = 0;
    while sent < count {
        let batch = BATCH.min(count - sent);
        for _ in 0..batch {
            send(BaseRecord::to(TOPIC).payload(&payload[..]).partition(0))?;
        }
        flush()?;
        let mut received = 0;
        while received < batch {
            received += receive()?;
        }
        sent += batch;
    }
    Ok(allocator::of_all_threads() - before)
}

fn beginning() -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, 0, Offset::Beginning)?;
    Ok(list)
}

fn handle(message: &impl Message) {
    std::hint::black_box(message.payload());
}

const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(100);

impl Broker {
    fn plain(&self) -> Result<Allocations, Error> {
        self.with(
            |record| record,
            |message| {
                handle(message);
                Ok(())
            },
        )
    }

    fn header(&self) -> Result<Allocations, Error> {
        let value = "00-00000000000000000000000000000001-0000000000000001-00";
        self.with(
            |record| {
                let header = Header {
                    key: "traceparent",
                    value: Some(value),
                };
                record.headers(OwnedHeaders::new().insert(header))
            },
            |message| {
                let header = message.headers().and_then(|headers| headers.try_get(0));
                handle(message);
                match header {
                    Some(header) if header.value == Some(value.as_bytes()) => Ok(()),
                    _ => Err("the header is lost".into()),
                }
            },
        )
    }

    fn floor(&self, floor: &Floor) -> Result<Allocations, Error> {
        use rdkafka::consumer::{BaseConsumer, Consumer};
        let producer: rdkafka::producer::BaseProducer<crate::floor::Ends> =
            self.producing.create_with_context(floor.ends())?;
        let consumer: BaseConsumer = self.consuming.create()?;
        consumer.assign(&beginning()?)?;
        all(
            self.count,
            |record| {
                Ok(producer
                    .send(floor.begin(record))
                    .map_err(|(error, _)| error)?)
            },
            || Ok(producer.flush(PATIENCE)?),
            || match consumer.poll(MOMENT) {
                Some(message) => {
                    let message = message?;
                    floor.process(&message, || handle(&message));
                    Ok(1)
                }
                None => Ok(0),
            },
        )
    }

    fn with(
        &self,
        make: impl for<'a> Fn(BaseRecord<'a, str, [u8]>) -> BaseRecord<'a, str, [u8]>,
        process: impl Fn(&rdkafka::message::BorrowedMessage<'_>) -> Result<(), Error>,
    ) -> Result<Allocations, Error> {
        use rdkafka::consumer::{BaseConsumer, Consumer};
        let producer: rdkafka::producer::BaseProducer = self.producing.create()?;
        let consumer: BaseConsumer = self.consuming.create()?;
        consumer.assign(&beginning()?)?;
        all(
            self.count,
            |record| Ok(producer.send(make(record)).map_err(|(error, _)| error)?),
            || Ok(producer.flush(PATIENCE)?),
            || match consumer.poll(MOMENT) {
                Some(message) => process(&message?).map(|()| 1),
                None => Ok(0),
            },
        )
    }

    fn observed(&self, options: &KafkaOptions) -> Result<Allocations, Error> {
        use otelware_rdkafka::consumer::{BaseConsumer, Consumer};
        let producer: otelware_rdkafka::producer::BaseProducer = options.create(&self.producing)?;
        let consumer: BaseConsumer = options.create(&self.consuming)?;
        consumer.assign(&beginning()?)?;
        all(
            self.count,
            |record| Ok(producer.send(record).map_err(|(error, _)| error)?),
            || Ok(producer.flush(PATIENCE)?),
            || match consumer.poll(MOMENT) {
                Some(message) => {
                    let message = message?;
                    consumer.process_sync(&message, || {
                        handle(&message);
                        Ok::<_, Error>(())
                    })?;
                    Ok(1)
                }
                None => Ok(0),
            },
        )
    }
}
