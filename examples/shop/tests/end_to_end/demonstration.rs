//! What the telemetry of one order of each kind is like, whatever the shop's parts are.

use std::collections::{BTreeMap, BTreeSet};

use crate::traces::{ServiceSpan, Trace, Traces};

/// Where an order goes from one service to another, if it goes all the way.
const EDGES: [&str; 7] = [
    "customer CLIENT POST > gateway SERVER POST /orders",
    "fulfilment PRODUCER publish notifications > notifier CONSUMER process notifications",
    "gateway CLIENT POST > orders SERVER POST /orders",
    "orders CLIENT POST > payments SERVER POST /charges",
    "orders CLIENT shop.v1.Inventory/GetProduct > inventory SERVER shop.v1.Inventory/GetProduct",
    "orders CLIENT shop.v1.Inventory/Reserve > inventory SERVER shop.v1.Inventory/Reserve",
    "orders PRODUCER send order-events > fulfilment CONSUMER process order-events",
];

const SERVICES: [&str; 7] = [
    "customer",
    "fulfilment",
    "gateway",
    "inventory",
    "notifier",
    "orders",
    "payments",
];

// What the service `orders` does, and what comes of it elsewhere.

const CACHED: &str = "\
orders CLIENT GET
";

const NOT_CACHED: &str = "\
orders CLIENT GET
orders CLIENT shop.v1.Inventory/GetProduct
  inventory SERVER shop.v1.Inventory/GetProduct
orders CLIENT SET
";

const UNKNOWN: &str = "\
orders CLIENT GET
orders CLIENT shop.v1.Inventory/GetProduct ! NOT_FOUND
  inventory SERVER shop.v1.Inventory/GetProduct
";

const RESERVED: &str = "\
orders CLIENT shop.v1.Inventory/Reserve
  inventory SERVER shop.v1.Inventory/Reserve
";

const OUT_OF_STOCK: &str = "\
orders CLIENT shop.v1.Inventory/Reserve ! FAILED_PRECONDITION
  inventory SERVER shop.v1.Inventory/Reserve
";

const PAID: &str = "\
orders CLIENT POST
  payments SERVER POST /charges
";

const PAID_AT_LAST: &str = "\
orders CLIENT POST ! 503
  payments SERVER POST /charges ! 503
orders CLIENT POST #1
  payments SERVER POST /charges
";

const DECLINED: &str = "\
orders CLIENT POST ! 402
  payments SERVER POST /charges
orders CLIENT shop.v1.Inventory/Release
  inventory SERVER shop.v1.Inventory/Release
";

const TO_BE_KEPT: &str = "\
orders CLIENT BEGIN
orders CLIENT INSERT orders
";

const LINE: &str = "\
orders CLIENT INSERT order_lines
";

const SENT: &str = "\
orders CLIENT INSERT outbox
orders CLIENT COMMIT
orders PRODUCER send order-events
  fulfilment CONSUMER process order-events
    fulfilment PRODUCER publish notifications
";

const NOTIFIED: &str = "      notifier CONSUMER process notifications
        notifier CLIENT ack notifications
";

const POSTPONED: &str = "      notifier CONSUMER process notifications ! NotNotified
        notifier CLIENT nack notifications
";

const UNDELIVERABLE: &str = "      notifier CONSUMER process notifications ! NotNotified
        notifier CLIENT reject notifications
";

const DONE: &str = "\
orders CLIENT DELETE outbox
";

/// An order that is placed, by what `orders` does.
fn placed(steps: &[&str]) -> String {
    let head = [
        "customer INTERNAL place order",
        "customer CLIENT POST",
        "gateway SERVER POST /orders",
        "gateway CLIENT POST",
        "orders SERVER POST /orders",
    ];
    nested(&head, steps)
}

/// One that is not, because of this answer.
fn refused(status: u16, steps: &[&str]) -> String {
    let call = |service| format!("{service} CLIENT POST ! {status}");
    let head = [
        "customer INTERNAL place order ! NotPlaced",
        &call("customer"),
        "gateway SERVER POST /orders",
        &call("gateway"),
        "orders SERVER POST /orders",
    ];
    nested(&head, steps)
}

/// Each line of the head beneath the one before, and the rest beneath all of them.
fn nested(head: &[&str], steps: &[&str]) -> String {
    let steps = steps.iter().flat_map(|step| step.lines());
    let head_lines = head.iter().copied().enumerate();
    let lines = head_lines.chain(steps.map(|line| (head.len(), line)));
    lines
        .map(|(depth, line)| format!("{}{line}\n", "  ".repeat(depth)))
        .collect()
}

