//! What every message broker's instrumentation shares: who is whose parent, what is linked, how
//! operations end, on spans and metrics alike.
#![cfg(feature = "messaging")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use otelware::messaging::{
    Broker, Call, Client, Destination, Envelope, ExistingContext, HeaderCapture, Options,
    Parenting, Received, Verb,
};
use otelware::operation::{ErrorType, Label, Moment, Operation, Outcome, Signals};
use otelware::propagation::{CompositePropagator, Outbound, PairsExtractor, PairsInjector, Trust};
use otelware_testing::{
    Capture, ExpectedSpan, Span, Value, attributes, expect_counter, expect_histogram, expect_span,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const SEND: Verb = Verb::send("send");
const POLL: Verb = Verb::receive("poll");
const PROCESS: Verb = Verb::process("process");
const ACK: Verb = Verb::settle("ack");
const ORDERS: Destination<'static> = Destination::named("orders");
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.45.0";
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

type Headers = Vec<(String, String)>;

fn client_with(capture: &Capture, change: impl FnOnce(&mut Options)) -> Arc<Client> {
    let mut options = Options::default();
    options
        .providers
        .set_tracer_provider(capture.tracer_provider());
    options
        .providers
        .set_meter_provider(capture.meter_provider());
    options
        .providers
        .set_logger_provider(capture.logger_provider());
    options
        .providers
        .set_propagator(CompositePropagator::default());
    change(&mut options);
    let broker = Broker {
        system: "post",
        address: Some("broker.example".to_owned()),
        port: Some(99),
        client_id: Some("client-1".to_owned()),
        consumer_group: Some("shop".to_owned()),
    };
    Client::new("library", "1.2.3", options, broker)
}

fn client(capture: &Capture) -> Arc<Client> {
    client_with(capture, |_| {})
}

fn envelope<'a>(destination: Destination<'a>, headers: &'a PairsExtractor<'a>) -> Envelope<'a> {
    Envelope {
        destination,
        headers: Some(headers),
        body_size: 3,
    }
}

/// Sends a message with these headers, and returns the headers that it went out with.
fn send(client: &Arc<Client>, mut headers: Headers) -> Headers {
    let before = headers.clone();
    let extractor = PairsExtractor(&before);
    let sending = client.send(SEND, &envelope(ORDERS, &extractor), |_| {});
    client.inject(&sending, &mut PairsInjector(&mut headers));
    sending.finish(&Outcome::Success);
    headers
}

/// Processes a message with these headers.
fn process(client: &Arc<Client>, headers: &Headers) {
    let extractor = PairsExtractor(headers);
    client
        .process(PROCESS, &envelope(ORDERS, &extractor), |_| {})
        .finish();
}

/// Runs within a span of its own, and returns that.
fn within(capture: &Capture, run: impl FnOnce()) -> Span {
    let mut operation = otelware::operation("around")
        .with_tracer_provider(capture.tracer_provider())
        .start();
    operation.in_scope(run);
    operation.finish();
    capture.span("around")
}

fn fixed(verb: &'static str, class: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("messaging.system.name", "post"),
        ("messaging.operation.name", verb),
        ("messaging.operation.type", class),
        ("messaging.destination.name", "orders"),
        ("server.address", "broker.example"),
        ("messaging.client.id", "client-1"),
    ]
}

/// A span of what is done to `orders`, with all its attributes.
fn expect(verb: &'static str, class: &'static str) -> ExpectedSpan {
    let span = expect_span(format!("{verb} orders"))
        .attributes(fixed(verb, class))
        .attribute("server.port", 99);
    match class {
        "send" => span.kind(SpanKind::Producer),
        "process" => span
            .kind(SpanKind::Consumer)
            .attribute("messaging.consumer.group.name", "shop"),
        _ => span
            .kind(SpanKind::Client)
            .attribute("messaging.consumer.group.name", "shop"),
    }
}

/// What a point or span tells under this key.
fn told(attribute: Option<&Value>) -> Option<String> {
    attribute.map(|value| value.to_string().trim_matches('"').to_owned())
}

