//! The same code on lapin and on otelware's types, of which only the name of the crate differs: with
//! the same results, and with spans of all that it does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::duplicate_mod,
    reason = "to be compiled twice is what it is for"
)]

mod with_lapin;
mod with_otelware;

use otelware_lapin::{AmqpOptions, ConnectionProperties};
use otelware_testing::Capture;

fn url() -> String {
    let loopback = || "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned();
    std::env::var("AMQP_URL").unwrap_or_else(|_| loopback())
}

fn exchange(name: &str) -> String {
    format!("otelware-user-code-{name}-{}", std::process::id())
}

#[tokio::test]
async fn both_do_the_same() {
    let name = exchange("lapin");
    let connection = with_lapin::shop::connect(&url()).await.unwrap();
    let on_lapin = with_lapin::shop::scenario(&connection, &name)
        .await
        .unwrap();

    // Whoever takes the defaults changes nothing here either.
    let name = exchange("defaults");
    let plain = with_otelware::shop::connect(&url()).await.unwrap();
    let by_default = with_otelware::shop::scenario(&plain, &name).await.unwrap();

    let name = exchange("otelware");
    let telemetry = Capture::new();
    let connection = otelware_lapin::Connection::connect_with(
        &url(),
        ConnectionProperties::default(),
        AmqpOptions::new()
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider())
            .with_propagator(otelware_lapin::otelware::propagation::CompositePropagator::default()),
    )
    .await
    .unwrap();
    let on_otelware = with_otelware::shop::scenario(&connection, &name)
        .await
        .unwrap();

    assert_eq!(on_lapin, on_otelware);
    assert_eq!(on_lapin, by_default);
    assert_eq!(
        on_otelware,
        [
            "published 3: ack, ack, no route",
            "by stream: pen 1, ink 2",
            "dropped confirms: 0 returned",
            "by delegate: cup, mug",
            "by trait: jug",
            "got: hat, 0 left; nothing",
            "unknown exchange: true",
        ]
    );
    telemetry.settle().await;
    let mut names: Vec<_> = telemetry
        .spans()
        .iter()
        .map(|span| span.name.replace(&name, "shop"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "ack shop:orders.new:shop-orders",
            "ack shop:orders.new:shop-orders",
            "ack shop:orders.new:shop-orders",
            "ack shop:orders.new:shop-orders",
            "ack shop:orders.new:shop-orders",
            "ack shop:orders.new:shop-orders",
            "get shop:orders.new:shop-orders",
            "process shop:orders.new:shop-orders",
            "process shop:orders.new:shop-orders",
            "process shop:orders.new:shop-orders",
            "publish shop-unknown:orders.new",
            "publish shop:nobody",
            "publish shop:orders.new",
            "publish shop:orders.new",
            "publish shop:orders.new",
            "publish shop:orders.new",
            "publish shop:orders.new",
            "publish shop:orders.new",
        ]
    );
}
