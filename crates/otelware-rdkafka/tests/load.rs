//! Many messages, produced and processed at the same time: nothing is lost or doubled, nothing stays
//! in flight, and memory stays as it is. `OTELWARE_LOAD_MESSAGES` says how many.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use otelware_rdkafka::KafkaOptions;
use otelware_rdkafka::otelware::opentelemetry::Context;
use otelware_rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext,
};
use otelware_testing::Capture;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use support::broker::Kafka;
use support::expected::{and, consumed, measured_at, operations, processings, sent};
use support::{PATIENCE, options};

/// How many messages there are, unless the environment says otherwise.
const MESSAGES: usize = 20_000;

/// The bytes of each.
const SIZE: usize = 1_024;

/// How many may be produced and not processed: the mock cluster forgets what is older than some
/// megabytes.
const UNDERWAY: usize = 1_000;

/// After how many messages, or half of all, everything has the size that it keeps, the mock
/// cluster's log of five megabytes among it.
const WARM: usize = 10_000;

/// How many resident bytes there may be more than then. A hundred bytes that are kept for each of
/// 200,000 messages would be more than that.
const SLACK: usize = 8 << 20;

/// Tests that measure the process run one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn messages() -> usize {
    std::env::var("OTELWARE_LOAD_MESSAGES").map_or(MESSAGES, |count| count.parse().unwrap())
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// Counts spans when they start and when they end, by their names, and drops them.
#[derive(Clone, Debug, Default)]
struct Spans {
    started: Arc<AtomicUsize>,
    ended: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl SpanProcessor for Spans {
    fn on_start(&self, _span: &mut Span, _context: &Context) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    fn on_end(&self, span: SpanData) {
        let mut ended = self.ended.lock().unwrap();
        *ended.entry(span.name.into_owned()).or_default() += 1;
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Counts the messages that were delivered.
#[derive(Default)]
struct Delivered(AtomicUsize);

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<usize>) {
        let message = result.as_ref().map_err(|(error, _)| error).unwrap();
        // One partition and one producer: they arrive in the order in which they were sent.
        assert_eq!(message.offset(), i64::try_from(*number).unwrap());
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Produces the numbers up to `count`, and waits until all are delivered.
fn produce(producer: &BaseProducer<Delivered>, topic: &str, count: usize, processed: &AtomicUsize) {
    let mut body = vec![0; SIZE];
    for number in 0..count {
        let since = Instant::now();
        while number - processed.load(Ordering::Acquire) >= UNDERWAY {
            assert!(since.elapsed() < PATIENCE, "nobody processes {number}");
            producer.poll(Duration::from_millis(1));
        }
        body[..8].copy_from_slice(&number.to_be_bytes());
        let opaque = Box::new(number);
        let record = BaseRecord::<(), _, _>::with_opaque_to(topic, opaque).partition(0);
        let mut record = record.payload(body.as_slice());
        while let Err((error, back)) = producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full);
            producer.poll(Duration::from_millis(1));
            record = back;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(PATIENCE).unwrap();
}

/// Produces and processes all messages, and checks that there are as many more resident bytes as
/// there may be.
fn load(kafka: &Kafka, options: &KafkaOptions, topic: &str) -> [rdkafka::ClientConfig; 2] {
    let count = messages();
    let producing = kafka.config();
    let consuming = kafka.consumer_config("load");
    let producer: BaseProducer<Delivered> = options
        .create_with_context(&producing, Delivered::default())
        .unwrap();
    let consumer: otelware_rdkafka::consumer::BaseConsumer = options.create(&consuming).unwrap();
    otelware_rdkafka::consumer::Consumer::assign(
        &consumer,
        &support::broker::from_beginning(topic),
    )
    .unwrap();

    let (started, processed) = (Instant::now(), AtomicUsize::new(0));
    let (mut seen, mut warm) = (vec![false; count], 0);
    std::thread::scope(|scope| {
        scope.spawn(|| produce(&producer, topic, count, &processed));
        for number in 0..count {
            let message = consumer.poll(PATIENCE).unwrap().unwrap();
            let which = consumer.process_sync(&message, || {
                let body = message.payload().unwrap();
                assert_eq!(body.len(), SIZE);
                Ok::<_, Infallible>(usize::from_be_bytes(body[..8].try_into().unwrap()))
            });
            let which = which.unwrap();
            assert!(!std::mem::replace(&mut seen[which], true), "{which} twice");
            processed.store(number + 1, Ordering::Release);
            if number == WARM.min(count / 2) {
                warm = resident_bytes();
            }
        }
    });
    let (took, grown) = (started.elapsed(), resident_bytes().saturating_sub(warm));
    eprintln!("{count} messages in {took:?}; {grown} bytes more than when warm, {warm}");

    assert_eq!(seen.iter().position(|seen| !seen), None);
    let delivered = &producer.client().context().0;
    assert_eq!(delivered.load(Ordering::Relaxed), count);
    assert_eq!(producer.in_flight_count(), 0);
    let more = consumer.poll(Duration::from_millis(200));
    assert!(more.is_none(), "{more:?}");
    assert!(grown < SLACK, "{grown} bytes more than when warm");
    [producing, consuming]
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn messages_that_are_recorded() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (telemetry, spans, kafka) = (Capture::new(), Spans::default(), Kafka::mock());
    let topic = block_on(kafka.topic("load", 1));
    let tracers = SdkTracerProvider::builder()
        .with_span_processor(spans.clone())
        .build();
    let options = options(&telemetry).with_tracer_provider(tracers);
    let [producing, consuming] = load(&kafka, &options, &topic);

    // Sent and processed once each, and so measured; none is open.
    let count = messages();
    let ended = ["send", "process"].map(|verb| (format!("{verb} {topic}"), count));
    assert_eq!(*spans.ended.lock().unwrap(), BTreeMap::from(ended));
    assert_eq!(spans.started.load(Ordering::Relaxed), 2 * count);
    let all = u64::try_from(count).unwrap();
    let of = |config, verb| measured_at(config, verb, &topic, "0");
    let series = of(&producing, "send");
    let metric = telemetry.metric("messaging.client.sent.messages");
    metric.assert(sent().point(series.clone(), all));
    let metric = telemetry.metric("messaging.client.operation.duration");
    metric.assert(operations().point(and(series, "messaging.operation.type", "send"), all));
    let metric = telemetry.metric("messaging.client.consumed.messages");
    metric.assert(consumed().point(of(&consuming, "poll"), all));
    let metric = telemetry.metric("messaging.process.duration");
    metric.assert(processings().point(of(&consuming, "process"), all));
}

#[test]
fn messages_that_nobody_wants_to_know_of() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let kafka = Kafka::mock();
    let topic = block_on(kafka.topic("load", 1));
    load(&kafka, &KafkaOptions::new(), &topic);
}
