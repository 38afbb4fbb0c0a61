//! What is published, and how that ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::{StreamExt, poll};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions,
};
use lapin::types::{AMQPValue, ByteArray, FieldTable, ShortString};
use lapin::{BasicProperties, Confirmation, ExchangeKind};
use otelware_lapin::otelware::messaging::ExistingContext;
use otelware_lapin::otelware::opentelemetry::Context;
use otelware_lapin::otelware::opentelemetry::trace::{SpanKind, TraceContextExt};
use otelware_lapin::otelware::propagation::Outbound;
use otelware_testing::{RemoteParent, Value};
use std::pin::pin;
use support::*;

#[tokio::test]
async fn without_confirms_a_span_ends_when_the_message_is_written() {
    let shop = Shop::open().await;
    let queue = shop.queue("written").await;
    let confirm = shop.publish(&queue, "hello").await;
    shop.telemetry
        .span(&format!("publish {queue}"))
        .assert(published(&queue));
    assert_eq!(confirm.await.unwrap(), Confirmation::NotRequested);
    assert_eq!(shop.telemetry.spans().len(), 1);
    let all = vec![(measured("publish", queue.as_str()), 1)];
    let duration = shop.telemetry.metric("messaging.client.operation.duration");
    duration.assert(durations(all.clone()));
    duration.assert_same_reading(&shop.telemetry.spans());
    let sent = "messaging.client.sent.messages";
    shop.telemetry
        .metric(sent)
        .assert(counter(sent, "{message}", all));
}

#[tokio::test]
async fn with_confirms_a_span_ends_with_the_confirm() {
    let shop = Shop::confirmed().await;
    let queue = shop.queue("confirmed").await;
    let confirm = shop.publish(&queue, "hello").await;
    let pending = "otelware.rabbitmq.pending_confirms";
    assert_eq!(shop.telemetry.spans().len(), 0);
    shop.telemetry
        .metric(pending)
        .assert(in_flight(pending, "{message}", vec![(server(), 1)]));
    assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));
    shop.telemetry
        .span(&format!("publish {queue}"))
        .assert(published(&queue));
    shop.telemetry
        .metric(pending)
        .assert(in_flight(pending, "{message}", vec![(server(), 0)]));
}

#[tokio::test]
async fn a_dropped_confirm_ends_the_span_and_is_waited_for_all_the_same() {
    let shop = Shop::confirmed().await;
    let queue = shop.queue("dropped").await;
    drop(shop.publish(&queue, "hello").await);
    shop.telemetry
        .span(&format!("publish {queue}"))
        .assert(published(&queue));
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..Default::default()
    };
    let nowhere = unique("nowhere");
    let publishing = shop.channel.basic_publish(
        "".into(),
        nowhere.as_str().into(),
        mandatory,
        b"lost",
        BasicProperties::default(),
    );
    drop(publishing.await.unwrap());
    let returned = shop.channel.wait_for_confirms().await.unwrap();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].routing_key.as_str(), nowhere);
    shop.settle().await;
}

#[tokio::test]
async fn a_publishing_that_is_dropped_ends_without_an_error() {
    let shop = Shop::confirmed().await;
    let queue = shop.queue("given-up").await;
    {
        // It takes a while to write it.
        let body = "x".repeat(16 << 20);
        let publishing = pin!(shop.publish(&queue, &body));
        assert!(poll!(publishing).is_pending());
    }
    let span = shop.telemetry.span(&format!("publish {queue}"));
    span.assert(published(&queue));
    // lapin had it already.
    let mut consumer = shop.consume(&queue).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    let arrived = delivery.properties.headers().clone().unwrap();
    assert_eq!(text(&arrived, "traceparent"), span.traceparent());
    delivery.ack(BasicAckOptions::default()).await.unwrap();
    shop.settle().await;
}

#[tokio::test]
async fn a_refused_message_is_an_error_with_a_name() {
    let shop = Shop::confirmed().await;
    let limits = headers([
        ("x-max-length", AMQPValue::LongInt(1)),
        ("x-overflow", AMQPValue::LongString("reject-publish".into())),
    ]);
    let queue = shop.queue_with("full", limits).await;
    assert!(shop.publish(&queue, "first").await.await.unwrap().is_ack());
    // The queue may take one more before it notices.
    while !shop.publish(&queue, "more").await.await.unwrap().is_nack() {}
    let class = "basic.nack";
    shop.last(&format!("publish {queue}"))
        .assert(published(&queue).error().attribute("error.type", class));
    let sent = shop.telemetry.metric("messaging.client.sent.messages");
    assert_eq!(
        sent.point(failed("publish", queue.as_str(), class)).sum(),
        1.0
    );
}

