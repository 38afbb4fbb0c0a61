//! What an instrumentation can be told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;

use super::sends::assert_nothing_seen;
use crate::suites::messaging::case::{Case, OWN_HEADER};
use crate::suites::messaging::{
    ExpectedOperation, Hook, Message, MessagingUnderTest, Options, OutOfStock, Signals, View,
};

/// Headers that are asked for: names, values, and what is shown of them.
pub(super) const HEADERS: [(&str, &str, &str); 3] = [
    ("shop-plan", "gold", "gold"),
    ("authorization", "Bearer 1234", "REDACTED"),
    ("callback", "https://me:1234@shop.example/", "REDACTED"),
];

/// Shows all that is hidden by default.
pub(super) fn all_shown(options: &mut Options) {
    options.template = Some("shop.{id}");
    options.body_sizes = true;
    options.captured_headers = HEADERS.map(|(name, ..)| name).to_vec();
    options.captured_headers.push("absent");
}

fn message() -> Message {
    Message::new("3 pens").header(OWN_HEADER.0, OWN_HEADER.1)
}

pub(super) fn filtered(operation: ExpectedOperation, signals: Signals) -> ExpectedOperation {
    match signals {
        Signals::None => operation.no_span().no_metrics(),
        Signals::Traces => operation.no_metrics(),
        Signals::Metrics => operation.no_span(),
        Signals::All => operation,
    }
}

/// What is not a hook's to set.
pub(super) fn reserved() -> Vec<KeyValue> {
    [
        "error.type",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system.name",
    ]
    .map(|key| KeyValue::new(key, "shop"))
    .into()
}

/// What the hooks of the suite add to that: an attribute of their own, one in the place of another,
/// and what they see of the message.
pub(super) fn own(
    mut list: Vec<KeyValue>,
    (key, address): (&'static str, &'static str),
    view: View<'_>,
) -> Vec<KeyValue> {
    let tenant = view.headers.and_then(|headers| headers.get(OWN_HEADER.0));
    list.extend([
        KeyValue::new(key, view.destination.to_owned()),
        KeyValue::new("server.address", address),
        KeyValue::new("shop.tenant", tenant.unwrap_or_default().to_owned()),
    ]);
    list
}

/// What they leave behind on an operation on a message of the suite's.
pub(super) fn hooked(operation: ExpectedOperation) -> ExpectedOperation {
    let destination = operation.destination().to_owned();
    operation
        .on_span("shop.span", destination.clone())
        .on_span("server.address", "replica")
        .on_span("shop.tenant", OWN_HEADER.1)
        .on_metrics("shop.metric", destination)
        .on_metrics("server.address", "cluster")
        .on_metrics("shop.tenant", OWN_HEADER.1)
}

/// Whether the filter or hook on processing is asked for that on which a message is counted.
fn is_of_processing(consumed: &ExpectedOperation, processed: &ExpectedOperation) -> bool {
    consumed.operation() == processed.operation()
}

/// The counter of messages is of the operation that it names.
pub async fn a_filter_decides_by_signal_on_processing<M: MessagingUnderTest>() {
    let processes = {
        let case = Case::<M>::new().await;
        let received = case.unseen(&message()).await;
        case.processed(&received).operation()
    };
    for signals in [
        Signals::None,
        Signals::Traces,
        Signals::Metrics,
        Signals::All,
    ] {
        let filter = Hook::new(move |view| match view.operation == processes {
            true => signals,
            false => Signals::All,
        });
        let case = Case::<M>::told(|options| options.filter = Some(filter)).await;
        let mut operations = Vec::new();
        for result in [Ok(()), Err(OutOfStock)] {
            let received = case.unseen(&message()).await;
            case.process(&received, result).await;
            let (consumed, processed) = (case.consumed(&received), case.processed(&received));
            operations.push(match is_of_processing(&consumed, &processed) {
                true => filtered(consumed.clone(), signals).no_span(),
                false => consumed,
            });
            let processed = match result {
                Ok(()) => processed,
                Err(OutOfStock) => processed.fails("OutOfStock"),
            };
            operations.push(filtered(processed, signals));
        }
        case.finds(&operations);
    }
}

/// With its destination; that a message is handed over is one.
pub async fn a_filter_is_shown_each_operation<M: MessagingUnderTest>() {
    for signals in [Signals::Traces, Signals::All] {
        let shown: Arc<Mutex<BTreeSet<(String, String)>>> = Arc::default();
        let seen = shown.clone();
        let filter = Hook::new(move |view: View<'_>| {
            let operation = (view.operation.to_owned(), view.destination.to_owned());
            seen.lock().expect("no panic").insert(operation);
            signals
        });
        let case = Case::<M>::told(|options| options.filter = Some(filter)).await;
        shown.lock().expect("no panic").clear();
        let received = case.unseen(&message()).await;
        case.process(&received, Ok(())).await;
        let (consumed, processed) = (case.consumed(&received), case.processed(&received));
        let expected: BTreeSet<(String, String)> = [&consumed, &processed]
            .map(|operation| (operation.operation().into(), operation.destination().into()))
            .into();
        assert_eq!(*shown.lock().expect("no panic"), expected);
        case.finds(&[
            filtered(consumed, signals).no_span(),
            filtered(processed, signals),
        ]);
    }
}

