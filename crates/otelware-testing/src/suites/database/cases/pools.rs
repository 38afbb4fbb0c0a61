//! Pools of connections.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::ends::CANCELLATIONS;
use super::parents::assert_trees;
use crate::suites::database::case::{Case, ended_well};
use crate::suites::database::{Action, Failure, PoolState, PooledDatabaseUnderTest, Uses, taken};
use crate::{Metric, Point};

/// The metrics that are observed of a pool for as long as it lives.
const OBSERVED: [&str; 4] = ["count", "idle.max", "idle.min", "limit"];

fn state<D: PooledDatabaseUnderTest>(case: &Case<D>) -> PoolState {
    case.client.pool().expect("a pool")
}

/// How many connections are in this state.
fn count<D: PooledDatabaseUnderTest>(case: &Case<D>, state: &str) -> f64 {
    let metric = case.telemetry.metric("db.client.connection.count");
    let of_state =
        |point: &&Point| point.attribute("db.client.connection.state") == Some(&state.into());
    metric.points.iter().find(of_state).map_or(0.0, Point::sum)
}

/// A connection that was taken is used by several operations, and counted once.
pub async fn operations_on_a_connection<D: PooledDatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    let mut connection = case.client.acquire().await.unwrap();
    let actions = [
        Action::Write,
        Action::Read,
        Action::Fail,
        Action::FindNothing,
    ];
    for action in actions {
        ended_well(action, D::run_on(&mut connection, action).await);
    }
    drop(connection);
    let operations = actions.map(|action| case.expected(action));
    case.finds_used(taken(1), &operations).await;
}

/// As used and as idle, as they come and go.
pub async fn connections_are_counted<D: PooledDatabaseUnderTest>() {
    let case = Case::<D>::with(|setup| setup.connections = 3).await;
    let first = case.client.acquire().await.unwrap();
    let second = case.client.acquire().await.unwrap();
    assert_eq!(count(&case, "used"), 2.0);
    assert_eq!(case.pending(), 0.0, "pending requests");
    drop(first);
    let pool = || state(&case);
    case.telemetry
        .wait_until("one is used", || {
            pool().idle.saturating_add(1) == pool().open
        })
        .await;
    assert_eq!(
        (count(&case, "used"), count(&case, "idle")),
        (1.0, f64::from(pool().idle))
    );
    assert_eq!(pool().limit, 3);
    drop(second);
    case.finds_used(taken(2), &[]).await;
    for name in ["wait_time", "use_time"] {
        let metric = case
            .telemetry
            .metric(&format!("db.client.connection.{name}"));
        assert!(metric.total_sum() > 0.0, "{metric}");
    }
}

/// Instead of one that is made of its address.
pub async fn the_pool_has_the_name_it_is_given<D: PooledDatabaseUnderTest>() {
    let case = Case::<D>::told(|options| options.pool_name = Some("orders".to_owned())).await;
    assert_eq!(
        case.database().pool,
        "orders",
        "as the client under test says"
    );
    case.run(Action::Read).await;
    case.finds(&[case.expected(Action::Read)]).await;
}

/// What observes it does not keep it alive.
pub async fn a_pool_that_is_dropped_is_observed_no_more<D: PooledDatabaseUnderTest>() {
    let case = Case::<D>::new().await;
    case.run(Action::Read).await;
    case.finds(&[case.expected(Action::Read)]).await;
    let telemetry = case.telemetry.clone();
    assert_eq!(Arc::strong_count(&case.client), 1);
    drop(case);
    let is_observed = |metric: &Metric| {
        let name = metric.name.strip_prefix("db.client.connection.");
        name.is_some_and(|name| OBSERVED.contains(&name))
    };
    telemetry
        .wait_until("it is not observed", || {
            !telemetry.metrics().iter().any(is_observed)
        })
        .await;
}

/// Until the timeout.
pub async fn a_connection_that_is_waited_for_in_vain<D: PooledDatabaseUnderTest>() {
    for error_messages in [false, true] {
        let case = Case::<D>::with(|setup| {
            setup.acquire_timeout = Some(Duration::from_millis(200));
            setup.options.error_messages = error_messages;
        })
        .await;
        let connection = case.client.acquire().await.unwrap();
        let (ran, acquired) = tokio::join!(case.client.run(Action::Read), case.client.acquire());
        let error = ran.unwrap_err();
        assert!(acquired.is_err());
        drop(connection);
        let uses = Uses {
            timed_out: 2,
            ..taken(1)
        };
        let exhausted = Failure::Class(D::EXHAUSTED);
        let mut failed = case.expected(Action::Read).failing(exhausted);
        if error_messages {
            failed = failed.described(D::message(&error));
        }
        case.finds_used(uses, &[failed]).await;
    }
}

/// It is pending, and then it is not.
pub async fn a_dropped_wait_for_a_connection<D: PooledDatabaseUnderTest>() {
    for cancellation in CANCELLATIONS {
        let case = Case::<D>::told(|options| options.cancellation = Some(cancellation)).await;
        let connection = case.client.acquire().await.unwrap();
        {
            let mut running = pin!(case.client.run(Action::Read));
            let mut acquiring = pin!(case.client.acquire());
            assert!((&mut running).now_or_never().is_none());
            assert!((&mut acquiring).now_or_never().is_none());
            assert_eq!(case.pending(), 2.0, "pending requests");
        }
        drop(connection);
        let expected = case.expected(Action::Read).dropped(cancellation);
        case.finds_used(taken(1), &[expected]).await;
    }
}

/// The connection goes back when it is dropped itself.
pub async fn a_dropped_operation_on_a_connection<D: PooledDatabaseUnderTest>() {
    for cancellation in CANCELLATIONS {
        let case = Case::<D>::told(|options| options.cancellation = Some(cancellation)).await;
        let mut connection = case.client.acquire().await.unwrap();
        {
            let mut running = pin!(D::run_on(&mut connection, Action::Wait));
            assert!((&mut running).now_or_never().is_none());
        }
        let expected = || case.expected(Action::Wait).dropped(cancellation);
        case.finds_operations(&[expected()]);
        drop(connection);
        case.finds_used(taken(1), &[expected()]).await;
    }
}

/// Each takes a connection and gives it back, and keeps its parent.
pub async fn concurrent_operations_share_the_pool<D: PooledDatabaseUnderTest>() {
    let actions = [Action::Write, Action::Read];
    let case = Case::<D>::new().await;
    join_all((0..8).map(|_| case.run_within("job", &actions))).await;
    assert_trees(&case, 8, &actions);
    let pool = || state(&case);
    case.telemetry
        .wait_until("all connections are idle", || pool().is_at_rest())
        .await;
    assert_eq!((count(&case, "used"), case.pending()), (0.0, 0.0));
    for name in ["wait_time", "use_time"] {
        let metric = case
            .telemetry
            .metric(&format!("db.client.connection.{name}"));
        assert_eq!(metric.total_count(), 16, "{metric}");
    }
}