#[tokio::test]
async fn a_message_that_comes_back_is_an_error() {
    let shop = Shop::confirmed().await;
    let nowhere: ShortString = unique("nowhere").into();
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..Default::default()
    };
    let publishing = shop.channel.basic_publish(
        "".into(),
        nowhere.clone(),
        mandatory,
        b"lost",
        BasicProperties::default(),
    );
    let confirmation = publishing.await.unwrap().await.unwrap();
    assert_eq!(confirmation.take_message().unwrap().reply_code, 312);
    shop.telemetry.span(&format!("publish {nowhere}")).assert(
        published(&nowhere)
            .error()
            .attribute("error.type", "no_route"),
    );
}

#[tokio::test]
async fn a_channel_that_the_broker_closes_fails_what_is_not_confirmed_and_what_follows() {
    let shop = Shop::confirmed().await;
    let exchange: ShortString = unique("unknown").into();
    let publish = || {
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let channel = &shop.channel;
        channel.basic_publish(exchange.clone(), "key".into(), options, b"", properties)
    };
    let error = publish().await.unwrap().await.unwrap_err();
    assert!(error.is_amqp_soft_error());
    let name = format!("{exchange}:key");
    let expected = |class: &str| {
        span("publish", &name)
            .attribute("rabbitmq.destination.routing_key", "key")
            .error()
            .attribute("error.type", class)
    };
    shop.telemetry
        .span(&format!("publish {name}"))
        .assert(expected("not_found"));
    shop.telemetry.reset();
    publish().await.unwrap_err();
    shop.telemetry
        .span(&format!("publish {name}"))
        .assert(expected("channel_closed"));
    shop.settle().await;
}

#[tokio::test]
async fn messages_show_their_ids_and_where_they_go() {
    let shop = Shop::open_with(|options| {
        options
            .with_body_sizes()
            .with_client_id("till 7")
            .with_captured_headers(["tenant"])
            .with_destination_template(|name| {
                let (exchange, _) = name.split_once(":customers.")?;
                exchange
                    .starts_with("otelware-")
                    .then(|| "shop:customers.{id}".to_owned())
            })
    })
    .await;
    let exchange: ShortString = unique("shop").into();
    let declared = shop.channel.exchange_declare(
        exchange.clone(),
        ExchangeKind::Topic,
        ExchangeDeclareOptions {
            auto_delete: true,
            ..Default::default()
        },
        FieldTable::default(),
    );
    declared.await.unwrap();
    for id in ["7", "8"] {
        let properties = BasicProperties::default()
            .with_message_id(format!("message {id}").into())
            .with_correlation_id("talk".into())
            .with_headers(headers([("tenant", AMQPValue::LongString("t".into()))]));
        let key = format!("customers.{id}");
        let options = BasicPublishOptions::default();
        let publishing =
            shop.channel
                .basic_publish(exchange.clone(), key.into(), options, b"12345", properties);
        let _unasked = publishing.await.unwrap();
    }
    let spans = shop.telemetry.spans();
    assert_eq!(spans.len(), 2);
    for (id, span) in ["7", "8"].into_iter().zip(&spans) {
        let name = format!("{exchange}:customers.{id}");
        let tenant = Value::List(vec!["t".into()]);
        span.assert(
            named("publish shop:customers.{id}", "publish", &name)
                .attribute("messaging.destination.template", "shop:customers.{id}")
                .attribute(
                    "rabbitmq.destination.routing_key",
                    format!("customers.{id}"),
                )
                .attribute("messaging.message.id", format!("message {id}"))
                .attribute("messaging.message.conversation_id", "talk")
                .attribute("messaging.message.body.size", 5)
                .attribute("messaging.client.id", "till 7")
                .attribute("messaging.header.tenant", tenant),
        );
    }
    let template = "messaging.destination.template";
    let measured = with(measured("publish", ""), template, "shop:customers.{id}");
    let duration = shop.telemetry.metric("messaging.client.operation.duration");
    duration.assert(durations(vec![(measured, 2)]));
    let delete = shop.channel.exchange_delete(exchange, Default::default());
    delete.await.unwrap();
}

