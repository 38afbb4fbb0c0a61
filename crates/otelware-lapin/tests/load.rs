//! Many messages, published and processed: nothing is lost or doubled, nothing stays in flight, and
//! memory stays as it is. `OTELWARE_LOAD_MESSAGES` says how many.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::Confirmation;
use lapin::options::{BasicAckOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::ShortString;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};
use otelware_lapin::otelware::opentelemetry::Context;
use otelware_lapin::{Channel, Connection, Consumer, PublisherConfirm};
use otelware_testing::Capture;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use support::*;
use tokio::sync::Semaphore;

/// How many messages there are, unless the environment says otherwise.
const MESSAGES: usize = 5_000;

/// How many messages are confirmed at once, where they are.
const BATCH: usize = 100;

/// How many may be published and not processed: the broker does not keep the others in memory then.
const UNDERWAY: usize = 1_000;

/// How many resident bytes there may be more than after the first tenth. A hundred bytes that are
/// kept for each of 100,000 messages would be more than that.
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

/// Counts spans when they end, by their names, and drops them.
#[derive(Clone, Debug, Default)]
struct Ended(Arc<Mutex<BTreeMap<String, usize>>>);

impl SpanProcessor for Ended {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut ended = self.0.lock().unwrap();
        *ended.entry(span.name.into_owned()).or_default() += 1;
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// How the publisher goes about confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Confirms {
    OneByOne,
    Batched,
    None,
}

fn assert_confirmed(confirmation: &Confirmation) {
    assert!(
        matches!(confirmation, Confirmation::Ack(None)),
        "{confirmation:?}"
    );
}

/// Publishes the numbers up to `count`, as many at once as there are permits.
async fn publish_all(
    channel: Channel,
    queue: ShortString,
    confirms: Confirms,
    count: usize,
    permits: Arc<Semaphore>,
) {
    let mut pending: Vec<PublisherConfirm> = Vec::with_capacity(BATCH);
    for number in 0..count {
        permits.acquire().await.unwrap().forget();
        let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
        let (queue, body) = (queue.clone(), number.to_be_bytes());
        let publishing = channel.basic_publish(exchange, queue, options, &body, Default::default());
        let confirm = publishing.await.unwrap();
        match confirms {
            Confirms::OneByOne => assert_confirmed(&confirm.await.unwrap()),
            Confirms::Batched => pending.push(confirm),
            Confirms::None => {
                assert!(matches!(confirm.await.unwrap(), Confirmation::NotRequested));
            }
        }
        if pending.len() == BATCH || number + 1 == count {
            for confirm in pending.drain(..) {
                assert_confirmed(&confirm.await.unwrap());
            }
        }
    }
}

/// Processes so many messages. Gives the resident bytes after a tenth of them.
async fn process_all(consumer: &mut Consumer, count: usize, permits: &Semaphore) -> usize {
    let mut seen = vec![false; count];
    let mut warm = 0;
    for number in 0..count {
        let delivery = consumer.next().await.unwrap().unwrap();
        let work = async {
            assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
            let body = delivery.data.as_slice().try_into().unwrap();
            Ok::<_, Infallible>(usize::from_be_bytes(body))
        };
        let which = delivery.process(work).await.unwrap();
        assert!(!std::mem::replace(&mut seen[which], true), "{which} twice");
        assert!(!delivery.redelivered, "{which}");
        permits.add_permits(1);
        if number == count / 10 {
            warm = resident_bytes();
        }
    }
    assert_eq!(seen.iter().position(|seen| !seen), None);
    warm
}

/// The connections of a publisher and of a consumer, as services have them.
async fn connections(telemetry: &Capture, spans: &Ended) -> [Connection; 2] {
    let tracers = SdkTracerProvider::builder()
        .with_span_processor(spans.clone())
        .build();
    let options = options(telemetry).with_tracer_provider(tracers);
    [connect(options.clone()).await, connect(options).await]
}

async fn load(confirms: Confirms) {
    let (telemetry, spans, count) = (Capture::new(), Ended::default(), messages());
    let [publisher, subscriber] = connections(&telemetry, &spans).await;
    // The queue is the subscriber's alone: what publishes to it need not be.
    let shop = Shop {
        channel: subscriber.create_channel().await.unwrap(),
        telemetry,
        connection: subscriber,
    };
    let queue = shop.queue("load").await;
    let qos = shop.channel.basic_qos(100, BasicQosOptions::default());
    qos.await.unwrap();
    let channel = publisher.create_channel().await.unwrap();
    if confirms != Confirms::None {
        let confirm = channel.confirm_select(Default::default());
        confirm.await.unwrap();
    }
    let mut consumer = shop.consume(&queue).await;

    let (started, permits) = (Instant::now(), Arc::new(Semaphore::new(UNDERWAY)));
    let publishing = publish_all(channel, queue.clone(), confirms, count, permits.clone());
    let publishing = tokio::spawn(publishing);
    let warm = process_all(&mut consumer, count, &permits).await;
    publishing.await.unwrap();
    let (took, grown) = (started.elapsed(), resident_bytes().saturating_sub(warm));
    eprintln!("{confirms:?}: {count} messages in {took:?}; {grown} bytes more after a tenth");

    // Published, processed and acknowledged once each, and so measured.
    let named = |verb| (format!("{verb} {queue}"), count);
    let expected = BTreeMap::from(["publish", "process", "ack"].map(named));
    assert_eq!(*spans.0.lock().unwrap(), expected);
    let all = u64::try_from(count).unwrap();
    for (name, verb) in [
        ("messaging.client.sent.messages", "publish"),
        ("messaging.client.consumed.messages", "consume"),
    ] {
        let points = vec![(measured(verb, queue.as_str()), all)];
        let metric = shop.telemetry.metric(name);
        metric.assert(counter(name, "{message}", points));
    }
    let settled = ["publish", "ack"].map(|verb| (measured(verb, queue.as_str()), all));
    let metric = shop.telemetry.metric("messaging.client.operation.duration");
    metric.assert(durations(settled.into()));
    let processed = vec![(measured("process", queue.as_str()), all)];
    let metric = shop.telemetry.metric("messaging.process.duration");
    metric.assert(processing(processed));

    // Nothing is left anywhere.
    let metric = "otelware.rabbitmq.unacknowledged_deliveries";
    let metric = shop.telemetry.metric(metric);
    metric.assert(unacknowledged(&queue, 0));
    if confirms != Confirms::None {
        let name = "otelware.rabbitmq.pending_confirms";
        let metric = shop.telemetry.metric(name);
        metric.assert(in_flight(name, "{message}", vec![(server(), 0)]));
    }
    shop.telemetry.assert_in_flight_zero();
    let left = shop.channel.queue_delete(queue, Default::default()).await;
    assert_eq!(left.unwrap(), 0);
    assert!(grown < SLACK, "{grown} bytes more than after a tenth");
}

fn alone(confirms: Confirms) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(load(confirms));
}

#[test]
fn messages_that_are_confirmed_one_by_one() {
    alone(Confirms::OneByOne);
}

#[test]
fn messages_that_are_confirmed_in_batches() {
    alone(Confirms::Batched);
}

#[test]
fn messages_that_are_not_confirmed() {
    alone(Confirms::None);
}