#[test]
fn a_message_s_way_is_one_trace_with_links() {
    let capture = Capture::new();
    let client = client(&capture);
    let headers = send(&client, Vec::new());
    process(&client, &headers);
    let (sent, processed) = (capture.span("send orders"), capture.span("process orders"));
    assert_eq!(headers, [("traceparent".to_owned(), sent.traceparent())]);
    sent.assert(
        expect("send", "send")
            .kind(SpanKind::Producer)
            .no_parent()
            .no_links()
            .status_unset()
            .scope("library", "1.2.3", SCHEMA),
    );
    processed.assert(
        expect("process", "process")
            .kind(SpanKind::Consumer)
            .remote_child_of(&sent)
            .link_to(&sent)
            .status_unset()
            .scope("library", "1.2.3", SCHEMA),
    );
    let point = |verb: &'static str| {
        attributes! {
            "messaging.system.name" => "post",
            "messaging.operation.name" => verb,
            "messaging.destination.name" => "orders",
            "server.address" => "broker.example",
            "server.port" => 99,
        }
    };
    let mut sending = point("send");
    sending.insert("messaging.operation.type".to_owned(), "send".into());
    let mut processing = point("process");
    processing.insert("messaging.consumer.group.name".to_owned(), "shop".into());
    capture
        .metric("messaging.client.operation.duration")
        .assert(
            expect_histogram("messaging.client.operation.duration")
                .unit("s")
                .description(
                    "Duration of messaging operation initiated by a producer or consumer client.",
                )
                .boundaries(&BOUNDARIES)
                .scope("library", "1.2.3", SCHEMA)
                .point(sending, 1),
        );
    capture.metric("messaging.process.duration").assert(
        expect_histogram("messaging.process.duration")
            .unit("s")
            .description("Duration of processing operation.")
            .boundaries(&BOUNDARIES)
            .scope("library", "1.2.3", SCHEMA)
            .point(processing, 1),
    );
    capture.metric("messaging.client.sent.messages").assert(
        expect_counter("messaging.client.sent.messages")
            .unit("{message}")
            .description("Number of messages producer attempted to send to the broker.")
            .scope("library", "1.2.3", SCHEMA)
            .point(point("send"), 1),
    );
}

#[test]
fn whose_child_processing_is_can_be_decided_by_the_destination() {
    for (parenting, alone, enclosed) in [
        (Parenting::Auto, true, false),
        (Parenting::Link, false, false),
        (Parenting::Parent, true, true),
    ] {
        let capture = Capture::new();
        let client = client_with(&capture, |options| {
            options.parenting = Some(Arc::new(move |name| {
                assert_eq!(name, "orders");
                parenting
            }));
        });
        let headers = send(&client, Vec::new());
        let sent = capture.span("send orders");
        process(&client, &headers);
        let expected = expect("process", "process").link_to(&sent);
        let expected = match alone {
            true => expected.remote_child_of(&sent),
            false => expected.no_parent(),
        };
        capture.span("process orders").assert(expected);

        capture.reset();
        let around = within(&capture, || process(&client, &headers));
        let expected = expect("process", "process").link_to(&sent);
        let expected = match enclosed {
            true => expected.remote_child_of(&sent).link_to(&around),
            false => expected.child_of(&around),
        };
        capture.span("process orders").assert(expected);
    }
}

#[test]
fn a_context_that_a_message_has_is_replaced_and_linked_or_stays() {
    for existing in [ExistingContext::Replace, ExistingContext::Preserve] {
        let capture = Capture::new();
        let client = client_with(&capture, |options| options.existing_context = existing);
        let first = send(&client, Vec::new());
        let received = capture.span("send orders");
        capture.reset();
        let forwarded = send(&client, first.clone());
        let sent = capture.span("send orders");
        let expected = expect("send", "send").no_parent().link_to(&received);
        match existing {
            ExistingContext::Replace => {
                assert_eq!(forwarded, [("traceparent".to_owned(), sent.traceparent())]);
                sent.assert(expected.kind(SpanKind::Producer));
            }
            ExistingContext::Preserve => {
                assert_eq!(forwarded, first);
                sent.assert(expected.kind(SpanKind::Client));
            }
        }
    }
}

