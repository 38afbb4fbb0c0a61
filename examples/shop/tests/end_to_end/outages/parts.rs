//! The database, the cache, RabbitMQ and Kafka.

use std::collections::BTreeSet;

use otelware_testing::Proxy;
use otelware_testing::otlp::OtlpReceiver;

use super::{UnderLoad, assert_small, begin, end, notified, now, problems};
use crate::logs::{self, ServiceLog};
use crate::metrics::LastSums;
use crate::printed::{self, Account};
use crate::servers::{self, Kafka, POSTGRES, RABBITMQ, Redis};
use crate::traces::{ServiceSpan, Trace, Traces};

/// What customers are answered whose orders are refused, whatever is away.
const REFUSED: [u16; 3] = [402, 404, 409];

/// When something was away, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Away {
    from: u64,
    to: u64,
}

impl Away {
    /// Has something go away until enough orders are as they should be then, and waits for better times.
    #[track_caller]
    fn from(
        load: &UnderLoad,
        what: &str,
        cut: impl FnOnce(),
        is_so: impl Fn(&Trace) -> bool,
        restore: impl FnOnce(),
    ) -> Away {
        cut();
        let from = now();
        load.wait_for_orders(&format!("orders without {what}"), from, is_so);
        let to = now();
        restore();
        load.wait_until_all_is_well(what);
        let (away, worse) = ((to - from) / 1_000_000, (now() - to) / 1_000_000);
        eprintln!("without {what} for {away} ms; all is well {worse} ms later");
        Self { from, to }
    }

    /// Whether all of an order was long before or after that.
    fn is_far_from(&self, order: &Trace) -> bool {
        const FAR: u64 = 8_000_000_000;
        let ends = order.0.iter().map(|seen| seen.span.end_time_unix_nano);
        ends.max().unwrap() < self.from || begin(order) > self.to + FAR
    }

    /// The orders that were placed and answered meanwhile.
    fn orders<'t>(&self, traces: &'t Traces) -> Vec<&'t Trace> {
        let mut orders = traces.orders();
        orders.retain(|order| begin(order) >= self.from && end(order) <= self.to);
        orders
    }

    /// The orders that had this answer meanwhile; all others are refused ones.
    #[track_caller]
    fn answered<'t>(&self, traces: &'t Traces, answer: u16) -> Vec<&'t Trace> {
        let mut orders = self.orders(traces);
        orders.retain(|order| {
            !order
                .answer()
                .is_some_and(|answer| REFUSED.contains(&answer))
        });
        for order in &orders {
            assert_eq!(order.answer(), Some(answer), "{}", order.tree());
        }
        assert!(!orders.is_empty());
        orders
    }

    /// The errors of the spans described so that began and ended meanwhile.
    fn errors(&self, traces: &Traces, described: &str) -> BTreeSet<String> {
        let is_of = |seen: &&ServiceSpan| {
            let span = &seen.span;
            let is_then =
                span.start_time_unix_nano >= self.from && span.end_time_unix_nano <= self.to;
            is_then && seen.is(described)
        };
        let spans = traces.spans().filter(is_of);
        spans.filter_map(ServiceSpan::error).collect()
    }
}

