//! What is consumed and processed, and how that ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::{FutureExt, StreamExt, poll};
use lapin::BasicProperties;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions,
    ExchangeDeclareOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, ByteArray, FieldTable, ShortString};
use otelware_lapin::message::{Delivery, DeliveryResult};
use otelware_lapin::otelware::messaging::Parenting;
use otelware_lapin::otelware::opentelemetry::Context;
use otelware_lapin::otelware::opentelemetry::baggage::BaggageExt;
use otelware_lapin::otelware::opentelemetry::trace::{FutureExt as _, SpanKind, TraceContextExt};
use otelware_lapin::otelware::propagation::Trust;
use otelware_testing::{RemoteParent, Value};
use std::num::ParseIntError;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

/// Publishes a message and has it delivered.
async fn delivered(shop: &Shop, queue: &ShortString) -> Delivery {
    let _unasked = shop.publish(queue, "7").await;
    let mut consumer = shop.consume(queue).await;
    consumer.next().await.unwrap().unwrap()
}

#[tokio::test]
async fn a_message_is_processed_as_the_child_of_its_sender_and_counted() {
    let shop = Shop::open().await;
    let queue = shop.queue("processed").await;
    let delivery = delivered(&shop, &queue).await;
    let consumed = "messaging.client.consumed.messages";
    let all = vec![(measured("consume", queue.as_str()), 1)];
    shop.telemetry
        .metric(consumed)
        .assert(counter(consumed, "{message}", all));
    assert_eq!(delivery.data, b"7");
    let number: Result<u32, ParseIntError> = delivery
        .process(async {
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            String::from_utf8_lossy(&delivery.data).parse()
        })
        .await;
    assert_eq!(number, Ok(7));
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let process = shop.telemetry.span(&format!("process {queue}"));
    process.assert(
        processed(&queue, 1)
            .remote_child_of(&publish)
            .link_to(&publish),
    );
    shop.telemetry
        .span(&format!("ack {queue}"))
        .assert(settled("ack", &queue, 1).child_of(&process));
    assert_eq!(shop.telemetry.spans().len(), 3);
    let all = vec![(measured("process", queue.as_str()), 1)];
    let duration = shop.telemetry.metric("messaging.process.duration");
    duration.assert(processing(all));
    duration.assert_same_reading([&process]);
    shop.telemetry
        .metric("messaging.client.operation.duration")
        .assert(durations(vec![
            (measured("publish", queue.as_str()), 1),
            (measured("ack", queue.as_str()), 1),
        ]));
    shop.settle().await;
}

#[tokio::test]
async fn an_error_is_named_by_its_type() {
    let shop = Shop::open().await;
    let queue = shop.queue("wrong").await;
    let delivery = delivered(&shop, &queue).await;
    let wrong: Result<u32, ParseIntError> = delivery.process(async { "x".parse() }).await;
    assert!(wrong.is_err());
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    shop.telemetry.span(&format!("process {queue}")).assert(
        processed(&queue, 1)
            .remote_child_of(&publish)
            .link_to(&publish)
            .error()
            .attribute("error.type", "ParseIntError"),
    );
    let all = vec![(failed("process", queue.as_str(), "ParseIntError"), 1)];
    shop.telemetry
        .metric("messaging.process.duration")
        .assert(processing(all));
}

#[tokio::test]
async fn processing_that_is_dropped_is_cancelled_and_one_that_panics_has_panicked() {
    let shop = Shop::open().await;
    let queue = shop.queue("ends").await;
    let delivery = delivered(&shop, &queue).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let expected = || {
        processed(&queue, 1)
            .remote_child_of(&publish)
            .link_to(&publish)
    };
    {
        let waiting = delivery.process(std::future::pending::<Result<(), ()>>());
        assert!(poll!(pin!(waiting)).is_pending());
    }
    shop.last(&format!("process {queue}"))
        .assert(expected().attribute("error.type", "cancelled"));
    let panicking = delivery.process::<_, (), ()>(async { panic!("on purpose") });
    assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
    shop.last(&format!("process {queue}"))
        .assert(expected().error().attribute("error.type", "panic"));
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
        delivery.process_sync::<(), ()>(|| panic!("on purpose"))
    }));
    assert!(caught.is_err());
    shop.telemetry
        .metric("messaging.process.duration")
        .assert(processing(vec![
            (failed("process", queue.as_str(), "cancelled"), 1),
            (failed("process", queue.as_str(), "panic"), 2),
        ]));
}