#[test]
fn strangers_are_linked_only() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| options.trust = Trust::Public);
    let mut headers = send(&client, Vec::new());
    headers.push(("baggage".to_owned(), "tenant=7".to_owned()));
    let sent = capture.span("send orders");
    let extractor = PairsExtractor(&headers);
    let mut processing = client.process(PROCESS, &envelope(ORDERS, &extractor), |_| {});
    let baggage = processing.in_scope(|| {
        use opentelemetry::baggage::BaggageExt;
        Context::current().baggage().to_string()
    });
    processing.finish();
    assert_eq!(baggage, "");
    let processed = capture.span("process orders");
    processed.assert(expect("process", "process").no_parent().link_to(&sent));
}

#[test]
fn nothing_leaves_where_nothing_may() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| options.outbound = Outbound::Nothing);
    assert_eq!(send(&client, Vec::new()), []);
    capture.span("send orders").assert(expect("send", "send"));
}

#[test]
fn a_batch_is_linked_to_all_its_senders_that_there_is_room_for() {
    let capture = Capture::new();
    let client = client(&capture);
    let all: Vec<Headers> = (0..130).map(|_| send(&client, Vec::new())).collect();
    let sent = capture.spans();
    capture.reset();
    let extractors: Vec<_> = all.iter().map(|headers| PairsExtractor(headers)).collect();
    let messages = extractors
        .iter()
        .enumerate()
        .map(|(number, headers)| Received {
            headers: Some(headers),
            attributes: vec![KeyValue::new(
                "messaging.message.id",
                i64::try_from(number).unwrap(),
            )],
        });
    client
        .process_batch(PROCESS, ORDERS, messages, |_| {})
        .finish();
    let mut expected = expect("process", "process")
        .kind(SpanKind::Consumer)
        .no_parent()
        .attribute("messaging.batch.message_count", 130)
        .attribute("otelware.messaging.unlinked_messages", 2);
    for (number, sent) in sent.iter().take(128).enumerate() {
        let number = i64::try_from(number).unwrap();
        expected = expected.link_with(sent, [("messaging.message.id", number)]);
    }
    capture.span("process orders").assert(expected);
}

#[tokio::test]
async fn processing_ends_with_its_result() {
    let capture = Capture::new();
    let client = client(&capture);
    let headers = Headers::new();
    let extractor = PairsExtractor(&headers);
    let message = envelope(ORDERS, &extractor);
    let begin = || client.process(PROCESS, &message, |_| {});

    let in_span = || Context::current().has_active_span();
    assert_eq!(
        begin().run(async { Ok::<_, ()>(in_span()) }).await,
        Ok(true)
    );
    let failed = begin().run(async { "x".parse::<i32>() }).await;
    assert!(failed.is_err());
    let failed = begin().run_sync(|| "x".parse::<i32>());
    assert!(failed.is_err());
    begin().fail("out_of_stock");
    drop(begin());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        begin().run_sync(|| -> Result<(), ()> { panic!("as expected") })
    }));
    assert!(panicked.is_err());

    let ends: Vec<_> = (capture.spans().iter())
        .map(|span| {
            let class = told(span.attribute("error.type"));
            (class, matches!(span.status, Status::Error { .. }))
        })
        .collect();
    let of = |class: Option<&str>, failed: bool| (class.map(str::to_owned), failed);
    assert_eq!(
        ends,
        [
            of(None, false),
            of(Some("ParseIntError"), true),
            of(Some("ParseIntError"), true),
            of(Some("out_of_stock"), true),
            of(Some("cancelled"), false),
            of(Some("panic"), true),
        ]
    );
    let durations = capture.metric("messaging.process.duration");
    assert_eq!((durations.total_count(), durations.points.len()), (6, 5));
    let events: Vec<_> = (capture.logs().iter())
        .map(|event| event.event_name.clone().unwrap_or_default())
        .collect();
    assert_eq!(events, ["messaging.process.exception"; 4]);
}