#[test]
fn each_part_goes_away_and_comes_back() {
    let receiver = OtlpReceiver::grpc();
    let redis = Redis::start();
    let [database, cache, rabbitmq] = [POSTGRES, redis.address(), RABBITMQ].map(Proxy::to);
    let kafka = Kafka::start();
    let variables = [
        (
            "DATABASE_URL",
            servers::postgres(database.address(), "shop_outages"),
        ),
        ("REDIS_URL", format!("redis://{}", cache.address())),
        ("KAFKA_BROKERS", kafka.brokers()),
        ("AMQP_URL", servers::rabbitmq(rabbitmq.address())),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
    let way = receiver.address();
    let load = UnderLoad::begin(receiver, way, &variables);
    let memory = load.shop.memory();

    let is_answered = |answer| move |order: &Trace| order.answer() == Some(answer);
    let without = |what, cut: &dyn Fn(), answer, restore: &dyn Fn()| {
        Away::from(&load, what, cut, is_answered(answer), restore)
    };
    let no_database = without("database", &|| database.cut(), 503, &|| database.restore());
    let mute_database = without("word of it", &|| database.silence(), 503, &|| {
        database.restore();
    });
    let no_cache = without("cache", &|| redis.kill(), 201, &|| redis.restart());
    let mute_cache = without("word of it", &|| cache.silence(), 201, &|| cache.restore());
    let no_rabbitmq = without("RabbitMQ", &|| rabbitmq.cut(), 201, &|| rabbitmq.restore());
    let no_kafka = without("Kafka", &|| kafka.cut(), 202, &|| kafka.restore());

    load.shop
        .wait_for("all notifications", &load.receiver, |received| {
            let traces = Traces::of(received);
            let is_delayed = |order: &&&Trace| order.answer() == Some(202);
            let orders = traces.orders();
            let mut delayed = orders.iter().filter(is_delayed);
            delayed.all(|order| notified(order) > 0).then_some(())
        });
    let memory_at_end = load.shop.memory();
    let (ended, receiver) = load.stop();
    let traces = receiver.look(Traces::of);
    assert_eq!(traces.repeated, [""; 0]);
    assert_nothing_is_lost(&receiver, &ended.stdout);

    let logs = receiver.look(logs::all);
    for away in [no_database, mute_database] {
        assert_refused_and_undone(away, &traces, &logs);
    }
    let timeouts = receiver.look(LastSums::of);
    assert!(timeouts.count("db.client.connection.timeouts", "") > 0.0);
    let [dropped, refused, timeout] = ["connection_dropped", "connection_refused", "timeout"];
    assert_asked_for_prices(no_cache, &traces, [dropped, refused]);
    assert_asked_for_prices(mute_cache, &traces, [dropped, timeout]);
    assert_tried_again(no_rabbitmq, &traces);
    assert_relayed(no_kafka, &traces);
    for order in traces.orders() {
        assert_notified(order, [no_rabbitmq, no_kafka]);
    }
    assert_small(&memory, &memory_at_end);
    // The launcher says that these were not the answers to expect, and nothing else.
    assert_eq!(ended.status.code(), Some(1));
    let others: Vec<&str> = problems(&ended.stdout)
        .filter(|line| !line.contains(" × 503 to "))
        .collect();
    assert_eq!(others, [""; 0]);
}

/// Without the database orders are refused, and what was done for them is undone.
#[track_caller]
fn assert_refused_and_undone(away: Away, traces: &Traces, logs: &[ServiceLog]) {
    let mut reasons = BTreeSet::new();
    for order in away.answered(traces, 503) {
        for undone in [
            "orders CLIENT DELETE /charges/{order}",
            "orders CLIENT shop.v1.Inventory/Release",
        ] {
            assert_eq!(order.only(undone).error(), None, "{}", order.tree());
        }
        assert_eq!(order.named("orders PRODUCER send order-events").len(), 0);
        let is_told = |log: &&ServiceLog| {
            log.trace_id == order.0[0].span.trace_id
                && (&*log.service, &*log.body) == ("orders", "unavailable")
        };
        let told = logs.iter().find(is_told);
        reasons.extend(told.expect("a log record that says why").error.clone());
    }
    // Where a connection was in use there may be another reason besides.
    let why = "pool timed out while waiting for an open connection";
    assert!(reasons.contains(why), "{reasons:?}");
    for server in ["orders SERVER POST /orders", "gateway SERVER POST /orders"] {
        assert_eq!(away.errors(traces, server), ["503".to_owned()].into());
    }
}

/// Without the cache all prices are asked for.
#[track_caller]
fn assert_asked_for_prices(away: Away, traces: &Traces, errors: [&str; 2]) {
    for order in away.answered(traces, 201) {
        let cached = order.named("orders CLIENT GET");
        let asked = order.named("orders CLIENT shop.v1.Inventory/GetProduct");
        assert_eq!(asked.len(), cached.len(), "{}", order.tree());
    }
    let seen = away.errors(traces, "orders CLIENT GET");
    let is_known = |error: &String| errors.contains(&&**error);
    assert!(!seen.is_empty() && seen.iter().all(is_known), "{seen:?}");
}

/// Without RabbitMQ a batch is tried again until it works.
#[track_caller]
fn assert_tried_again(away: Away, traces: &Traces) {
    away.answered(traces, 201);
    let errors = away.errors(traces, "fulfilment CONSUMER process order-events");
    let expected = ["NotNotified", "TryAgain"].map(str::to_owned);
    assert_eq!(errors, expected.into());
    let errors = away.errors(traces, "fulfilment PRODUCER publish notifications");
    assert!(!errors.is_empty());
}

/// Without Kafka the event waits, and goes out in the trace of its order.
#[track_caller]
fn assert_relayed(away: Away, traces: &Traces) {
    for order in away.answered(traces, 202) {
        let server = order.only("orders SERVER POST /orders");
        let relays = order.named("orders INTERNAL relay event");
        let sends = order.named("orders PRODUCER send order-events");
        let is_beneath = |relay: &&ServiceSpan| order.parent(relay) == Some(server);
        let is_relayed = |send: &&ServiceSpan| {
            let parent = order.parent(send);
            parent.is_some_and(|parent| relays.contains(&parent))
        };
        assert!(relays.iter().all(is_beneath), "{}", order.tree());
        assert_eq!(sends[0].error().as_deref(), Some("_MSG_TIMED_OUT"));
        assert!(sends.len() > 1 && sends[1..].iter().all(is_relayed));
    }
}

/// Whoever was told that the order is placed is notified: at least once, and only once where all went well.
#[track_caller]
fn assert_notified(order: &Trace, broken: [Away; 2]) {
    let tree = order.tree();
    assert!(!tree.contains("ORPHAN"), "{tree}");
    if !matches!(order.answer(), Some(201 | 202)) {
        return;
    }
    // An event that was not known to be sent is sent again, and what was not known to be committed comes again.
    let was_relayed = !order.named("orders INTERNAL relay event").is_empty();
    let went_well = !was_relayed && broken.iter().all(|away| away.is_far_from(order));
    match notified(order) {
        1 => {}
        2.. if !went_well => {}
        count => panic!("{count} notifications:\n{tree}"),
    }
}

/// Asserts that all telemetry came, and that it says that nothing is under way any more.
#[track_caller]
fn assert_nothing_is_lost(receiver: &OtlpReceiver, printed: &str) {
    let all = Account {
        exported: receiver.look(|received| received.spans().len()),
        ..Account::default()
    };
    assert_eq!(printed::accounts(printed)["all"], all);
    receiver.look(LastSums::of).assert_nothing_in_flight();
}