#[tokio::test]
async fn a_guard_processes_in_parts() {
    let shop = Shop::open().await;
    let queue = shop.queue("guard").await;
    let delivery = delivered(&shop, &queue).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let mut processing = delivery.start_process();
    let id = processing.context().span().span_context().span_id();
    let current = || Context::current().span().span_context().span_id();
    assert_eq!(processing.in_scope(current), id);
    assert_eq!(processing.within(async { current() }).await, id);
    assert_ne!(current(), id);
    processing.fail("out_of_stock");
    let expected = || {
        processed(&queue, 1)
            .remote_child_of(&publish)
            .link_to(&publish)
    };
    shop.last(&format!("process {queue}"))
        .assert(expected().error().attribute("error.type", "out_of_stock"));
    delivery.start_process().finish();
    shop.last(&format!("process {queue}")).assert(expected());
}

#[tokio::test]
async fn the_parent_is_chosen_by_policy_and_baggage_comes_along() {
    let around = RemoteParent::sampled();
    for (parenting, alone_is_child, within_is_child) in [
        (Parenting::Auto, true, false),
        (Parenting::Link, false, false),
        (Parenting::Parent, true, true),
    ] {
        let shop = Shop::open_with(|options| options.with_parenting(parenting)).await;
        let queue = shop.queue("parents").await;
        let baggage = headers([("baggage", AMQPValue::LongString("tenant=7".into()))]);
        let properties = BasicProperties::default().with_headers(baggage);
        let _unasked = publish(&shop.channel, &queue, "hello", properties).await;
        let mut consumer = shop.consume(&queue).await;
        let delivery = consumer.next().await.unwrap().unwrap();
        let publish = shop.telemetry.span(&format!("publish {queue}"));
        let expected = || processed(&queue, 1).link_to(&publish);
        let process = || {
            delivery.process(async {
                let baggage = Context::current().baggage().to_string();
                if baggage == "tenant=7" {
                    Ok(())
                } else {
                    Err(baggage)
                }
            })
        };
        process().await.unwrap();
        shop.last(&format!("process {queue}"))
            .assert(match alone_is_child {
                true => expected().remote_child_of(&publish),
                false => expected(),
            });
        process().with_context(around.context()).await.unwrap();
        shop.last(&format!("process {queue}"))
            .assert(match within_is_child {
                true => expected().remote_child_of(&publish).link_to(&around),
                false => expected().remote_child_of(&around),
            });
    }
}

#[tokio::test]
async fn a_public_sender_is_linked_only() {
    let shop = Shop::open_with(|options| options.with_trust(Trust::Public)).await;
    let queue = shop.queue("public").await;
    let delivery = delivered(&shop, &queue).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    delivery.start_process().finish();
    shop.telemetry
        .span(&format!("process {queue}"))
        .assert(processed(&queue, 1).link_to(&publish));
}

