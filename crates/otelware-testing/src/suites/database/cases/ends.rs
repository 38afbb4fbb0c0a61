//! How operations end.

use std::pin::pin;

use futures_util::FutureExt as _;
use opentelemetry::logs::Severity;

use crate::suites::database::case::Case;
use crate::suites::database::{Action, Cancellation, DatabaseUnderTest, Setup};
use crate::{Capture, expect_log};

const EXCEPTION: &str = "db.client.operation.exception";

/// All ways to treat what is dropped.
pub(super) const CANCELLATIONS: [Cancellation; 3] = [
    Cancellation::Ignore,
    Cancellation::Mark,
    Cancellation::Error,
];

async fn ends_as_expected<D: DatabaseUnderTest>(action: Action) {
    let case = Case::<D>::new().await;
    case.run(action).await;
    case.finds(&[case.expected(action)]).await;
}

/// Something is changed.
pub async fn an_operation_succeeds<D: DatabaseUnderTest>() {
    ends_as_expected::<D>(Action::Write).await;
}

/// Some data comes back; operations of the same kind share a point of the metrics.
pub async fn data_is_found<D: DatabaseUnderTest>() {
    ends_as_expected::<D>(Action::Read).await;

    let case = Case::<D>::new().await;
    for _ in 0..3 {
        case.run(Action::Read).await;
    }
    let read = || case.expected(Action::Read);
    case.finds(&[read(), read(), read()]).await;
}

/// Which is no error.
pub async fn nothing_is_found<D: DatabaseUnderTest>() {
    ends_as_expected::<D>(Action::FindNothing).await;
}

/// With a code of the database, and another operation succeeds thereafter.
pub async fn an_operation_fails<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    case.run(Action::Fail).await;
    case.run(Action::Read).await;
    let failed = case.expected(Action::Fail);
    assert!(failed.error_type().is_some(), "{failed:?}");
    case.finds(&[failed, case.expected(Action::Read)]).await;
}

/// The operation fails, and tells where it was to go.
pub async fn the_server_is_not_there<D: DatabaseUnderTest>() {
    let telemetry = Capture::new();
    let client = D::unreachable(&Setup::new(&telemetry)).await;
    let case = Case::of(telemetry, client);
    case.client.run(Action::Read).await.unwrap_err();
    let failed = case.expected(Action::Read).failing(D::UNREACHABLE);
    case.finds_operations(&[failed]);
}

/// What becomes of it is an option.
pub async fn a_dropped_operation<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    drop_one(&case).await;
    // The default.
    let expected = case.expected(Action::Wait).dropped(Cancellation::Ignore);
    case.finds_operations(&[expected]);

    for cancellation in CANCELLATIONS {
        let case = Case::<D>::told(|options| options.cancellation = Some(cancellation)).await;
        drop_one(&case).await;
        let expected = case.expected(Action::Wait).dropped(cancellation);
        case.finds_operations(&[expected]);
    }
}

async fn drop_one<D: DatabaseUnderTest>(case: &Case<D>) {
    let mut running = pin!(case.client.run(Action::Wait));
    assert!((&mut running).now_or_never().is_none(), "it takes its time");
}

/// Of severity `WARN`, within the span; without the message unless that is asked for. That nothing
/// was found is no such event.
pub async fn errors_are_events_where_a_logger_provider_is_given<D: DatabaseUnderTest>() {
    for error_messages in [false, true] {
        let case = Case::<D>::with(|setup| {
            setup.exceptions = true;
            setup.options.error_messages = error_messages;
        })
        .await;
        case.run(Action::FindNothing).await;
        case.run(Action::Read).await;
        let error = case.run(Action::Fail).await.unwrap();
        let spans = case.telemetry.spans();
        let (scope, version, schema_url) = {
            let scope = case.database().scope;
            (
                scope.name,
                scope.version.unwrap_or_default(),
                scope.schema_url.unwrap_or_default(),
            )
        };
        let failed = case.expected(Action::Fail);
        let mut event = expect_log(Severity::Warn)
            .event_name(EXCEPTION)
            .attribute("exception.type", failed.error_type().unwrap())
            .in_span(spans.last().unwrap())
            .scope(&scope, &version, &schema_url);
        if error_messages {
            event = event.attribute("exception.message", D::message(&error));
        }
        assert_eq!(case.telemetry.logs().len(), 1, "{}", case.telemetry.dump());
        case.telemetry.event(EXCEPTION).assert(event);
    }
}

/// As the description of the span's status; they aren't by default, as other cases see.
pub async fn messages_of_errors_are_shown_if_asked_for<D: DatabaseUnderTest>() {
    let case = Case::<D>::told(|options| options.error_messages = true).await;
    let error = case.run(Action::Fail).await.unwrap();
    let message = D::message(&error);
    assert_ne!(message, "", "the message of {error:?}");
    let failed = case.expected(Action::Fail).described(message);
    case.finds(&[failed]).await;
}
