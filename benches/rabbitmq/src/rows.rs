//! What is measured.

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, ConnectionProperties};
use otelware::propagation::CompositePropagator;
use otelware_lapin::{AmqpOptions, Instrument};
use tokio::runtime::Runtime;

use crate::Error;
use crate::allocator::{self, Allocations};
use crate::providers::{meters, tracers};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// lapin alone.
    Plain,
    /// With one header of the length of `traceparent`, written and looked up: what propagation takes in lapin.
    Header,
    NoProvider,
    SampledOut,
    Recorded,
}

impl Row {
    pub(crate) const ALL: [Self; 5] = [
        Self::Plain,
        Self::Header,
        Self::NoProvider,
        Self::SampledOut,
        Self::Recorded,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain lapin",
            Self::Header => "plain lapin, one header",
            Self::NoProvider => "otelware-lapin, no provider",
            Self::SampledOut => "otelware-lapin, sampled out",
            Self::Recorded => "otelware-lapin, recorded",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.name() == name)
    }
}

fn options(sampled: bool) -> AmqpOptions {
    let options = AmqpOptions::new()
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

fn url() -> String {
    let loopback = || "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned();
    std::env::var("AMQP_URL").unwrap_or_else(|_| loopback())
}

/// Sends so many messages to and fro, and tells what the calling thread allocated.
pub(crate) fn run(confirms: Confirms, row: Row, count: u64) -> Result<Allocations, Error> {
    let bench = Bench::open(confirms, count)?;
    let allocations = match row {
        Row::Plain => bench.plain(false),
        Row::Header => bench.plain(true),
        Row::NoProvider => bench.observed(AmqpOptions::new()),
        Row::SampledOut => bench.observed(options(false)),
        Row::Recorded => bench.observed(options(true)),
    }?;
    bench.close()?;
    Ok(allocations)
}

/// What callgrind counts: this and what it calls.
#[inline(never)]
fn measured_section<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    std::hint::black_box(runtime.block_on(future))
}

fn measure(
    runtime: &Runtime,
    future: impl Future<Output = Result<(), Error>>,
) -> Result<Allocations, Error> {
    let before = allocator::of_this_thread();
    measured_section(runtime, future)?;
    Ok(allocator::of_this_thread() - before)
}

fn handle(body: &[u8]) -> Result<(), Error> {
    std::hint::black_box(body);
    Ok(())
}

const END: &str = "the consumer ended";
const VALUE: &str = "00-00000000000000000000000000000001-0000000000000001-00";

/// How the broker confirms what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirms {
    OneByOne,
    /// So many messages are published, and then confirmed.
    Batched,
    None,
}

impl Confirms {
    pub(crate) const ALL: [Self; 3] = [Self::OneByOne, Self::Batched, Self::None];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OneByOne => "confirmed one by one",
            Self::Batched => "confirmed in batches of 100",
            Self::None => "not confirmed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|confirms| confirms.name() == name)
    }

    /// How many messages are published before they are processed.
    const fn batch(self) -> u64 {
        match self {
            Self::OneByOne => 1,
            Self::Batched | Self::None => 100,
        }
    }
}

/// Publishes messages, takes their confirms, receives, processes and acknowledges them, batch by batch.
macro_rules! to_and_fro {
    ($bench:expr, $channel:expr, $consumer:expr, $properties:expr, $process:expr) => {
        async {
            let payload = vec![7; 1_024];
            let batch = $bench.confirms.batch();
            let mut pending = Vec::new();
            for _ in 0..$bench.count / batch {
                for _ in 0..batch {
                    let (exchange, options) =
                        (ShortString::default(), BasicPublishOptions::default());
                    let queue = $bench.queue.clone();
                    let publishing =
                        $channel.basic_publish(exchange, queue, options, &payload, $properties());
                    pending.push(publishing.await?);
                }
                for confirm in pending.drain(..) {
                    confirm.await?;
                }
                for _ in 0..batch {
                    let delivery = $consumer.next().await.ok_or(END)??;
                    $process(&delivery).await?;
                    delivery.ack(BasicAckOptions::default()).await?;
                }
            }
            Ok(())
        }
    };
}

/// A connection and what is to be sent over it.
struct Bench {
    runtime: Runtime,
    connection: lapin::Connection,
    queue: ShortString,
    confirms: Confirms,
    count: u64,
}

impl Bench {
    fn open(confirms: Confirms, count: u64) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = url();
        let connecting = lapin::Connection::connect(&url, ConnectionProperties::default());
        let connection = runtime.block_on(connecting).map_err(|error| {
            format!("no RabbitMQ ({error}); start it: scripts/services rabbitmq")
        })?;
        Ok(Self {
            runtime,
            connection,
            queue: format!("otelware-bench-{}", std::process::id()).into(),
            confirms,
            count,
        })
    }

    fn close(self) -> Result<(), Error> {
        Ok(self
            .runtime
            .block_on(self.connection.close(200, "done".into()))?)
    }

    async fn channel(&self) -> Result<lapin::Channel, Error> {
        let channel = self.connection.create_channel().await?;
        if self.confirms != Confirms::None {
            channel.confirm_select(Default::default()).await?;
        }
        let exclusive = QueueDeclareOptions::exclusive();
        let declaring = channel.queue_declare(self.queue.clone(), exclusive, FieldTable::default());
        declaring.await?;
        Ok(channel)
    }

    /// lapin alone.
    fn plain(&self, has_header: bool) -> Result<Allocations, Error> {
        let channel = self.runtime.block_on(self.channel())?;
        let consuming = channel.basic_consume(
            self.queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = self.runtime.block_on(consuming)?;
        let properties = || {
            let properties = BasicProperties::default();
            if !has_header {
                return properties;
            }
            let mut headers = FieldTable::default();
            headers.insert("traceparent".into(), AMQPValue::LongString(VALUE.into()));
            properties.with_headers(headers)
        };
        let process = async |delivery: &lapin::message::Delivery| {
            if has_header {
                let headers = delivery.properties.headers().as_ref();
                match headers.and_then(|headers| headers.inner().get("traceparent")) {
                    Some(AMQPValue::LongString(value)) if value.as_bytes() == VALUE.as_bytes() => {}
                    _ => return Err("the header is lost".into()),
                }
            }
            handle(&delivery.data)
        };
        let all = to_and_fro!(self, channel, consumer, properties, process);
        measure(&self.runtime, all)
    }

    fn observed(&self, options: AmqpOptions) -> Result<Allocations, Error> {
        let channel = self.runtime.block_on(self.channel())?;
        let channel = channel.instrument_with(options.with_server("127.0.0.1", 5_672));
        let consuming = channel.basic_consume(
            self.queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = self.runtime.block_on(consuming)?;
        let process = async |delivery: &otelware_lapin::message::Delivery| {
            delivery.process(async { handle(&delivery.data) }).await
        };
        let all = to_and_fro!(self, channel, consumer, BasicProperties::default, process);
        measure(&self.runtime, all)
    }
}