#[tokio::test]
async fn a_delegate_runs_within_the_process_span() {
    let shop = Shop::open().await;
    let queue = shop.queue("delegate").await;
    let consumer = shop.consume(&queue).await;
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = seen.clone();
    consumer.set_delegate(move |delivery: DeliveryResult| {
        let seen = into.clone();
        let at_once = Context::current().span().span_context().span_id();
        async move {
            let Ok(Some(delivery)) = delivery else { return };
            tokio::task::yield_now().await;
            let later = Context::current().span().span_context().span_id();
            assert_eq!(at_once, later);
            let body = String::from_utf8(delivery.data.clone()).unwrap();
            if body == "bad" {
                delivery.fail("bad_body");
                delivery.fail("too late");
            }
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            seen.lock().unwrap().push(format!("{body} {later}"));
            if body == "worse" {
                panic!("on purpose");
            }
        }
    });
    for body in ["good", "bad", "worse"] {
        let _unasked = shop.publish(&queue, body).await;
    }
    shop.telemetry.wait_for_spans(9).await;
    shop.settle().await;
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let spans = shop.telemetry.spans();
    let publishes: Vec<_> = spans
        .iter()
        .filter(|span| span.name.starts_with("publish"))
        .collect();
    for (tag, (body, class)) in [
        ("good", None),
        ("bad", Some("bad_body")),
        ("worse", Some("panic")),
    ]
    .into_iter()
    .enumerate()
    {
        let publish = publishes[tag];
        let tag = i64::try_from(tag).unwrap() + 1;
        let process = spans
            .iter()
            .find(|span| span.name.starts_with("process") && span.trace_id == publish.trace_id);
        let process = process.unwrap();
        let expected = processed(&queue, tag)
            .remote_child_of(publish)
            .link_to(publish);
        process.assert(match class {
            Some(class) => expected.error().attribute("error.type", class),
            None => expected,
        });
        assert!(
            seen.contains(&format!("{body} {}", process.span_id)),
            "{seen:?}"
        );
        let ack = spans
            .iter()
            .find(|span| span.name.starts_with("ack") && span.trace_id == publish.trace_id);
        ack.unwrap()
            .assert(settled("ack", &queue, tag).child_of(process));
    }
    shop.telemetry
        .metric("messaging.process.duration")
        .assert(processing(vec![
            (measured("process", queue.as_str()), 1),
            (failed("process", queue.as_str(), "bad_body"), 1),
            (failed("process", queue.as_str(), "panic"), 1),
        ]));
}

#[tokio::test]
async fn what_came_before_the_delegate_is_no_child_of_who_sets_it() {
    let shop = Shop::open().await;
    let queue = shop.queue("before").await;
    let consumer = shop.consume(&queue).await;
    let _unasked = shop.publish(&queue, "hello").await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let left = || async {
        let passive = QueueDeclareOptions::default().passive();
        let arguments = FieldTable::default();
        let asking = shop
            .channel
            .queue_declare(queue.clone(), passive, arguments);
        asking.await.unwrap().message_count()
    };
    // The message is sent; and it is here when the channel has answered once more.
    let sent = async { while left().await > 0 {} };
    tokio::time::timeout(Duration::from_secs(20), sent)
        .await
        .expect("the message is sent");
    left().await;
    {
        let _around = RemoteParent::sampled().context().attach();
        consumer.set_delegate(|_: DeliveryResult| async {});
    }
    shop.telemetry.wait_for_spans(2).await;
    shop.telemetry.span(&format!("process {queue}")).assert(
        processed(&queue, 1)
            .remote_child_of(&publish)
            .link_to(&publish),
    );
}

#[tokio::test]
async fn a_delegate_learns_that_its_consumer_has_ended() {
    let shop = Shop::open().await;
    let queue = shop.queue("ended").await;
    let consumer = shop.consume(&queue).await;
    let (told, mut ends) = tokio::sync::mpsc::unbounded_channel();
    consumer.set_delegate(move |delivery: DeliveryResult| {
        told.send(matches!(delivery, Ok(None))).unwrap();
        async {}
    });
    // As when the broker cancels: lapin does not tell a delegate of a cancellation of one's own.
    let raw = shop.unseen().await;
    raw.queue_delete(queue, Default::default()).await.unwrap();
    assert_eq!(ends.recv().await, Some(true));
    assert_eq!(shop.telemetry.spans().len(), 0);
}

