//! What an instrumentation can be told.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::context::FutureExt;

use crate::suites::database::case::Case;
use crate::suites::database::{
    Action, DatabaseUnderTest, ExpectedOperation, Filter, MINIMUM_DURATION, Signals,
};
use crate::{Attributes, RemoteParent};

/// By the operation; what is around it stays as it is.
pub async fn a_filter_decides_by_signal<D: DatabaseUnderTest>() {
    let actions = [Action::Write, Action::Read, Action::Fail];
    for signals in [
        Signals::None,
        Signals::Traces,
        Signals::Metrics,
        Signals::All,
    ] {
        let filter = Filter::new(move |_| signals);
        let case = Case::<D>::told(|options| options.filter = Some(filter)).await;
        case.run_within("job", &actions).await;
        let job = case.telemetry.span("job");
        let expected = |action| filtered(case.expected(action).child_of(&job), signals);
        case.finds(&actions.map(expected)).await;
    }

    // Each is shown to it.
    let (write, read) = {
        let case = Case::<D>::new().await;
        (case.name(Action::Write), case.name(Action::Read))
    };
    assert_ne!(write, read);
    let filter = Filter::new(move |name| match name {
        name if name == write => Signals::Metrics,
        name if name == read => Signals::Traces,
        name => panic!("no operation has the name {name:?}"),
    });
    let case = Case::<D>::told(|options| options.filter = Some(filter)).await;
    case.run(Action::Write).await;
    case.run(Action::Read).await;
    let operations = [
        case.expected(Action::Write).no_span(),
        case.expected(Action::Read).no_metrics(),
    ];
    case.finds(&operations).await;
}

fn filtered(operation: ExpectedOperation, signals: Signals) -> ExpectedOperation {
    match signals {
        Signals::None => operation.no_span().no_metrics(),
        Signals::Traces => operation.no_metrics(),
        Signals::Metrics => operation.no_span(),
        Signals::All => operation,
    }
}

/// Metrics are measured all the same.
pub async fn spans_only_within_others<D: DatabaseUnderTest>() {
    let case = Case::<D>::told(|options| options.parent_only = true).await;
    case.run(Action::Read).await;
    case.run(Action::Fail).await;
    case.run_within("job", &[Action::Read]).await;
    let remote = RemoteParent::sampled();
    case.run(Action::Read).with_context(remote.context()).await;
    let job = case.telemetry.span("job");
    let operations = [
        case.expected(Action::Read).no_span(),
        case.expected(Action::Fail).no_span(),
        case.expected(Action::Read).child_of(&job),
        case.expected(Action::Read).child_of(&remote),
    ];
    case.finds(&operations).await;
}

/// Metrics are measured all the same.
pub async fn spans_of_what_takes_some_time_or_fails<D: DatabaseUnderTest>() {
    let minimum =
        |minimum| Case::<D>::told(move |options| options.minimum_duration = Some(minimum));
    let case = minimum(MINIMUM_DURATION).await;
    case.run_within("job", &[Action::Fail, Action::Wait]).await;
    let job = case.telemetry.span("job");
    let operations =
        [Action::Fail, Action::Wait].map(|action| case.expected(action).child_of(&job));
    case.finds(&operations).await;

    let case = minimum(Duration::from_secs(60)).await;
    case.run_within("job", &[Action::Read, Action::Wait, Action::Fail])
        .await;
    let job = case.telemetry.span("job");
    let operations = [
        case.expected(Action::Read).no_span(),
        case.expected(Action::Wait).no_span(),
        case.expected(Action::Fail).child_of(&job),
    ];
    case.finds(&operations).await;
}

/// Those of the span and those of the metrics are apart. What the end of an operation sets, and the
/// system, are not theirs to set.
pub async fn hooks_add_attributes_and_replace_none_of_the_reserved<D: DatabaseUnderTest>() {
    let reserved = || {
        vec![
            KeyValue::new("db.system.name", "shop"),
            KeyValue::new("db.response.status_code", "shop"),
            KeyValue::new("db.response.returned_rows", 99),
            KeyValue::new("error.type", "shop"),
        ]
    };
    let case = Case::<D>::told(|options| {
        options.span_attributes = reserved();
        let own = [
            KeyValue::new("shop.user", 7),
            KeyValue::new("server.address", "replica"),
        ];
        options.span_attributes.extend(own);
        options.metric_attributes = reserved();
        let own = [
            KeyValue::new("shop.plan", "gold"),
            KeyValue::new("server.address", "cluster"),
        ];
        options.metric_attributes.extend(own);
    })
    .await;
    let actions = [Action::Read, Action::Fail, Action::Write];
    for action in actions {
        case.run(action).await;
    }
    let operations = actions.map(|action| {
        case.expected(action)
            .on_span("shop.user", 7)
            .on_span("server.address", "replica")
            .on_metrics("shop.plan", "gold")
            .on_metrics("server.address", "cluster")
    });
    case.finds(&operations).await;
}

/// All but what the end of an operation sets is there at the start.
pub async fn samplers_see_all_but_the_end<D: DatabaseUnderTest>() {
    let hooked = || vec![KeyValue::new("shop.user", 7)];
    let case = Case::<D>::told(|options| options.span_attributes = hooked()).await;
    let actions = [Action::Write, Action::Read, Action::Fail];
    for action in actions {
        case.run(action).await;
    }
    let database = case.database();
    let operations = actions.map(|action| case.expected(action).on_span("shop.user", 7));
    let started: Vec<(String, Attributes)> = case
        .telemetry
        .started()
        .into_iter()
        .map(|span| (span.name, span.attributes))
        .collect();
    let expected = operations.clone().map(|operation| {
        let attributes = operation.started_attributes(&database);
        (operation.name(&database).to_owned(), attributes)
    });
    assert_eq!(started, expected);
    case.finds(&operations).await;
}

/// The span has them nevertheless.
pub async fn late_attributes_are_not_for_samplers<D: DatabaseUnderTest>() {
    let case = Case::<D>::told(|options| options.late_attributes = true).await;
    let actions = [Action::Read, Action::Fail];
    for action in actions {
        case.run(action).await;
    }
    let started: Vec<Attributes> = case
        .telemetry
        .started()
        .into_iter()
        .map(|span| span.attributes)
        .collect();
    assert_eq!(started, [Attributes::new(), Attributes::new()]);
    case.finds(&actions.map(|action| case.expected(action)))
        .await;
}
