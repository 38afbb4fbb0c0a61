//! Without any provider there is nothing to be seen, and all is as with lapin; context passes through
//! nevertheless, with the first message as with those that follow, which take a shorter way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicPublishOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Confirmation};
use otelware_lapin::message::DeliveryResult;
use otelware_lapin::otelware::messaging::{ExistingContext, Parenting};
use otelware_lapin::otelware::opentelemetry::Context;
use otelware_lapin::otelware::opentelemetry::baggage::BaggageExt;
use otelware_lapin::otelware::opentelemetry::trace::{FutureExt, TraceContextExt};
use otelware_lapin::otelware::propagation::{CompositePropagator, Outbound, Trust};
use otelware_lapin::{AmqpOptions, Channel, Connection};
use otelware_testing::RemoteParent;
use std::sync::{Arc, Mutex};
use support::{connect, consume, headers, publish, unique};

const MESSAGES: usize = 4;

fn idle() -> AmqpOptions {
    AmqpOptions::new().with_propagator(CompositePropagator::default())
}

/// A channel that nobody wants to know of, and one of lapin's.
struct Unseen {
    _connection: Connection,
    channel: Channel,
    raw: lapin::Channel,
    queue: ShortString,
}

impl Unseen {
    async fn open(options: AmqpOptions) -> Self {
        let connection = connect(options).await;
        let channel = connection.create_channel().await.unwrap();
        let queue: ShortString = unique("idle").into();
        let exclusive = QueueDeclareOptions::exclusive();
        let declaring = channel.queue_declare(queue.clone(), exclusive, FieldTable::default());
        declaring.await.unwrap();
        Self {
            raw: connection.inner().create_channel().await.unwrap(),
            _connection: connection,
            channel,
            queue,
        }
    }

