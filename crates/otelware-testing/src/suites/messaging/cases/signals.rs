//! Where telemetry goes, and what it must not have.

use std::sync::OnceLock;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt;
use opentelemetry::{Context, KeyValue, global};
use tokio::sync::Mutex;

use crate::Capture;
use crate::suites::messaging::case::Case;
use crate::suites::messaging::{
    Message, MessagingUnderTest, OutOfStock, Propagator, SECRET, Setup, assert_all,
};

/// The capture that the global providers are of, once they are set.
static GLOBAL: OnceLock<Capture> = OnceLock::new();

/// Held by the case that reads it.
static ALONE: Mutex<()> = Mutex::const_new(());

fn global_capture() -> &'static Capture {
    GLOBAL.get_or_init(|| {
        let capture = Capture::new();
        global::set_tracer_provider(capture.tracer_provider());
        global::set_meter_provider(capture.meter_provider());
        global::set_text_map_propagator(Propagator::new(""));
        capture
    })
}

fn message() -> Message {
    Message::new("3 pens")
}

/// And get nothing where others are given. So is the global propagator.
pub async fn the_global_providers_are_the_default_for_sending<M: MessagingUnderTest>() {
    let _alone = ALONE.lock().await;
    let global = global_capture();
    global.reset();
    let given = Case::<M>::new().await;
    let sent = given.send(&message()).await;
    given.finds(std::slice::from_ref(&sent));
    assert_all(global, &given.broker(), &[]);

    let client = M::connect(&Setup::global()).await;
    global.reset();
    let by_global = client.expected_send(&client.send(&message()).await);
    client.send_in_vain(&message()).await;
    let failed = client.expected_send_in_vain();
    assert_all(global, &client.broker(), &[by_global, failed]);
    let received = M::content(&client.receive().await);
    let traceparent = global.spans()[0].traceparent();
    assert_eq!(received.values("traceparent"), [traceparent.as_str()]);
    given.finds(&[sent]);
}

/// And get nothing where others are given.
pub async fn the_global_providers_are_the_default_for_processing<M: MessagingUnderTest>() {
    let _alone = ALONE.lock().await;
    let global = global_capture();
    global.reset();
    let given = Case::<M>::new().await;
    let received = given.unseen(&message()).await;
    given.process(&received, Ok(())).await;
    let expected = [given.consumed(&received), given.processed(&received)];
    given.finds(&expected);
    assert_all(global, &given.broker(), &[]);

    let client = M::connect(&Setup::global()).await;
    global.reset();
    client.send_unseen(&message()).await;
    let received = client.receive().await;
    M::finish(client.start_process(&received));
    let by_global = [
        client.expected_consume(&received),
        client.expected_process(&received),
    ];
    assert_all(global, &client.broker(), &by_global);
    given.finds(&expected);
}

/// A message that has the secret wherever there is room for it, even in headers that are shown.
fn secret() -> Message {
    Message {
        key: Some(SECRET.to_owned()),
        ..Message::new(SECRET)
    }
    .header("shop-note", SECRET)
    .header("authorization", format!("Bearer {SECRET}"))
    .header("callback", format!("https://me:{SECRET}@shop.example/"))
}

fn shown() -> Vec<&'static str> {
    vec!["authorization", "callback"]
}

/// Of bodies, keys, headers and baggage, in none of the signals.
pub async fn no_secret_is_told_of_sending<M: MessagingUnderTest>() {
    let case = Case::<M>::with(|setup| {
        setup.exceptions = true;
        setup.options.body_sizes = true;
        setup.options.captured_headers = shown();
    })
    .await;
    let baggage = Context::new().with_baggage([KeyValue::new("note", SECRET)]);
    let sending = async {
        case.client.send(&secret()).await;
        case.client.send_in_vain(&secret()).await;
    };
    sending.with_context(baggage).await;
    assert_eq!(case.telemetry.spans().len(), 2);
    assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
    case.telemetry.assert_never_contains(SECRET);
}

/// Of bodies, keys, headers, baggage and the texts of errors, in none of the signals.
pub async fn no_secret_is_told_of_processing<M: MessagingUnderTest>() {
    let case = Case::<M>::with(|setup| {
        setup.exceptions = true;
        setup.options.body_sizes = true;
        setup.options.captured_headers = shown();
    })
    .await;
    let sent = secret().header("baggage", format!("note={SECRET}"));
    for result in [Ok(()), Err(OutOfStock)] {
        let received = case.unseen(&sent).await;
        assert_eq!(M::content(&received).body, SECRET);
        case.process(&received, result).await;
    }
    assert_eq!(case.telemetry.spans().len(), 2);
    assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
    case.telemetry.assert_never_contains(SECRET);
}