#[tokio::test]
async fn a_batch_is_one_span_linked_to_all_senders() {
    let shop = Shop::open().await;
    let queue = shop.queue("batch").await;
    for number in 1..=3 {
        let id = BasicProperties::default().with_message_id(format!("m{number}").into());
        let _unasked = publish(&shop.channel, &queue, "hello", id).await;
    }
    let consumer = shop.consume(&queue).await;
    let deliveries: Vec<Delivery> = consumer.clone().take(3).map(Result::unwrap).collect().await;
    let around = RemoteParent::sampled();
    let work = async {
        let last = deliveries.last().unwrap();
        let multiple = BasicAckOptions { multiple: true };
        let work = consumer.process_batch(&deliveries, last.ack(multiple));
        work.await.unwrap()
    };
    assert!(work.with_context(around.context()).await);
    let spans = shop.telemetry.spans();
    let mut expected = span("process", queue.as_str())
        .attribute("messaging.batch.message_count", 3)
        .remote_child_of(&around);
    for (publish, number) in spans.iter().zip(1_i64..=3) {
        expected = expected.link_with(
            publish,
            [
                (
                    "rabbitmq.destination.routing_key",
                    Value::from(queue.as_str()),
                ),
                ("messaging.message.id", format!("m{number}").into()),
                ("rabbitmq.message.delivery_tag", number.into()),
            ],
        );
    }
    let process = shop.telemetry.span(&format!("process {queue}"));
    process.assert(expected);
    shop.telemetry.span(&format!("ack {queue}")).assert(
        settled("ack", &queue, 3)
            .attribute("otelware.rabbitmq.multiple", true)
            .attribute("messaging.batch.message_count", 3)
            .child_of(&process),
    );
    let all = vec![(measured("process", queue.as_str()), 1)];
    shop.telemetry
        .metric("messaging.process.duration")
        .assert(processing(all));
    shop.telemetry
        .metric("otelware.rabbitmq.unacknowledged_deliveries")
        .assert(unacknowledged(&queue, 0));
}

#[tokio::test]
async fn a_batch_whose_messages_came_by_different_ways_is_of_their_queue() {
    let shop = Shop::open().await;
    let queue = shop.queue("ways").await;
    let binding = shop.channel.queue_bind(
        queue.clone(),
        "amq.topic".into(),
        format!("{queue}.*").into(),
        Default::default(),
        FieldTable::default(),
    );
    binding.await.unwrap();
    for key in ["new", "old"] {
        let publishing = shop.channel.basic_publish(
            "amq.topic".into(),
            format!("{queue}.{key}").into(),
            Default::default(),
            b"",
            BasicProperties::default(),
        );
        let _unasked = publishing.await.unwrap();
    }
    let consumer = shop.consume(&queue).await;
    let deliveries: Vec<Delivery> = consumer.clone().take(2).map(Result::unwrap).collect().await;
    let name = |key: &str| format!("amq.topic:{queue}.{key}:{queue}");
    deliveries[0].start_process().finish();
    let process = shop.last(&format!("process {}", name("new")));
    assert_eq!(
        process.attribute("messaging.destination.name"),
        Some(&Value::from(name("new")))
    );
    consumer.start_process_batch(&deliveries).finish();
    let batch = shop.last(&format!("process {queue}"));
    assert_eq!(batch.links.len(), 2);
    consumer.start_process_batch([]).finish();
    let empty = shop.last(&format!("process {queue}"));
    empty.assert(span("process", queue.as_str()).attribute("messaging.batch.message_count", 0));
}

