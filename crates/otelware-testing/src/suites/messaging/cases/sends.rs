//! What is sent.

use opentelemetry::KeyValue;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::context::FutureExt;
use opentelemetry::logs::Severity;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::Sampler;

use super::options::{HEADERS, all_shown, filtered, hooked, own, reserved};
use crate::suites::messaging::case::{Case, OWN_HEADER};
use crate::suites::messaging::{Hook, Message, MessagingUnderTest, Signals};
use crate::{Attributes, BAGGAGE, Capture, TRACEPARENT, TRACESTATE, expect_log};

fn message() -> Message {
    Message::new("3 pens").header(OWN_HEADER.0, OWN_HEADER.1)
}

/// The context that it goes out with is that of its span; its own headers stay, baggage is there,
/// and messages of the same kind share a point of the metrics.
pub async fn a_message_is_sent<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let mut operations = Vec::new();
    for _ in 0..3 {
        operations.push(case.send(&message()).await);
    }
    let baggage = opentelemetry::Context::new().with_baggage([KeyValue::new("tenant", "7")]);
    operations.push(case.send(&message()).with_context(baggage).await);
    case.finds(&operations);
    let spans = case.telemetry.spans();
    for (number, span) in spans.iter().enumerate() {
        let arrived = M::content(&case.receive().await);
        assert_eq!(arrived.body, "3 pens");
        let mut expected = message().header(TRACEPARENT, span.traceparent());
        if number == 3 {
            expected = expected.header(BAGGAGE, "tenant=7");
        }
        assert_eq!(arrived.headers, expected.headers);
    }
}

/// The error has a type, on span and metrics; what is sent thereafter is not concerned.
pub async fn a_message_is_not_sent<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    case.client.send_in_vain(&message()).await;
    let failed = case.client.expected_send_in_vain();
    assert!(failed.error_type().is_some(), "{failed:?}");
    let sent = case.send(&message()).await;
    case.finds(&[failed, sent]);

    // The text of the error is shown if that is asked for.
    let case = Case::<M>::told(|options| options.error_messages = true).await;
    let text = case.client.send_in_vain(&message()).await;
    assert_ne!(text, "", "the text of the error");
    let failed = case.client.expected_send_in_vain().described(text);
    case.finds(&[failed]);
}

/// However it ends.
pub async fn sending_is_a_child_of_the_current_span<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let context = case.span("job");
    let sending = async {
        let sent = case.send(&message()).await;
        case.client.send_in_vain(&message()).await;
        sent
    };
    let sent = sending.with_context(context.clone()).await;
    context.span().end();
    let job = case.telemetry.span("job");
    let failed = case.client.expected_send_in_vain();
    case.finds(&[sent.child_of(&job), failed.child_of(&job)]);
}

/// All of it: span, duration and counter.
pub async fn a_filter_decides_by_signal_on_sending<M: MessagingUnderTest>() {
    for signals in [
        Signals::None,
        Signals::Traces,
        Signals::Metrics,
        Signals::All,
    ] {
        let filter = Hook::new(move |_| signals);
        let case = Case::<M>::told(|options| options.filter = Some(filter)).await;
        let sent = case.send(&message()).await;
        case.client.send_in_vain(&message()).await;
        let failed = case.client.expected_send_in_vain();
        case.finds(&[filtered(sent, signals), filtered(failed, signals)]);
    }
}

/// Those of the span and those of the metrics are apart.
pub async fn hooks_add_attributes_to_sending_and_replace_none_of_the_reserved<
    M: MessagingUnderTest,
>() {
    let case = hooked_with::<M>(reserved()).await;
    let sent = hooked(case.send(&message()).await);
    case.client.send_in_vain(&message()).await;
    let failed = hooked(case.client.expected_send_in_vain());
    case.finds(&[sent, failed]);
}

/// A client whose hooks add these, and what the suite's add besides.
async fn hooked_with<M: MessagingUnderTest>(list: Vec<KeyValue>) -> Case<M> {
    let hook = |key: &'static str, address: &'static str| {
        let list = list.clone();
        Hook::new(move |view| own(list.clone(), (key, address), view))
    };
    Case::<M>::told(|options| {
        options.span_attributes = Some(hook("shop.span", "replica"));
        options.metric_attributes = Some(hook("shop.metric", "cluster"));
    })
    .await
}

