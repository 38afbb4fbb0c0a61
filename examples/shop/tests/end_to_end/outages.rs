//! What the shop is made of goes away while orders are placed, and comes back: what customers are answered meanwhile is
//! what the code says, the telemetry tells of it, and afterwards nothing is missing.

mod collector;
mod parts;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use otelware_testing::EndedProgram;
use otelware_testing::otlp::OtlpReceiver;

use crate::shop::Shop;
use crate::traces::{Trace, Traces};

/// Orders per second.
const RATE: &str = "20";

/// How many orders are to be seen before, during and after each outage.
const ORDERS: usize = 20;

/// How many KiB a service may have more when all is over: what waited meanwhile, and where it was put.
const SLACK: u64 = 32 << 10;

/// How long the end may take.
const END: Duration = Duration::from_secs(30);

/// A shop under load.
struct UnderLoad {
    shop: Shop,
    receiver: OtlpReceiver,
}

impl UnderLoad {
    /// Starts a shop that exports to the receiver by this way, and waits until orders are fulfilled.
    #[track_caller]
    fn begin(receiver: OtlpReceiver, way: SocketAddr, variables: &[(&str, &str)]) -> Self {
        let shop = Shop::open_to(way, &["--serve", "--rate", RATE], variables);
        let load = Self { shop, receiver };
        load.wait_until_all_is_well("the beginning");
        load
    }

    /// Waits until so many of the orders placed since then are as they should be.
    #[track_caller]
    fn wait_for_orders(&self, what: &str, since: u64, is_so: impl Fn(&Trace) -> bool) {
        self.shop.wait_for(what, &self.receiver, |received| {
            let traces = Traces::of(received);
            let orders = traces.orders().into_iter();
            let of_these = orders.filter(|order| begin(order) >= since && is_so(order));
            (of_these.count() >= ORDERS).then_some(())
        });
    }

    /// Waits until orders placed from now on come to their customers.
    #[track_caller]
    fn wait_until_all_is_well(&self, after: &str) {
        let what = format!("orders that are fulfilled after {after}");
        self.wait_for_orders(&what, now(), |order| {
            order.answer() == Some(201) && notified(order) > 0
        });
    }

    /// Stops the shop, which takes only so long.
    #[track_caller]
    fn stop(self) -> (EndedProgram, OtlpReceiver) {
        self.shop.program.terminate();
        let since = Instant::now();
        let ended = self.shop.end();
        assert!(since.elapsed() < END, "the end took {:?}", since.elapsed());
        (ended, self.receiver)
    }
}

fn now() -> u64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    now.as_nanos().try_into().unwrap()
}

/// When the customer ordered.
fn begin(order: &Trace) -> u64 {
    order.0[0].span.start_time_unix_nano
}

/// When the customer was answered.
fn end(order: &Trace) -> u64 {
    order.0[0].span.end_time_unix_nano
}

/// How often the customer was notified, or given up.
fn notified(order: &Trace) -> usize {
    let names = [
        "notifier CLIENT ack notifications",
        "notifier CLIENT reject notifications",
    ];
    let settled = names.map(|name| order.named(name).len());
    settled.iter().sum()
}

/// Asserts that no service has much more memory than before.
#[track_caller]
fn assert_small(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) {
    for (service, after) in after {
        let before = before[service];
        eprintln!("{service:12} {before:8} KiB before, {after:8} KiB after");
        assert!(*after <= before + SLACK, "{service} grows");
    }
}

/// What the launcher says was wrong.
fn problems(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter(|line| line.starts_with("✗ "))
}