#[tokio::test]
async fn a_message_that_is_asked_for_has_a_span_linked_to_its_sender() {
    let shop = Shop::open().await;
    let queue = shop.queue("got").await;
    let _unasked = shop.publish(&queue, "hello").await;
    let around = RemoteParent::sampled();
    let getting = shop
        .channel
        .basic_get(queue.clone(), BasicGetOptions::default());
    let got = getting
        .with_context(around.context())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((got.message_count, &got.data[..]), (0, &b"hello"[..]));
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let get = shop.telemetry.span(&format!("get {queue}"));
    get.assert(
        span("get", queue.as_str())
            .attribute("rabbitmq.destination.routing_key", queue.as_str())
            .attribute("rabbitmq.message.delivery_tag", 1)
            .remote_child_of(&around)
            .link_to(&publish),
    );
    let batch = [&got.delivery];
    shop.channel.start_process_batch(batch).finish();
    got.ack(BasicAckOptions::default()).await.unwrap();
    // Nothing is left: no span, but it took its time.
    let empty = shop
        .channel
        .basic_get(queue.clone(), BasicGetOptions::default());
    assert_eq!(empty.await.unwrap(), None);
    assert_eq!(shop.telemetry.spans().len(), 4);
    shop.telemetry
        .metric("messaging.client.operation.duration")
        .assert(durations(vec![
            (measured("publish", queue.as_str()), 1),
            (measured("get", queue.as_str()), 2),
            (measured("ack", queue.as_str()), 1),
        ]));
    let consumed = "messaging.client.consumed.messages";
    let all = vec![(measured("get", queue.as_str()), 1)];
    shop.telemetry
        .metric(consumed)
        .assert(counter(consumed, "{message}", all));
    shop.settle().await;
}

#[tokio::test]
async fn asking_in_vain_has_a_span_if_so_told_and_a_span_if_it_fails() {
    let shop = Shop::open_with(|options| options.with_empty_receive_spans()).await;
    let queue = shop.queue("empty").await;
    let get = |queue: ShortString| shop.channel.basic_get(queue, BasicGetOptions::default());
    assert_eq!(get(queue.clone()).await.unwrap(), None);
    shop.telemetry
        .span(&format!("get {queue}"))
        .assert(span("get", queue.as_str()));
    let unknown: ShortString = unique("unknown").into();
    get(unknown.clone()).await.unwrap_err();
    let expected = span("get", unknown.as_str())
        .error()
        .attribute("error.type", "not_found");
    shop.telemetry
        .span(&format!("get {unknown}"))
        .assert(expected);

    let shop = Shop::open_with(|options| options.without_receive_spans()).await;
    let queue = shop.queue("unseen").await;
    let _unasked = shop.publish(&queue, "hello").await;
    let got = shop
        .channel
        .basic_get(queue, BasicGetOptions { no_ack: true })
        .await;
    assert_eq!(got.unwrap().unwrap().data, b"hello");
    assert_eq!(shop.telemetry.spans().len(), 1);
    assert_eq!(
        shop.telemetry
            .metric("messaging.client.operation.duration")
            .total_count(),
        2
    );
}

