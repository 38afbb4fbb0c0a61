//! Messages between this crate and Python's pika under its OpenTelemetry instrumentation, through a
//! service in either language that sends on what it received, with its headers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, ShortString};
use otelware_lapin::message::Delivery;
use otelware_lapin::otelware::opentelemetry::baggage::BaggageExt;
use otelware_lapin::otelware::opentelemetry::trace::FutureExt;
use otelware_lapin::otelware::opentelemetry::{Context, KeyValue};
use otelware_testing::RemoteParent;
use otelware_testing::python::{Python, PythonSpan, PythonSpans};
use std::convert::Infallible;
use support::*;

/// Runs a script of `tests/python` with the broker's URL and these arguments.
fn python(script: &str, arguments: &[&str]) -> Option<PythonSpans> {
    let python = Python {
        directory: env!("CARGO_MANIFEST_DIR"),
        package: env!("CARGO_PKG_NAME"),
        module: "pika",
    };
    let url = url();
    let all: Vec<&str> = [&*url]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    python.run(script, &all)
}

/// The two spans of a message that was sent: pika's instrumentation makes one of the blocking
/// channel, and within it one of the channel beneath, whose context the message has.
#[track_caller]
fn both_sent<'a>(spans: &'a PythonSpans, name: &str) -> [&'a PythonSpan; 2] {
    let [inner, outer] = spans.all_named(name)[..] else {
        panic!("not two {name}: {spans:?}");
    };
    inner.assert_child_of(outer);
    assert_eq!(inner.text("/kind"), "SpanKind.PRODUCER");
    [outer, inner]
}

/// How many messages `odd.py` publishes: two with each value, of which three are a context.
const ODD_MESSAGES: i64 = 42;

/// A queue that both sides may use. It is gone a minute after they have gone.
async fn shared(shop: &Shop, name: &str) -> ShortString {
    let name: ShortString = unique(name).into();
    let arguments = headers([("x-expires", AMQPValue::LongInt(60_000))]);
    let options = QueueDeclareOptions::default();
    let declared = shop.channel.queue_declare(name.clone(), options, arguments);
    declared.await.unwrap();
    name
}

/// Lets the broker have it back before its time.
async fn delete(shop: &Shop, queue: ShortString) {
    let left = shop.channel.queue_delete(queue, Default::default()).await;
    assert_eq!(left.unwrap(), 0);
}

/// What the baggage of the current context says of the caller.
fn caller() -> Option<String> {
    let current = Context::current();
    current.baggage().get("caller").map(ToString::to_string)
}

async fn next(shop: &Shop, queue: &ShortString) -> Delivery {
    shop.consume(queue).await.next().await.unwrap().unwrap()
}

async fn acknowledge(delivery: &Delivery) {
    assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
}

/// Headers of all types that lapin knows and pika does, too.
fn odd() -> FieldTable {
    let bytes = || AMQPValue::ByteArray(ByteArray::from(&[0xff, 0][..]));
    let list = vec![AMQPValue::Void, bytes(), AMQPValue::LongString("x".into())];
    let decimal = DecimalValue {
        scale: 2,
        value: 1_234,
    };
    headers([
        ("array", AMQPValue::FieldArray(FieldArray::from(list))),
        ("boolean", AMQPValue::Boolean(true)),
        ("bytes", bytes()),
        ("decimal", AMQPValue::DecimalValue(decimal)),
        ("double", AMQPValue::Double(0.5)),
        ("long", AMQPValue::LongInt(-7)),
        ("longer", AMQPValue::LongLongInt(i64::MIN)),
        ("latin", AMQPValue::LongString(vec![0xe9].into())),
        ("short", AMQPValue::ShortInt(-7)),
        ("table", AMQPValue::FieldTable(FieldTable::default())),
        ("time", AMQPValue::Timestamp(2_147_483_648)),
        ("void", AMQPValue::Void),
    ])
}

/// What pika makes of them.
const ODD_IN_PYTHON: &str = "array:list,baggage:str,boolean:bool,bytes:bytes,decimal:Decimal,\
    double:long,latin:bytes,long:int,longer:long,short:int,table:dict,time:datetime,\
    traceparent:str,void:NoneType";

