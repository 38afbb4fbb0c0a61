//! Metrics that are collected while messages come.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use otelware_lapin::otelware::opentelemetry::metrics::MeterProvider;
use otelware_testing::Capture;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::*;

/// How long the collection waits for a delivery to be handed over, which waits for the collection.
const MEANWHILE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_first_delivery_and_the_collection_do_not_wait_for_each_other() {
    let telemetry = Capture::new();
    let (tell_collecting, collecting) = mpsc::channel();
    let (tell_consumed, consumed) = mpsc::channel::<()>();
    let consumed = std::sync::Mutex::new(consumed);
    let _first = telemetry
        .meter_provider()
        .meter("mine")
        .u64_observable_gauge("mine")
        .with_callback(move |_| {
            // Nobody hears of any but the first time.
            let _unheard = tell_collecting.send(());
            let _unsaid = consumed.lock().unwrap().recv_timeout(MEANWHILE);
        })
        .build();
    let connection = connect(options(&telemetry)).await;
    let channel = connection.create_channel().await.unwrap();
    let shop = Shop {
        telemetry,
        connection,
        channel,
    };
    let queue = shop.queue("collecting").await;
    let _unasked = shop.publish(&queue, "hello").await;
    let mut consumer = shop.consume(&queue).await;

    let (telemetry, (tell_collected, collected)) = (shop.telemetry.clone(), mpsc::channel());
    thread::spawn(move || tell_collected.send(telemetry.metrics().len()));
    collecting.recv_timeout(PATIENCE).unwrap();
    let (tell_delivery, delivered) = mpsc::channel();
    let consuming = tokio::runtime::Handle::current();
    thread::spawn(move || {
        let delivery = consuming.block_on(consumer.next()).unwrap().unwrap();
        let _unasked = tell_consumed.send(());
        let told = tell_delivery.send((delivery.data.clone(), consumer, delivery));
        told.is_ok()
    });
    let wait = tokio::task::spawn_blocking(move || {
        let collected = collected.recv_timeout(PATIENCE).expect("metrics come");
        let delivered = delivered.recv_timeout(PATIENCE).expect("the message comes");
        (collected, delivered)
    });
    let (collected, (data, _consumer, _delivery)) = wait.await.unwrap();
    assert!(collected > 0);
    assert_eq!(data, b"hello");
    let unacknowledged = unacknowledged(&queue, 1);
    shop.telemetry
        .metric("otelware.rabbitmq.unacknowledged_deliveries")
        .assert(unacknowledged);
}