#[tokio::test]
async fn several_consumers_of_a_channel_are_told_apart_and_prefetch_holds() {
    let shop = Shop::open().await;
    shop.channel
        .basic_qos(1, BasicQosOptions::default())
        .await
        .unwrap();
    let (pens, inks) = (shop.queue("pens").await, shop.queue("inks").await);
    let mut consumers = [shop.consume(&pens).await, shop.consume(&inks).await];
    for queue in [&pens, &inks] {
        for _ in 0..2 {
            let _unasked = shop.publish(queue, queue.as_str()).await;
        }
    }
    let counts = |pen: i64, ink: i64| {
        let of = |queue: &ShortString| with(server(), "otelware.rabbitmq.queue", queue.as_str());
        let name = "otelware.rabbitmq.unacknowledged_deliveries";
        let points = vec![(of(&pens), pen), (of(&inks), ink)];
        shop.telemetry
            .metric(name)
            .assert(in_flight(name, "{delivery}", points));
    };
    let mut first = Vec::new();
    for consumer in &mut consumers {
        first.push(consumer.next().await.unwrap().unwrap());
        // No more come before this one is settled.
        assert!(poll!(consumer.next()).is_pending());
    }
    counts(1, 1);
    for (delivery, queue) in first.iter().zip([&pens, &inks]) {
        assert_eq!(delivery.data, queue.as_str().as_bytes());
        delivery.start_process().finish();
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    counts(0, 0);
    for consumer in &mut consumers {
        let second = consumer.next().await.unwrap().unwrap();
        second.nack(BasicNackOptions::default()).await.unwrap();
    }
    counts(0, 0);
    for queue in [&pens, &inks] {
        for (name, count) in [("process", 1), ("ack", 1), ("nack", 1)] {
            let name = format!("{name} {queue}");
            let spans = shop.telemetry.spans();
            assert_eq!(
                spans.iter().filter(|span| span.name == name).count(),
                count,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn queues_that_the_broker_named_are_kept_out_of_names_and_metrics() {
    let shop = Shop::open().await;
    let exchange: ShortString = unique("fanout").into();
    let options = ExchangeDeclareOptions {
        auto_delete: true,
        ..Default::default()
    };
    let fanout = lapin::ExchangeKind::Fanout;
    let declared =
        shop.channel
            .exchange_declare(exchange.clone(), fanout, options, FieldTable::default());
    declared.await.unwrap();
    let mine = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..Default::default()
    };
    let own: ShortString = unique("mine").into();
    let mut names = Vec::new();
    for name in [ShortString::default(), own.clone()] {
        let declared = shop
            .channel
            .queue_declare(name, mine, FieldTable::default())
            .await
            .unwrap();
        let name = declared.name().clone();
        let binding = shop.channel.queue_bind(
            name.clone(),
            exchange.clone(),
            "".into(),
            Default::default(),
            FieldTable::default(),
        );
        binding.await.unwrap();
        names.push(name);
    }
    let _unasked = shop
        .channel
        .basic_publish(
            exchange.clone(),
            "".into(),
            Default::default(),
            b"",
            BasicProperties::default(),
        )
        .await
        .unwrap();
    let publish = shop.telemetry.span(&format!("publish {exchange}"));
    for (queue, is_anonymous) in names.iter().zip([true, false]) {
        let mut consumer = shop.consume(queue).await;
        let delivery = consumer.next().await.unwrap().unwrap();
        delivery.start_process().finish();
        delivery.ack(BasicAckOptions::default()).await.unwrap();
        let tag = i64::try_from(delivery.delivery_tag).unwrap();
        let name = format!("{exchange}:{queue}");
        let flagged = |verb: &'static str| {
            let expected = named(verb, verb, &name)
                .attribute("messaging.destination.temporary", true)
                .attribute("rabbitmq.message.delivery_tag", tag);
            match is_anonymous {
                true => expected.attribute("messaging.destination.anonymous", true),
                false => expected,
            }
        };
        let process = shop.last("process");
        process.assert(
            flagged("process")
                .remote_child_of(&publish)
                .link_to(&publish),
        );
        shop.last("ack").assert(flagged("ack"));
    }
    let all = vec![(measured("process", ""), 2)];
    shop.telemetry
        .metric("messaging.process.duration")
        .assert(processing(all));
    let name = "otelware.rabbitmq.unacknowledged_deliveries";
    let none = vec![(server(), 0)];
    shop.telemetry
        .metric(name)
        .assert(in_flight(name, "{delivery}", none));
}

#[tokio::test]
async fn the_queue_that_was_declared_last_is_meant_where_none_is_named() {
    let shop = Shop::open().await;
    let queue = shop.queue("last").await;
    let _unasked = shop.publish(&queue, "hello").await;
    let mut consumer = shop.consume(&ShortString::default()).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    delivery.reject(Default::default()).await.unwrap();
    shop.telemetry
        .span(&format!("reject {queue}"))
        .assert(settled("reject", &queue, 1).attribute("otelware.rabbitmq.requeue", false));
}

#[tokio::test]
async fn headers_of_any_type_never_break_consumption() {
    let shop = Shop::open().await;
    let queue = shop.queue("odd").await;
    let sender = RemoteParent::sampled();
    let parent = sender.traceparent();
    let bytes = ByteArray::from(parent.as_bytes());
    let odd = [
        (AMQPValue::ByteArray(bytes), true),
        (AMQPValue::LongString(parent.as_str().into()), true),
        (
            AMQPValue::FieldArray(vec![AMQPValue::LongString(parent.as_str().into())].into()),
            true,
        ),
        (AMQPValue::LongString(vec![0, 255].into()), false),
        (AMQPValue::ByteArray(ByteArray::from(&[0, 255][..])), false),
        (AMQPValue::LongLongInt(7), false),
        (AMQPValue::Void, false),
        (AMQPValue::Boolean(true), false),
        (AMQPValue::FieldTable(FieldTable::default()), false),
        (AMQPValue::Timestamp(7), false),
        (AMQPValue::LongString("x".repeat(20_000).into()), false),
    ];
    let raw = shop.unseen().await;
    let consumer = shop.consume(&queue).await;
    let mut consumer = pin!(consumer);
    for (value, is_context) in odd {
        shop.telemetry.reset();
        let sent = headers([
            ("traceparent", value.clone()),
            ("baggage", value.clone()),
            ("tracestate", value.clone()),
            ("x-death", value.clone()),
            (
                "x-delivery-count",
                AMQPValue::FieldTable(FieldTable::default()),
            ),
        ]);
        let properties = BasicProperties::default().with_headers(sent.clone());
        let publishing = raw.basic_publish(
            "".into(),
            queue.clone(),
            Default::default(),
            b"",
            properties,
        );
        let _unasked = publishing.await.unwrap();
        let delivery = consumer.next().await.unwrap().unwrap();
        assert_eq!(delivery.properties.headers().as_ref(), Some(&sent));
        let tag = i64::try_from(delivery.delivery_tag).unwrap();
        delivery.start_process().finish();
        let process = shop.telemetry.span(&format!("process {queue}"));
        let expected = processed(&queue, tag);
        process.assert(match is_context {
            true => expected.remote_child_of(&sender).link_to(&sender),
            false => expected,
        });
    }
}

#[tokio::test]
async fn what_is_settled_by_being_sent_is_not_watched() {
    let shop = Shop::open().await;
    let queue = shop.queue("no-ack").await;
    let _unasked = shop.publish(&queue, "hello").await;
    let options = BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let consuming = shop
        .channel
        .basic_consume(queue, "".into(), options, FieldTable::default());
    let mut consumer = consuming.await.unwrap();
    let delivery = consumer.next().await.unwrap().unwrap();
    let metrics = shop.telemetry.metrics();
    let watched = |name: &str| metrics.iter().any(|metric| metric.name == name);
    assert!(!watched("otelware.rabbitmq.unacknowledged_deliveries"));
    assert!(watched("messaging.client.consumed.messages"));
    // A field can be taken out, as out of lapin's own.
    let data: Vec<u8> = delivery.data;
    assert_eq!(data, b"hello");
}

#[tokio::test]
async fn a_mock_is_processed_too() {
    let delivery = Delivery::mock(7, "shop".into(), "new".into(), true, b"hello".to_vec());
    assert!(delivery.process(async { Ok::<_, ()>(()) }).await.is_ok());
    assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
    assert!(!delivery.ack(BasicAckOptions::default()).await.unwrap());
    assert_eq!(delivery.into_inner().data, b"hello");
}

#[tokio::test]
async fn filters_decide_on_signals_and_the_context_flows_all_the_same() {
    let asked: Arc<Mutex<Vec<&str>>> = Arc::default();
    let counted = asked.clone();
    let shop = Shop::open_with(|options| {
        options.with_filter(move |message| {
            counted.lock().unwrap().push(message.operation);
            message.operation != "process"
        })
    })
    .await;
    let queue = shop.queue("filtered").await;
    let delivery = delivered(&shop, &queue).await;
    let publish = shop.telemetry.span(&format!("publish {queue}"));
    let seen = delivery
        .process(async { Ok::<_, ()>(Context::current().span().span_context().span_id()) })
        .await;
    assert_eq!(seen, Ok(publish.span_id));
    assert_eq!(shop.telemetry.spans().len(), 1);
    assert_eq!(publish.kind, SpanKind::Producer);
    assert_eq!(*asked.lock().unwrap(), ["publish", "consume", "process"]);
    let metrics = shop.telemetry.metrics();
    assert!(
        metrics
            .iter()
            .all(|metric| metric.name != "messaging.process.duration")
    );
}
