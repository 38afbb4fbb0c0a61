//! An order is one trace through all services, over every protocol, with nothing but what the repository brings along.

use std::time::{Duration, Instant};

use otelware_testing::otlp::OtlpReceiver;

use crate::demonstration::{assert_demonstrated, trees};
use crate::metrics::LastSums;
use crate::printed::{self, Account};
use crate::shop::{SERVICES, Shop};
use crate::traces::Traces;

#[test]
fn an_order_is_one_trace_through_all_services() {
    let receiver = OtlpReceiver::grpc();
    let shop = Shop::open_to(receiver.address(), &[], &[]);
    let ended = shop.end().assert_success();
    assert_demonstrated(&receiver.look(Traces::of), "sqlite");
    receiver.look(LastSums::of).assert_nothing_in_flight();
    let all = Account {
        exported: receiver.look(|received| received.spans().len()),
        ..Account::default()
    };
    assert_eq!(printed::accounts(&ended.stdout)["all"], all);
}

/// Rows of the table of metrics that are the same each time, up to the errors.
const METRICS: [&[&str]; 25] = [
    &["customer", "http.client.request.duration", "POST", "8", "3"],
    &[
        "gateway",
        "http.server.request.duration",
        "POST /orders",
        "8",
        "0",
    ],
    &["gateway", "http.client.request.duration", "POST", "8", "3"],
    &["orders", "shop.orders", "declined", "1"],
    &["orders", "shop.orders", "out_of_stock", "1"],
    &["orders", "shop.orders", "placed", "5"],
    &["orders", "shop.orders", "unknown_product", "1"],
    &[
        "orders",
        "http.server.request.duration",
        "POST /orders",
        "8",
        "0",
    ],
    &["orders", "http.client.request.duration", "POST", "7", "2"],
    &[
        "orders",
        "rpc.client.call.duration",
        "shop.v1.Inventory/GetProduct",
        "5",
        "1",
    ],
    &[
        "orders",
        "rpc.client.call.duration",
        "shop.v1.Inventory/Release",
        "1",
        "0",
    ],
    &[
        "orders",
        "rpc.client.call.duration",
        "shop.v1.Inventory/Reserve",
        "7",
        "1",
    ],
    &["orders", "db.client.operation.duration", "redis", "13", "0"],
    &[
        "orders",
        "messaging.client.operation.duration",
        "send order-events",
        "5",
        "0",
    ],
    &[
        "payments",
        "http.server.request.duration",
        "POST /charges",
        "7",
        "1",
    ],
    &[
        "inventory",
        "rpc.server.call.duration",
        "shop.v1.Inventory/GetProduct",
        "5",
        "0",
    ],
    &[
        "inventory",
        "rpc.server.call.duration",
        "shop.v1.Inventory/Release",
        "1",
        "0",
    ],
    &[
        "inventory",
        "rpc.server.call.duration",
        "shop.v1.Inventory/Reserve",
        "7",
        "0",
    ],
    &[
        "fulfilment",
        "messaging.client.operation.duration",
        "publish notifications",
        "5",
        "0",
    ],
    &["notifier", "shop.notifications", "postponed", "1"],
    &["notifier", "shop.notifications", "sent", "4"],
    &["notifier", "shop.notifications", "undeliverable", "1"],
    &[
        "notifier",
        "messaging.client.operation.duration",
        "ack notifications",
        "4",
        "0",
    ],
    &[
        "notifier",
        "messaging.client.operation.duration",
        "nack notifications",
        "1",
        "0",
    ],
    &[
        "notifier",
        "messaging.client.operation.duration",
        "reject notifications",
        "1",
        "0",
    ],
];

#[test]
fn the_launcher_shows_the_traces_the_metrics_and_that_nothing_was_lost() {
    let ended = Shop::open(&[], &[]).end().assert_success();
    let printed = ended.stdout;
    assert!(!ended.stderr.contains(" ERROR "), "{}", ended.stderr);
    // The console does not say how often a request was made before.
    let expected = trees().map(|tree| tree.replace(" #1", ""));
    assert_eq!(printed::trees(&printed), expected, "{printed}");

    let rows = printed::table(&printed, "Metrics");
    for expected in METRICS {
        let is_there = rows.iter().any(|row| row.starts_with(expected));
        assert!(is_there, "no {expected:?} in {rows:#?}");
    }

    let accounts = printed::accounts(&printed);
    let names = SERVICES.iter().chain(&["all", "customer"]).copied();
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    assert!(accounts.keys().copied().eq(names), "{accounts:#?}");
    for account in accounts.values() {
        let nothing_is_lost = Account {
            exported: account.exported,
            received: Some(account.exported),
            ..Account::default()
        };
        assert_eq!(*account, nothing_is_lost);
        assert!(account.exported > 0);
    }
    let last = printed.lines().last();
    let good = "All orders were answered as they should be, all telemetry has arrived, and nothing is left in flight.";
    assert_eq!(last, Some(good));
}

#[test]
fn services_do_not_outlive_a_launcher_that_is_killed() {
    let shop = Shop::open(&["--serve", "--rate", "10"], &[]);
    let program = &shop.program;
    program.wait_for("an open shop", || {
        program.stdout().contains("The shop is open").then_some(())
    });
    let services = shop.kill();
    let killed = Instant::now();
    while services.iter().any(|process| process.is_alive()) {
        let took = killed.elapsed();
        assert!(
            took < Duration::from_secs(30),
            "after {took:?}: {services:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