#[test]
fn a_sending_that_fails_counts_as_tried() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| options.error_messages = true);
    let message = Envelope {
        destination: ORDERS,
        headers: None,
        body_size: 3,
    };
    let mut sending: Operation<Call> = client.send_batch(SEND, &message, 7, |_| {});
    sending.describe_mut().set_partition(Label::new("3"));
    Call::fail(
        sending,
        ErrorType::from("NOT_ENOUGH_REPLICAS"),
        &"two of three",
    );
    capture.span("send orders").assert(
        expect("send", "send")
            .kind(SpanKind::Producer)
            .error_description("two of three")
            .attribute("messaging.batch.message_count", 7)
            .attribute("messaging.destination.partition.id", "3")
            .attribute("error.type", "NOT_ENOUGH_REPLICAS"),
    );
    let sent = capture.metric("messaging.client.sent.messages");
    assert_eq!((sent.points.len(), sent.total_sum()), (1, 7.0));
    let point = &sent.points[0];
    let told = |key: &str| told(point.attribute(key));
    assert_eq!(told("error.type").as_deref(), Some("NOT_ENOUGH_REPLICAS"));
    assert_eq!(
        told("messaging.destination.partition.id").as_deref(),
        Some("3")
    );
    assert_eq!(told("messaging.operation.type"), None);
}

#[test]
fn nameless_destinations_and_templates_keep_names_few() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| {
        options.template = Some(Arc::new(|name| {
            name.starts_with("customers.")
                .then(|| "customers.{id}".to_owned())
        }));
    });
    let send_to = |destination: Destination<'_>| {
        let message = Envelope {
            destination,
            headers: None,
            body_size: 0,
        };
        client
            .send(SEND, &message, |_| {})
            .finish(&Outcome::Success);
    };
    send_to(Destination {
        is_anonymous: true,
        is_temporary: true,
        ..Destination::named("made-by-the-broker-1")
    });
    send_to(Destination::named("customers.1"));
    send_to(Destination::named("customers.2"));
    let names: Vec<_> = capture
        .spans()
        .iter()
        .map(|span| span.name.clone())
        .collect();
    assert_eq!(
        names,
        ["send", "send customers.{id}", "send customers.{id}"]
    );
    let shown: Vec<_> = (capture.spans().iter())
        .map(|span| {
            let told = |key: &str| told(span.attribute(key));
            (
                told("messaging.destination.name"),
                told("messaging.destination.template"),
                told("messaging.destination.anonymous"),
                told("messaging.destination.temporary"),
            )
        })
        .collect();
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown,
        [
            (of("made-by-the-broker-1"), None, of("true"), of("true")),
            (of("customers.1"), of("customers.{id}"), None, None),
            (of("customers.2"), of("customers.{id}"), None, None),
        ]
    );
    for point in capture.metric("messaging.client.sent.messages").points {
        assert_eq!(point.attribute("messaging.destination.name"), None);
    }
}

#[test]
fn asking_and_settling_have_spans_where_they_are_wanted() {
    for (receives, settles) in [(false, true), (true, false)] {
        let capture = Capture::new();
        let client = client_with(&capture, |options| {
            options.receive_spans = receives;
            options.settle_spans = settles;
        });
        let headers = send(&client, Vec::new());
        let sent = capture.span("send orders");
        let extractor = PairsExtractor(&headers);
        let message = envelope(ORDERS, &extractor);
        client
            .receive(POLL, &message, Moment::now(), |_| {})
            .finish(&Outcome::Success);
        client.consumed(POLL, &ORDERS, Some(&Label::new("1")), 1);
        client.settle(ACK, ORDERS, |_| {}).finish(&Outcome::Success);
        let names: Vec<_> = capture
            .spans()
            .iter()
            .map(|span| span.name.clone())
            .collect();
        let expected = match receives {
            true => ["send orders", "poll orders"],
            false => ["send orders", "ack orders"],
        };
        assert_eq!(names, expected);
        if receives {
            let received = capture.span("poll orders");
            received.assert(
                expect("poll", "receive")
                    .kind(SpanKind::Client)
                    .no_parent()
                    .link_to(&sent),
            );
        }
        let durations = capture.metric("messaging.client.operation.duration");
        assert_eq!(durations.points.len(), 3);
        let consumed = capture.metric("messaging.client.consumed.messages");
        assert_eq!((consumed.points.len(), consumed.total_sum()), (1, 1.0));
    }
}