    /// Publishes messages with these headers by lapin.
    async fn fill(&self, with: &FieldTable) {
        for _ in 0..MESSAGES {
            let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
            let properties = BasicProperties::default().with_headers(with.clone());
            let queue = self.queue.clone();
            let publishing = self
                .raw
                .basic_publish(exchange, queue, options, b"1", properties);
            publishing.await.unwrap().await.unwrap();
        }
    }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// The span that is current, and the baggage.
fn current() -> (String, String) {
    let context = Context::current();
    let id = context.span().span_context().span_id();
    (id.to_string(), context.baggage().to_string())
}

fn nothing() -> (String, String) {
    ("0".repeat(16), String::new())
}

/// The headers that arrive of messages that are published with these, within the context of a remote
/// span if there is one.
async fn arriving(
    options: AmqpOptions,
    around: Option<&RemoteParent>,
    with: Option<FieldTable>,
) -> FieldTable {
    let unseen = Unseen::open(options).await;
    let context = around.map_or_else(Context::new, RemoteParent::context);
    for _ in 0..MESSAGES {
        let mut properties = BasicProperties::default();
        if let Some(headers) = &with {
            properties = properties.with_headers(headers.clone());
        }
        let publishing = publish(&unseen.channel, &unseen.queue, "1", properties);
        let _unasked = publishing.with_context(context.clone()).await;
    }
    let (queue, options) = (unseen.queue.clone(), BasicConsumeOptions::default());
    let consuming = unseen
        .raw
        .basic_consume(queue, "".into(), options, FieldTable::default());
    let mut consumer = consuming.await.unwrap();
    let mut arrived = Vec::new();
    for _ in 0..MESSAGES {
        let delivery = consumer.next().await.unwrap().unwrap();
        arrived.push(delivery.properties.headers().clone().unwrap_or_default());
    }
    assert!(arrived.iter().all(|headers| *headers == arrived[0]));
    arrived.remove(0)
}

#[tokio::test]
async fn the_current_context_goes_with_a_message() {
    let around = RemoteParent::sampled();
    let mine = ("mine", AMQPValue::LongLongInt(7));
    let here = ("traceparent", text(&around.traceparent()));
    let other = format!("00-{}-{}-01", "7".repeat(32), "7".repeat(16));
    let other = ("traceparent", text(&other));

    let arrived = arriving(idle(), Some(&around), None).await;
    assert_eq!(arrived, headers([here.clone()]));
    let with = Some(headers([mine.clone(), other.clone()]));
    let arrived = arriving(idle(), Some(&around), with.clone()).await;
    assert_eq!(arrived, headers([mine.clone(), here]));
    let preserve = idle().with_existing_context(ExistingContext::Preserve);
    let arrived = arriving(preserve, Some(&around), with.clone()).await;
    assert_eq!(arrived, headers([mine.clone(), other.clone()]));
    // Without a context there is nothing to pass on.
    assert_eq!(arriving(idle(), None, None).await, FieldTable::default());
    let arrived = arriving(idle(), None, with).await;
    assert_eq!(arrived, headers([mine, other]));
}

#[tokio::test]
async fn baggage_that_must_not_leave_does_not_even_where_no_other_header_is_left() {
    let with = Some(headers([("Baggage", text("tenant=7"))]));
    let options = idle().with_outbound(Outbound::TraceContextOnly);
    assert_eq!(arriving(options, None, with).await, FieldTable::default());
}

#[tokio::test]
async fn a_message_is_processed_in_its_context() {
    let remote = RemoteParent::sampled();
    let sent = headers([
        ("traceparent", text(&remote.traceparent())),
        ("baggage", text("tenant=7")),
    ]);
    let theirs = (remote.span_id.to_string(), "tenant=7".to_owned());
    for (trust, expected) in [(Trust::Trusted, theirs), (Trust::Public, nothing())] {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let names = asked.clone();
        let options = idle().with_trust(trust).with_parenting_by(move |name| {
            names.lock().unwrap().push(name.to_owned());
            Parenting::Auto
        });
        let unseen = Unseen::open(options).await;
        unseen.fill(&sent).await;
        let mut consumer = consume(&unseen.channel, &unseen.queue).await;
        for _ in 0..MESSAGES {
            let delivery = consumer.next().await.unwrap().unwrap();
            let mut processing = delivery.start_process();
            assert_eq!(processing.in_scope(current), expected);
            let part = processing.within(async {
                tokio::task::yield_now().await;
                current()
            });
            assert_eq!(part.await, expected);
            processing.finish();
            let result: Result<(), _> = delivery.process_sync(|| Err(current()));
            assert_eq!(result, Err(expected.clone()));
            assert!(delivery.ack(BasicAckOptions::default()).await.unwrap());
        }
        let asked = asked.lock().unwrap();
        assert!(asked.iter().all(|name| *name == unseen.queue.as_str()));
    }
    assert_eq!(current(), nothing());
}

#[tokio::test]
async fn a_delegate_runs_in_the_context_of_its_message() {
    let remote = RemoteParent::sampled();
    let unseen = Unseen::open(idle()).await;
    let sent = headers([("traceparent", text(&remote.traceparent()))]);
    let consumer = consume(&unseen.channel, &unseen.queue).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    consumer.set_delegate(move |delivery: DeliveryResult| {
        let (tell, at_once) = (tell.clone(), current());
        async move {
            let Ok(Some(delivery)) = delivery else { return };
            delivery.fail("out_of_stock");
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            tell.send([at_once, current()]).unwrap();
        }
    });
    unseen.fill(&sent).await;
    for _ in 0..MESSAGES {
        let theirs = (remote.span_id.to_string(), String::new());
        assert_eq!(told.recv().await, Some([theirs.clone(), theirs]));
    }
}

#[tokio::test]
async fn all_else_is_as_with_lapin() {
    let unseen = Unseen::open(idle()).await;
    let (channel, queue) = (&unseen.channel, &unseen.queue);
    channel.confirm_select(Default::default()).await.unwrap();
    for _ in 0..MESSAGES {
        let confirm = publish(channel, queue, "1", BasicProperties::default()).await;
        assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));
    }
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..Default::default()
    };
    let (nowhere, properties) = (unique("nowhere"), BasicProperties::default());
    let publishing = channel.basic_publish(
        "".into(),
        nowhere.as_str().into(),
        mandatory,
        b"",
        properties,
    );
    let returned = publishing.await.unwrap().await.unwrap().take_message();
    assert_eq!(returned.unwrap().routing_key.as_str(), nowhere);

    let got = channel.basic_get(queue.clone(), BasicGetOptions::default());
    let got = got.await.unwrap().unwrap();
    assert_eq!((got.message_count, got.redelivered), (3, false));
    let back = BasicNackOptions {
        requeue: true,
        multiple: false,
    };
    assert!(got.nack(back).await.unwrap());
    assert!(!got.nack(back).await.unwrap());
    let consumer = consume(channel, queue).await;
    let deliveries: Vec<_> = consumer.clone().take(MESSAGES).collect().await;
    let deliveries: Vec<_> = deliveries.into_iter().map(Result::unwrap).collect();
    let batch = consumer.process_batch(&deliveries, async { Err::<(), _>(current()) });
    assert_eq!(batch.await, Err(nothing()));
    let last = deliveries.last().unwrap().delivery_tag;
    let multiple = BasicAckOptions { multiple: true };
    channel.basic_ack(last, multiple).await.unwrap();
    let empty = channel.queue_purge(queue.clone(), Default::default());
    assert_eq!(empty.await.unwrap(), 0);
    let unknown = channel.basic_get(nowhere.into(), BasicGetOptions::default());
    assert!(unknown.await.unwrap_err().is_amqp_soft_error());
    let closed = channel.basic_get(queue.clone(), BasicGetOptions::default());
    closed.await.unwrap_err();
}