/// As to the other metrics.
pub async fn a_hook_adds_attributes_to_the_count_of_messages<M: MessagingUnderTest>() {
    let hook = Hook::new(|_| vec![KeyValue::new("shop.plan", "gold")]);
    let case = Case::<M>::told(|options| options.metric_attributes = Some(hook)).await;
    let received = case.unseen(&message()).await;
    case.process(&received, Ok(())).await;
    let operations = [case.consumed(&received), case.processed(&received)];
    case.finds(&operations.map(|operation| operation.on_metrics("shop.plan", "gold")));
}

/// Filters and hooks see the message that is counted.
pub async fn what_is_counted_is_shown_with_its_headers<M: MessagingUnderTest>() {
    let hook = Hook::new(|view: View<'_>| own(Vec::new(), ("shop.metric", "cluster"), view));
    let case = Case::<M>::told(|options| options.metric_attributes = Some(hook)).await;
    let received = case.unseen(&message()).await;
    case.process(&received, Ok(())).await;
    let operations = [case.consumed(&received), case.processed(&received)];
    case.finds(&operations.map(|operation| {
        let destination = operation.destination().to_owned();
        operation
            .on_metrics("shop.metric", destination)
            .on_metrics("server.address", "cluster")
            .on_metrics("shop.tenant", OWN_HEADER.1)
    }));
}

/// Those of the span and those of the metrics are apart. What is counted has its own cases.
pub async fn hooks_add_attributes_to_processing_and_replace_none_of_the_reserved<
    M: MessagingUnderTest,
>() {
    let hook = |key: &'static str, address: &'static str| {
        Hook::new(move |view: View<'_>| own(reserved(), (key, address), view))
    };
    let case = Case::<M>::told(|options| {
        options.span_attributes = Some(hook("shop.span", "replica"));
        options.metric_attributes = Some(hook("shop.metric", "cluster"));
    })
    .await;
    let mut operations = Vec::new();
    for result in [Ok(()), Err(OutOfStock)] {
        let received = case.unseen(&message()).await;
        case.process(&received, result).await;
        let processed = case.processed(&received);
        let processed = match result {
            Ok(()) => processed,
            Err(OutOfStock) => processed.fails("OutOfStock"),
        };
        operations.push(hooked(processed));
    }
    case.finds_but_counts(&operations);
}

/// All but what is known at the end only is there at the start.
pub async fn samplers_see_all_of_processing_but_its_end<M: MessagingUnderTest>() {
    let hook = Hook::new(|_| vec![KeyValue::new("shop.item", "pen")]);
    let case = Case::<M>::told(|options| options.span_attributes = Some(hook)).await;
    let received = case.unseen(&message()).await;
    let processing = case.client.start_process(&received);
    M::set_attribute(&processing, KeyValue::new("shop.price", 7));
    M::fail(processing, "sold_out");
    let expected = case
        .processed(&received)
        .on_span("shop.item", "pen")
        .at_end("shop.price", 7)
        .fails("sold_out");
    let started = case.telemetry.started();
    assert_eq!(started.len(), 1);
    let attributes = expected.started_attributes(&case.broker(), &started[0].attributes);
    assert_eq!(
        (&started[0].name, &started[0].attributes),
        (&expected.name(), &attributes)
    );
    case.finds(&[case.consumed(&received), expected]);
}

/// The span has them nevertheless.
pub async fn late_attributes_are_not_for_samplers<M: MessagingUnderTest>() {
    let case = Case::<M>::told(|options| options.late_attributes = true).await;
    let received = case.unseen(&message()).await;
    case.process(&received, Ok(())).await;
    assert_eq!(case.telemetry.started().len(), 1);
    assert_nothing_seen(&case.telemetry);
    case.finds(&[case.consumed(&received), case.processed(&received)]);
}

/// And nothing of them by default, as other cases see. A template takes the place of the name in
/// the span's, and on metrics.
pub async fn processing_shows_headers_sizes_and_templates_if_asked_for<M: MessagingUnderTest>() {
    let case = Case::<M>::told(all_shown).await;
    let mut message = message();
    for (name, value, _) in HEADERS {
        message = message.header(name, value);
    }
    let received = case.unseen(&message).await;
    case.process(&received, Ok(())).await;
    let size = i64::try_from(M::body_size(&M::content(&received))).expect("a size");
    let processed = case
        .processed(&received)
        .templated("shop.{id}")
        .on_span("messaging.message.body.size", size);
    let processed = HEADERS.iter().fold(processed, |processed, header| {
        let shown = crate::Value::List(vec![header.2.into()]);
        processed.on_span(&format!("messaging.header.{}", header.0), shown)
    });
    let consumed = case.consumed(&received).templated("shop.{id}");
    case.finds(&[consumed, processed]);
}