/// The headers that arrive of a message that is published with these.
async fn arriving(shop: &Shop, sent: Option<FieldTable>) -> FieldTable {
    let queue = shop.queue("headers").await;
    let raw = shop.unseen().await;
    let mut consumer = raw
        .basic_consume(
            queue.clone(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    let mut properties = BasicProperties::default().with_priority(3);
    if let Some(headers) = sent {
        properties = properties.with_headers(headers);
    }
    let _unasked = publish(&shop.channel, &queue, "hello", properties).await;
    let delivery = consumer.next().await.unwrap().unwrap();
    assert_eq!(delivery.data, b"hello");
    assert_eq!(*delivery.properties.priority(), Some(3));
    delivery.properties.headers().clone().unwrap_or_default()
}

fn text(table: &FieldTable, name: &str) -> String {
    match table.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn the_context_goes_with_the_message_and_headers_of_all_types_stay() {
    let shop = Shop::open().await;
    let users = [
        (
            "bytes",
            AMQPValue::ByteArray(ByteArray::from(&[0, 255][..])),
        ),
        ("number", AMQPValue::LongLongInt(7)),
        ("truth", AMQPValue::Boolean(true)),
        ("void", AMQPValue::Void),
        ("time", AMQPValue::Timestamp(1_700_000_000)),
        ("double", AMQPValue::Double(0.5)),
        (
            "array",
            AMQPValue::FieldArray(vec![AMQPValue::LongInt(1)].into()),
        ),
        (
            "table",
            AMQPValue::FieldTable(headers([("x", AMQPValue::Void)])),
        ),
    ];
    let names: Vec<_> = users.iter().map(|(name, _)| *name).collect();
    let arrived = arriving(&shop, Some(headers(users.clone()))).await;
    for (name, value) in &users {
        assert_eq!(arrived.inner().get(*name), Some(value));
    }
    let span = &shop.telemetry.spans()[0];
    assert_eq!(text(&arrived, "traceparent"), span.traceparent());
    assert_eq!(arrived.inner().len(), names.len() + 1);

    shop.telemetry.reset();
    let arrived = arriving(&shop, None).await;
    let span = &shop.telemetry.spans()[0];
    assert_eq!(text(&arrived, "traceparent"), span.traceparent());
    assert_eq!(arrived.inner().len(), 1);
}

#[tokio::test]
async fn a_context_that_is_there_is_replaced_and_linked() {
    let shop = Shop::open().await;
    let earlier = RemoteParent::sampled().with_trace_state("a=1");
    let sent = headers([
        (
            "Traceparent",
            AMQPValue::LongString(earlier.traceparent().into()),
        ),
        ("tracestate", AMQPValue::LongString("a=1".into())),
        ("kept", AMQPValue::LongString("7".into())),
    ]);
    let arrived = arriving(&shop, Some(sent)).await;
    let span = &shop.telemetry.spans()[0];
    assert_eq!(span.links.len(), 1);
    assert_eq!(span.kind, SpanKind::Producer);
    assert_eq!(
        arrived,
        headers([
            ("kept", AMQPValue::LongString("7".into())),
            (
                "traceparent",
                AMQPValue::LongString(span.traceparent().into())
            ),
        ])
    );
    let queue: ShortString = span
        .attribute("messaging.destination.name")
        .unwrap()
        .as_str()
        .unwrap()
        .into();
    span.assert(published(&queue).link_to(&earlier));
}

#[tokio::test]
async fn a_context_that_is_there_stays_if_so_told() {
    let shop =
        Shop::open_with(|options| options.with_existing_context(ExistingContext::Preserve)).await;
    let earlier = RemoteParent::sampled();
    let sent = headers([(
        "traceparent",
        AMQPValue::LongString(earlier.traceparent().into()),
    )]);
    let arrived = arriving(&shop, Some(sent.clone())).await;
    assert_eq!(arrived, sent);
    let span = &shop.telemetry.spans()[0];
    let queue = span.attribute("messaging.destination.name").unwrap();
    let queue: ShortString = queue.as_str().unwrap().into();
    span.assert(published(&queue).kind(SpanKind::Client).link_to(&earlier));
}

#[tokio::test]
async fn nothing_leaves_where_that_is_wanted_and_the_parent_is_the_span_around() {
    let shop = Shop::open_with(|options| options.with_outbound(Outbound::Nothing)).await;
    assert_eq!(arriving(&shop, None).await, FieldTable::default());
    let queue = shop.queue("parent").await;
    let around = RemoteParent::sampled();
    let publishing = shop.publish(&queue, "hello");
    use otelware_lapin::otelware::opentelemetry::trace::FutureExt;
    let _unasked = publishing.with_context(around.context()).await;
    assert!(!Context::current().span().span_context().is_valid());
    shop.last(&format!("publish {queue}"))
        .assert(published(&queue).remote_child_of(&around));
}