/// What sending learns of the message when it has gone, such as its number.
pub async fn hooks_do_not_set_what_sending_learns_at_its_end<M: MessagingUnderTest>() {
    let late: Vec<String> = {
        let case = Case::<M>::new().await;
        let sent = case.send(&message()).await;
        sent.late().keys().cloned().collect()
    };
    assert!(!late.is_empty(), "it learns nothing");
    let list = late.into_iter().map(|key| KeyValue::new(key, "shop"));
    let case = hooked_with::<M>(list.collect()).await;
    let sent = hooked(case.send(&message()).await);
    case.finds(&[sent]);
}

/// All but what is known at the end only is there at the start.
pub async fn samplers_see_all_of_sending_but_its_end<M: MessagingUnderTest>() {
    let case = Case::<M>::new().await;
    let sent = case.send(&message()).await;
    case.client.send_in_vain(&message()).await;
    let failed = case.client.expected_send_in_vain();
    let broker = case.broker();
    let operations = [sent, failed];
    let started = case.telemetry.started();
    assert_eq!(started.len(), operations.len());
    for (operation, started) in operations.iter().zip(started) {
        let expected = operation.started_attributes(&broker, &started.attributes);
        assert_eq!(
            (started.name, started.attributes),
            (operation.name(), expected)
        );
    }
    case.finds(&operations);
}

/// And nothing of them by default, as other cases see.
pub async fn sending_shows_headers_sizes_and_templates_if_asked_for<M: MessagingUnderTest>() {
    let case = Case::<M>::told(all_shown).await;
    let mut message = message();
    for (name, value, _) in HEADERS {
        message = message.header(name, value);
    }
    let sent = case.send(&message).await.templated("shop.{id}");
    let sent = sent.on_span(
        "messaging.message.body.size",
        i64::try_from(M::body_size(&message)).expect("a size"),
    );
    case.finds(&[HEADERS.iter().fold(sent, |sent, (name, _, shown)| {
        let shown = crate::Value::List(vec![(*shown).into()]);
        sent.on_span(&format!("messaging.header.{name}"), shown)
    })]);
}

/// There is no span; metrics and the context are there.
pub async fn an_unsampled_send_is_measured<M: MessagingUnderTest>() {
    let telemetry = Capture::builder().sampler(Sampler::AlwaysOff).build();
    let case = Case::<M>::capturing(telemetry, |_| {}).await;
    let sent = case.send(&message()).await;
    case.finds(&[sent.no_span()]);
    let arrived = M::content(&case.receive().await);
    let values = arrived.values(TRACEPARENT);
    assert!(
        matches!(*values, [value] if value.ends_with("-00")),
        "{values:?}"
    );
    assert_eq!(arrived.values(TRACESTATE), Vec::<&str>::new());
}

/// Of severity `WARN`, within the span; with the text if that is asked for.
pub async fn a_refusal_is_an_event_where_a_logger_provider_is_given<M: MessagingUnderTest>() {
    const EXCEPTION: &str = "messaging.send.exception";
    for error_messages in [false, true] {
        let case = Case::<M>::with(|setup| {
            setup.exceptions = true;
            setup.options.error_messages = error_messages;
        })
        .await;
        case.client.send(&message()).await;
        let text = case.client.send_in_vain(&message()).await;
        let broker = case.broker();
        let (scope, version, schema_url) = broker.scope();
        let failed = case.client.expected_send_in_vain();
        let span = case.telemetry.spans().pop().expect("a span that failed");
        let mut event = expect_log(Severity::Warn)
            .event_name(EXCEPTION)
            .attribute("exception.type", failed.error_type().expect("a type"))
            .in_span(&span)
            .scope(scope, version, schema_url);
        if error_messages {
            event = event.attribute("exception.message", text);
        }
        assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
        case.telemetry.event(EXCEPTION).assert(event);
    }
}

/// What samplers must not see where they look at nothing.
pub(super) fn assert_nothing_seen(telemetry: &Capture) {
    for span in telemetry.started() {
        assert_eq!(span.attributes, Attributes::new(), "{}", span.name);
    }
}
