//! The parents of operations.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{TraceContextExt, TraceId};
use opentelemetry_sdk::trace::Sampler;

use crate::suites::database::case::Case;
use crate::suites::database::{Action, DatabaseUnderTest, ExpectedOperation};
use crate::{Attributes, Capture, RemoteParent, tree};

/// Two of them are of two traces.
pub async fn an_operation_without_a_parent_is_a_root<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    case.run(Action::Read).await;
    case.run(Action::Write).await;
    let operations = [Action::Read, Action::Write].map(|action| case.expected(action));
    case.finds(&operations).await;
    let traces: BTreeSet<[u8; 16]> = case
        .telemetry
        .spans()
        .iter()
        .map(|span| span.trace_id.to_bytes())
        .collect();
    assert_eq!(traces.len(), 2);
}

/// However it ends.
pub async fn an_operation_is_a_child_of_the_current_span<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    let actions = [
        Action::Write,
        Action::Read,
        Action::FindNothing,
        Action::Fail,
        Action::Wait,
    ];
    case.run_within("job", &actions).await;
    let job = case.telemetry.span("job");
    let operations = actions.map(|action| case.expected(action).child_of(&job));
    case.finds(&operations).await;
}

/// Where the task was spawned with that context.
pub async fn an_operation_in_a_spawned_task_has_the_parent_it_carries<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    let context = case.span("job");
    let spawned = case.clone();
    let task = async move {
        spawned.run(Action::Read).await;
    };
    tokio::spawn(task.with_context(context.clone()))
        .await
        .unwrap();
    // One that carries nothing has no parent, wherever it was spawned.
    let spawned = case.clone();
    let alone = async move {
        spawned.run(Action::Write).await;
    };
    {
        let _guard = context.clone().attach();
        tokio::spawn(alone)
    }
    .await
    .unwrap();
    context.span().end();
    let job = case.telemetry.span("job");
    let operations = [
        case.expected(Action::Read).child_of(&job),
        case.expected(Action::Write),
    ];
    case.finds(&operations).await;
}

/// In one task and in several.
pub async fn concurrent_operations_keep_their_parents<D: DatabaseUnderTest>() {
    let actions = [Action::Read, Action::Write, Action::Read];
    let case = Case::<D>::new().await;
    join_all((0..8).map(|_| case.run_within("job", &actions))).await;
    assert_trees(&case, 8, &actions);

    let case = Case::<D>::new().await;
    let tasks = (0..8).map(|_| {
        let case = case.clone();
        tokio::spawn(async move { case.run_within("job", &actions).await })
    });
    for result in join_all(tasks).await {
        result.unwrap();
    }
    assert_trees(&case, 8, &actions);
}

/// There are so many traces, each of a job with these operations, in this order.
pub(super) fn assert_trees<D: DatabaseUnderTest>(case: &Case<D>, count: usize, actions: &[Action]) {
    let mut expected = "INTERNAL job\n".to_owned();
    for action in actions {
        expected.push_str(&format!("  CLIENT {}\n", case.name(*action)));
    }
    let spans = case.telemetry.spans();
    let roots: Vec<TraceId> = spans
        .iter()
        .filter(|span| span.parent_span_id.is_none())
        .map(|span| span.trace_id)
        .collect();
    assert_eq!(roots.len(), count, "{}", case.telemetry.tree());
    for root in roots {
        assert_eq!(tree(&case.telemetry.trace(root)), expected);
    }
    let database = case.database();
    let all: Vec<ExpectedOperation> = (0..count)
        .flat_map(|_| actions.iter().map(|action| case.expected(*action)))
        .collect();
    crate::suites::database::assert_operations(&case.telemetry, &database, &all);
}

/// It is one of another process.
pub async fn a_remote_parent<D: DatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    let parent = RemoteParent::sampled().with_trace_state("shop=edge");
    case.run(Action::Read).with_context(parent.context()).await;
    case.finds(&[case.expected(Action::Read).child_of(&parent)])
        .await;
    assert_eq!(case.telemetry.spans()[0].trace_state, "shop=edge");
}

/// There is no span, and the metrics are there. Under a remote one nothing is made for a span.
pub async fn an_unsampled_parent_is_measured<D: DatabaseUnderTest>() {
    let telemetry = Capture::builder()
        .sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .build();
    let case = Case::<D>::capturing(telemetry, |_| {}).await;
    let local = case.span("local");
    assert!(!local.span().span_context().is_sampled());
    let remote = RemoteParent::unsampled();
    for context in [local, remote.context()] {
        case.run(Action::Read).with_context(context.clone()).await;
        case.run(Action::Fail).with_context(context).await;
    }
    let operations = [Action::Read, Action::Fail, Action::Read, Action::Fail]
        .map(|action| case.expected(action).no_span());
    case.finds(&operations).await;
    let mut started = case.telemetry.started();
    started.retain(|span| span.trace_id == remote.trace_id);
    assert_eq!(started.len(), 2);
    for span in started {
        assert_eq!((span.sampled, span.attributes), (false, Attributes::new()));
    }
}
