//! Many orders: no span is lost, nothing stays in flight, and memory stays as it is.
//!
//! `OTELWARE_LOAD_SECONDS` says for how long, `OTELWARE_LOAD_RATE` how many orders there are per second.

use std::collections::BTreeMap;
use std::time::Duration;

use otelware_testing::otlp::{OtlpReceiver, Received};

use crate::metrics::LastSums;
use crate::printed;
use crate::shop::Shop;
use crate::traces::service;

/// What a build without optimisations does beside what else runs on a small machine.
const SECONDS: f64 = 8.0;
const RATE: f64 = 25.0;

/// How many KiB a service may have more at the end than when a quarter of the orders was placed: less than a hundred
/// bytes for each span of the long run.
const SLACK: u64 = 8 << 10;

fn variable(name: &str, default: f64) -> f64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// How many orders the customer has been answered, as far as it was received.
fn answered(received: &Received) -> usize {
    let spans = received.spans().into_iter();
    spans.filter(|span| span.name == "place order").count()
}

fn spans_by_service(received: &Received) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for resource in (received.traces.iter()).flat_map(|export| &export.resource_spans) {
        let spans = resource.scope_spans.iter().map(|scope| scope.spans.len());
        *counts
            .entry(service(resource.resource.as_ref()))
            .or_default() += spans.sum::<usize>();
    }
    counts
}

#[test]
fn nothing_is_lost_and_nothing_grows() {
    let seconds = variable("OTELWARE_LOAD_SECONDS", SECONDS);
    let rate = variable("OTELWARE_LOAD_RATE", RATE);
    let orders = (seconds * rate) as usize;
    let receiver = OtlpReceiver::grpc();
    let arguments = ["--orders", &orders.to_string(), "--rate", &rate.to_string()];
    let shop = Shop::open_to(receiver.address(), &arguments, &[])
        .patience(Duration::from_secs_f64(seconds + 60.0));
    let so_many = |count| move |received: &Received| (answered(received) >= count).then_some(());
    shop.wait_for("a quarter of the orders", &receiver, so_many(orders / 4));
    let early = shop.memory();
    shop.wait_for("all orders", &receiver, so_many(orders));
    let late = shop.memory();
    let ended = shop.end().assert_success();

    let accounts = printed::accounts(&ended.stdout);
    let received = receiver.look(spans_by_service);
    eprintln!("service        exported  received  failed  dropped  KiB early    at end");
    for (service, account) in &accounts {
        let (early, late) = (early.get(*service), late.get(*service));
        eprintln!(
            "{service:12} {:10} {:9} {:7} {:8} {:10} {:9}",
            account.exported,
            received.get(*service).copied().unwrap_or_default(),
            account.failed,
            account.dropped,
            early.copied().unwrap_or_default(),
            late.copied().unwrap_or_default(),
        );
    }
    eprintln!("{}", ended.stdout.lines().rev().nth(1).unwrap());

    for (service, account) in &accounts {
        let count = match *service {
            "all" => received.values().sum(),
            service => received[service],
        };
        assert_eq!((account.failed, account.dropped), (0, 0), "{service}");
        assert_eq!(count, account.exported, "{service}");
    }
    for (service, late) in &late {
        assert!(*late <= early[service] + SLACK, "{service} grows");
    }
    let sums = receiver.look(LastSums::of);
    sums.assert_nothing_in_flight();
    let placed = sums.count("shop.orders", "shop.order.outcome=placed");
    let notified = sums.count("shop.notifications", "shop.notification.outcome=sent")
        + sums.count(
            "shop.notifications",
            "shop.notification.outcome=undeliverable",
        );
    let delayed = sums.count("shop.orders", "shop.order.outcome=delayed");
    let accepted = placed + delayed;
    assert!(notified >= accepted, "{notified} of {accepted}");
    if delayed == 0.0 {
        assert_eq!(notified, placed);
    }
    assert!(
        accepted >= orders as f64 * 0.8,
        "{accepted} of {orders} were placed"
    );
}