#[tokio::test]
async fn a_service_in_python_sends_on_what_it_got_from_rust() {
    let shop = Shop::open().await;
    let (orders, invoices) = (
        shared(&shop, "orders").await,
        shared(&shop, "invoices").await,
    );
    let properties = BasicProperties::default().with_headers(odd());
    // Without a blank: Python would write that as a plus, which means itself in W3C's baggage.
    let baggage = Context::new().with_baggage([KeyValue::new("caller", "rust;ü+")]);
    publish(&shop.channel, &orders, "teapot", properties)
        .with_context(baggage)
        .await
        .await
        .unwrap();
    let sent = shop.telemetry.span(&format!("publish {orders}"));

    let arguments = [orders.as_str(), "1", invoices.as_str()];
    let Some(spans) = python("consumer.py", &arguments) else {
        return;
    };
    let received = spans.named(&format!("{orders} receive"));
    received.assert_child_of(&sent);
    assert_eq!(received.text("/kind"), "SpanKind.CONSUMER");
    assert_eq!(received.text("/attributes/baggage.caller"), "rust;ü+");
    assert_eq!(received.text("/attributes/headers"), ODD_IN_PYTHON);
    let [outer, forwarded] = both_sent(&spans, &format!("{invoices} send"));
    outer.assert_child_of(received);

    let delivery = next(&shop, &invoices).await;
    let work = async {
        acknowledge(&delivery).await;
        Ok::<_, Infallible>(caller())
    };
    let found = delivery.process(work).await.unwrap();
    assert_eq!(found.as_deref(), Some("rust;ü+"));
    assert_eq!(delivery.data, b"teapot");
    let process = shop.telemetry.span(&format!("process {invoices}"));
    process.assert(
        processed(&invoices, 1)
            .remote_child_of(forwarded)
            .link_to(forwarded),
    );
    let ack = shop.telemetry.span(&format!("ack {invoices}"));
    ack.assert(settled("ack", &invoices, 1).child_of(&process));
    delete(&shop, orders).await;
    delete(&shop, invoices).await;
    shop.settle().await;
}

#[tokio::test]
async fn a_service_in_rust_sends_on_what_it_got_from_python() {
    let shop = Shop::open().await;
    let (orders, invoices) = (
        shared(&shop, "orders").await,
        shared(&shop, "invoices").await,
    );
    let Some(spans) = python("producer.py", &[orders.as_str()]) else {
        return;
    };
    let [_, sent] = both_sent(&spans, &format!("{orders} send"));

    let delivery = next(&shop, &orders).await;
    let forward = async {
        let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
        let (body, properties) = (&delivery.data, delivery.properties.clone());
        let channel = &shop.channel;
        let sending = channel.basic_publish(exchange, invoices.clone(), options, body, properties);
        sending.await?;
        delivery.ack(BasicAckOptions::default()).await?;
        Ok::<_, lapin::Error>(caller())
    };
    let found = delivery.process(forward).await.unwrap();
    assert_eq!(found.as_deref(), Some("python;ü+"));
    let id = ("messaging.message.id", "teapot-1");
    let process = shop.telemetry.span(&format!("process {orders}"));
    process.assert(
        processed(&orders, 1)
            .attribute(id.0, id.1)
            .remote_child_of(sent)
            .link_to(sent),
    );
    let forwarded = shop.telemetry.span(&format!("publish {invoices}"));
    forwarded.assert(
        published(&invoices)
            .attribute(id.0, id.1)
            .child_of(&process)
            .link_to(sent),
    );

    let Some(spans) = python("consumer.py", &[invoices.as_str(), "1"]) else {
        return;
    };
    let last = spans.named(&format!("{invoices} receive"));
    last.assert_child_of(&forwarded);
    assert_eq!(last.text("/attributes/baggage.caller"), "python;ü+");
    let headers = last.text("/attributes/headers");
    assert_eq!(headers, "baggage:str,mine:list,traceparent:str");
    delete(&shop, orders).await;
    delete(&shop, invoices).await;
    shop.settle().await;
}

#[tokio::test]
async fn headers_of_all_types_of_python_are_consumed() {
    let shop = Shop::open().await;
    let queue = shared(&shop, "odd").await;
    let sender = RemoteParent::sampled();
    let arguments = [queue.as_str(), &sender.traceparent()];
    if python("odd.py", &arguments).is_none() {
        return;
    }
    let mut consumer = shop.consume(&queue).await;
    let mut read = 0;
    for _ in 0..ODD_MESSAGES {
        let delivery = consumer.next().await.unwrap().unwrap();
        let work = async {
            acknowledge(&delivery).await;
            Ok::<_, Infallible>(())
        };
        delivery.process(work).await.unwrap();
        let process = shop.last(&format!("process {queue}"));
        let is_read = match &*delivery.data {
            b"read" => true,
            b"passed over" => false,
            other => panic!("{other:?}"),
        };
        read += i64::from(is_read);
        let has_parent = process.parent_span_id == Some(sender.span_id);
        let is_linked = process.links.len() == 1;
        let properties = &delivery.properties;
        assert_eq!(
            (has_parent, is_linked),
            (is_read, is_read),
            "{properties:?}"
        );
    }
    assert_eq!(read, ODD_MESSAGES / 2 + 3);
    delete(&shop, queue).await;
    shop.settle().await;
}