#[test]
fn filters_and_hooks_decide_on_what_is_told() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| {
        options.headers = HeaderCapture::new(["tenant"]);
        options.body_sizes = true;
        options.filter = Some(Arc::new(|view| match view.operation {
            "send" => Signals::TRACES,
            "ignored" => Signals::NONE,
            _ => Signals::METRICS,
        }));
        options.span_attributes = Some(Arc::new(|view| {
            let tenant = view.headers.and_then(|headers| headers.get("tenant"));
            vec![
                KeyValue::new("shop.tenant", tenant.unwrap_or_default().to_owned()),
                KeyValue::new("messaging.system.name", "mine"),
            ]
        }));
        options.metric_attributes = Some(Arc::new(|view| {
            vec![KeyValue::new("shop.topic", view.destination.to_owned())]
        }));
    });
    let headers = send(&client, vec![("tenant".to_owned(), "7".to_owned())]);
    process(&client, &headers);
    capture.span("send orders").assert(
        expect("send", "send")
            .attribute("messaging.message.body.size", 3)
            .any_value("messaging.header.tenant")
            .attribute("shop.tenant", "7"),
    );
    assert_eq!(capture.spans().len(), 1);
    let processed = capture.metric("messaging.process.duration");
    assert_eq!(
        told(processed.points[0].attribute("shop.topic")).as_deref(),
        Some("orders")
    );
    client.consumed(POLL, &ORDERS, None, 1);
    client.consumed(Verb::receive("ignored"), &ORDERS, None, 1);
    let consumed = capture.metric("messaging.client.consumed.messages");
    assert_eq!((consumed.points.len(), consumed.total_sum()), (1, 1.0));
    assert_eq!(
        told(consumed.points[0].attribute("shop.topic")).as_deref(),
        Some("orders")
    );
    // The context goes on whatever the filter says of spans.
    assert_eq!(headers.len(), 2);
}

#[test]
fn names_that_say_nothing_take_no_places_and_share_what_is_measured() {
    let capture = Capture::new();
    let client = client(&capture);
    let none = PairsExtractor(&[]);
    for reply in 0..3_000 {
        let name = format!("reply-{reply}");
        let destination = Destination {
            name: &name,
            template: None,
            is_anonymous: true,
            is_temporary: true,
        };
        let processing = client.process(PROCESS, &envelope(destination, &none), |_| {});
        processing.finish();
    }
    let spans = capture.spans();
    for (reply, span) in spans.iter().enumerate() {
        let name = span.attribute("messaging.destination.name");
        assert_eq!(told(name), Some(format!("reply-{reply}")));
        assert_eq!(span.name, "process");
    }
    let duration = capture.metric("messaging.process.duration");
    assert_eq!((duration.points.len(), duration.total_count()), (1, 3_000));
    // There is room left for those that do.
    process(&client, &Vec::new());
    let points = capture.metric("messaging.process.duration").points;
    let names = points
        .iter()
        .filter_map(|point| told(point.attribute("messaging.destination.name")));
    assert_eq!(names.collect::<Vec<_>>(), ["orders"]);
}

#[test]
fn asking_in_vain_has_a_span_where_that_is_wanted() {
    let capture = Capture::new();
    let client = client_with(&capture, |options| options.receive_spans = true);
    for has_span in [false, true] {
        let asking = client.receive_none(POLL, ORDERS, Moment::now(), has_span);
        asking.finish(&Outcome::Success);
    }
    assert_eq!(capture.spans().len(), 1);
    capture
        .span("poll orders")
        .assert(expect("poll", "receive"));
    let duration = capture.metric("messaging.client.operation.duration");
    assert_eq!(duration.total_count(), 2);
}