/// The traces of the orders, in the order in which they are placed.
pub(crate) fn trees() -> [String; 8] {
    [
        placed(&[
            NOT_CACHED, RESERVED, PAID, TO_BE_KEPT, LINE, SENT, NOTIFIED, DONE,
        ]),
        placed(&[
            CACHED, NOT_CACHED, RESERVED, PAID, TO_BE_KEPT, LINE, LINE, SENT, NOTIFIED, DONE,
        ]),
        placed(&[
            NOT_CACHED,
            RESERVED,
            PAID_AT_LAST,
            TO_BE_KEPT,
            LINE,
            SENT,
            NOTIFIED,
            DONE,
        ]),
        refused(402, &[CACHED, RESERVED, DECLINED]),
        refused(409, &[NOT_CACHED, OUT_OF_STOCK]),
        refused(404, &[UNKNOWN]),
        placed(&[
            CACHED, RESERVED, PAID, TO_BE_KEPT, LINE, SENT, POSTPONED, NOTIFIED, DONE,
        ]),
        placed(&[
            CACHED,
            RESERVED,
            PAID,
            TO_BE_KEPT,
            LINE,
            SENT,
            UNDELIVERABLE,
            DONE,
        ]),
    ]
}

/// Asserts all that is the same whatever the parts are, and that the database is this one.
#[track_caller]
pub(crate) fn assert_demonstrated(traces: &Traces, database: &str) {
    assert_eq!(traces.repeated, [""; 0]);
    let orders = traces.orders();
    let drawn: Vec<String> = orders.iter().map(|trace| trace.tree()).collect();
    for (drawn, expected) in drawn.iter().zip(&trees()) {
        assert_eq!(drawn, expected, "{drawn}");
    }
    assert_eq!(drawn.len(), 8, "{drawn:#?}");

    let order = orders[0];
    assert_eq!(order.services(), SERVICES.into());
    assert_eq!(order.edges(), EDGES.map(str::to_owned).into());
    assert_eq!(systems(order), expected_systems(database));
    assert_links(traces);
}

/// Which service speaks what in this trace.
fn systems(trace: &Trace) -> BTreeSet<(&str, String)> {
    let system = |seen: &ServiceSpan| {
        let keys = ["db.system.name", "messaging.system.name", "rpc.system.name"];
        let system = keys.iter().find_map(|key| seen.attribute(key));
        let http = || {
            seen.attribute("http.request.method")
                .map(|_| "http".to_owned())
        };
        system.or_else(http)
    };
    let spans = trace.0.iter();
    spans
        .filter_map(|seen| Some((&*seen.service, system(seen)?)))
        .collect()
}

fn expected_systems(database: &str) -> BTreeSet<(&'static str, String)> {
    [
        ("customer", "http"),
        ("gateway", "http"),
        ("orders", "http"),
        ("orders", "redis"),
        ("orders", "grpc"),
        ("inventory", "grpc"),
        ("payments", "http"),
        ("orders", database),
        ("orders", "kafka"),
        ("fulfilment", "kafka"),
        ("fulfilment", "rabbitmq"),
        ("notifier", "rabbitmq"),
    ]
    .map(|(service, system)| (service, system.to_owned()))
    .into()
}

/// Asserts that whoever processes a message has a link to its sender, and that what is processed together does so once
/// for each that was sent.
#[track_caller]
pub(crate) fn assert_links(traces: &Traces) {
    let is_batch = |seen: &&ServiceSpan| {
        seen.span.parent_span_id.is_empty() && seen.is("fulfilment CONSUMER process order-events")
    };
    let batches: Vec<&ServiceSpan> = traces.spans().filter(is_batch).collect();
    let mut batch_of = BTreeMap::new();
    for batch in &batches {
        let count = batch.attribute("messaging.batch.message_count");
        assert_eq!(count, Some(batch.links().len().to_string()), "{batch:?}");
        for producer in batch.links() {
            let earlier = batch_of.insert(producer, batch.ids());
            assert_eq!(earlier, None, "in two batches: {:?}", traces.find(producer));
        }
    }
    let mut sent = BTreeSet::new();
    for trace in traces.orders() {
        for processed in trace.named("fulfilment CONSUMER process order-events") {
            let producer = trace.parent(processed).unwrap();
            assert!(producer.is("orders PRODUCER send order-events"));
            let batch = batch_of[&producer.ids()];
            assert_eq!(processed.links(), [producer.ids(), batch].into());
        }
        for processed in trace.named("notifier CONSUMER process notifications") {
            let producer = trace.parent(processed).unwrap();
            assert!(producer.is("fulfilment PRODUCER publish notifications"));
            assert_eq!(processed.links(), [producer.ids()].into());
        }
        let sends = trace.named("orders PRODUCER send order-events");
        sent.extend(sends.iter().map(|send| send.ids()));
    }
    let linked: BTreeSet<_> = batch_of.keys().copied().collect();
    assert_eq!(linked, sent);
}