#[test]
fn a_partition_is_told_once() {
    let capture = Capture::new();
    let client = client(&capture);
    let none = PairsExtractor(&[]);
    for is_shown in [true, false] {
        let mut sending = client.send(SEND, &envelope(ORDERS, &none), |list| {
            if is_shown {
                list.push(KeyValue::new("messaging.destination.partition.id", "7"));
            }
        });
        let call = sending.describe_mut();
        if is_shown {
            call.set_shown_partition(Label::new("7"));
        }
        call.set_partition(Label::new("7"));
        sending.finish(&Outcome::Success);
    }
    // The capture fails at attributes that are set twice.
    for span in capture.spans() {
        let partition = span.attribute("messaging.destination.partition.id");
        assert_eq!(told(partition).as_deref(), Some("7"));
    }
    let sent = capture.metric("messaging.client.sent.messages");
    assert_eq!((sent.points.len(), sent.total_sum()), (1, 2.0));
}

#[test]
fn what_the_conventions_have_no_type_for_has_none() {
    let capture = Capture::new();
    let client = client(&capture);
    let managing = client.manage(Verb::manage("commit_transaction"), |list| {
        list.push(KeyValue::new("id", 7));
    });
    Call::fail(managing, ErrorType::new("FENCED"), &"x");
    let span = capture.span("commit_transaction");
    assert_eq!(span.kind, SpanKind::Client);
    let names: Vec<_> = span.attributes.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "error.type",
            "id",
            "messaging.client.id",
            "messaging.consumer.group.name",
            "messaging.operation.name",
            "messaging.system.name",
            "server.address",
            "server.port",
        ]
    );
    capture.event("messaging.send.exception");
    let duration = capture.metric("messaging.client.operation.duration");
    assert_eq!(
        duration.points[0].attribute("messaging.operation.type"),
        None
    );
}

/// Sends to a destination of this name, and returns the name of the span.
fn sent_to(capture: &Capture, client: &Arc<Client>, name: &str) -> String {
    let message = Envelope {
        destination: Destination::named(name),
        headers: None,
        body_size: 0,
    };
    client
        .send(SEND, &message, |_| {})
        .finish(&Outcome::Success);
    let spans = capture.spans();
    spans
        .last()
        .map(|span| span.name.clone())
        .unwrap_or_default()
}

/// The destinations that the metrics tell, and how often.
fn told_destinations(capture: &Capture) -> Vec<(Option<String>, Option<String>, u64)> {
    let sent = capture.metric("messaging.client.operation.duration");
    let mut told: Vec<_> = (sent.points.iter())
        .map(|point| {
            let name = told(point.attribute("messaging.destination.name"));
            let template = told(point.attribute("messaging.destination.template"));
            (name, template, point.count())
        })
        .collect();
    told.sort();
    told
}

#[test]
fn names_without_end_are_cut_and_not_kept() {
    let capture = Capture::new();
    let client = client(&capture);
    let long = "x".repeat(300);
    assert_eq!(
        sent_to(&capture, &client, &long),
        format!("send {}", "x".repeat(256))
    );
    assert_eq!(sent_to(&capture, &client, "orders"), "send orders");
    let shown = told(capture.spans()[0].attribute("messaging.destination.name"));
    assert_eq!(shown, Some(long));
    let orders = Some("orders".to_owned());
    assert_eq!(
        told_destinations(&capture),
        [(None, None, 1), (orders, None, 1)]
    );
}

#[test]
fn destinations_that_share_a_template_take_one_place() {
    let capture = Capture::new();
    let template = "customers.{id}";
    let client = client_with(&capture, |options| {
        options.template = Some(Arc::new(move |name| {
            name.starts_with("customers.").then(|| template.to_owned())
        }));
    });
    // More than there are places.
    for id in 0..3_000 {
        let name = sent_to(&capture, &client, &format!("customers.{id}"));
        assert_eq!(name, "send customers.{id}");
        capture.reset();
    }
    for name in ["orders", "customers.1"] {
        sent_to(&capture, &client, name);
    }
    let shown: Vec<_> = (capture.spans().iter())
        .map(|span| told(span.attribute("messaging.destination.name")))
        .collect();
    let of = |text: &str| Some(text.to_owned());
    assert_eq!(shown, [of("orders"), of("customers.1")]);
    assert!(told_destinations(&capture).contains(&(of("orders"), None, 1)));
}
