//! A client under test, and what is captured of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};

use super::DatabaseUnderTest;
use super::assertions::{assert_all, assert_operations, assert_spans};
use super::expected::{Database, ExpectedOperation};
use super::pool::{PoolState, Uses, taken};
use super::setup::{Action, Options, Setup};
use crate::Capture;

pub(super) struct Case<D> {
    pub(super) telemetry: Capture,
    pub(super) client: Arc<D>,
    /// How many operations have asked the pool for a connection.
    runs: Arc<AtomicU64>,
}

impl<D> Clone for Case<D> {
    fn clone(&self) -> Self {
        Self {
            telemetry: self.telemetry.clone(),
            client: self.client.clone(),
            runs: self.runs.clone(),
        }
    }
}

impl<D: DatabaseUnderTest> Case<D> {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A client with these options.
    pub(super) async fn told(change: impl FnOnce(&mut Options)) -> Self {
        Self::with(|setup| change(&mut setup.options)).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        Self::capturing(Capture::new(), change).await
    }

    pub(super) async fn capturing(telemetry: Capture, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::new(&telemetry);
        change(&mut setup);
        let client = D::connect(&setup).await;
        // What prepared the database may have its connection still.
        let at_rest = || client.pool().is_none_or(PoolState::is_at_rest);
        telemetry
            .wait_until("all connections are idle", at_rest)
            .await;
        assert_eq!(telemetry.spans(), [], "spans of what prepares the database");
        Self::of(telemetry, client)
    }

    pub(super) fn of(telemetry: Capture, client: D) -> Self {
        Self {
            telemetry,
            client: Arc::new(client),
            runs: Arc::default(),
        }
    }

    pub(super) fn database(&self) -> Database {
        self.client.database()
    }

    pub(super) fn expected(&self, action: Action) -> ExpectedOperation {
        self.client.expected(action)
    }

    /// The name of the span.
    pub(super) fn name(&self, action: Action) -> String {
        self.expected(action).name(&self.database()).to_owned()
    }

    /// Runs an operation that must end as it should; tells of its error, if that is its end.
    pub(super) async fn run(&self, action: Action) -> Option<D::Error> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        ended_well(action, self.client.run(action).await)
    }

    /// Runs operations one after the other within a span of the test, which ends with the last.
    pub(super) async fn run_within(&self, name: &'static str, actions: &[Action]) {
        let context = self.span(name);
        let running = async {
            for action in actions {
                self.run(*action).await;
            }
        };
        running.with_context(context.clone()).await;
        context.span().end();
    }

    /// A context with a new span of the test.
    pub(super) fn span(&self, name: &'static str) -> Context {
        let tracer = self.telemetry.tracer_provider().tracer("test");
        Context::new().with_span(tracer.start_with_context(name, &Context::new()))
    }

    /// All telemetry is that of these operations, and there is no log.
    pub(super) async fn finds(&self, operations: &[ExpectedOperation]) {
        self.finds_used(taken(self.runs.load(Ordering::Relaxed)), operations)
            .await;
    }

    /// As [`Case::finds`], with these uses of the pool.
    pub(super) async fn finds_used(&self, uses: Uses, operations: &[ExpectedOperation]) {
        let pool = || self.client.pool();
        assert_all(&self.telemetry, &self.database(), pool, uses, operations).await;
        assert_eq!(self.telemetry.logs(), []);
    }

    /// As [`Case::finds`], whatever the pool tells besides that nobody waits any more.
    pub(super) fn finds_operations(&self, operations: &[ExpectedOperation]) {
        assert_spans(&self.telemetry, &self.database(), operations);
        assert_operations(&self.telemetry, &self.database(), operations);
        assert_eq!(self.pending(), 0.0, "pending requests");
        assert_eq!(self.telemetry.logs(), []);
    }

    /// How many wait for a connection.
    pub(super) fn pending(&self) -> f64 {
        let metrics = self.telemetry.metrics();
        let pending = |metric: &&crate::Metric| metric.name == PENDING;
        metrics
            .iter()
            .find(pending)
            .map_or(0.0, crate::Metric::total_sum)
    }
}

const PENDING: &str = "db.client.connection.pending_requests";

/// An operation has ended as it should; tells of its error, if that is its end.
pub(super) fn ended_well<E: std::fmt::Debug>(action: Action, result: Result<u64, E>) -> Option<E> {
    match (action, result) {
        (Action::Fail | Action::FailWithSecret, Err(error)) => Some(error),
        (Action::Read, Ok(1..)) | (Action::Write | Action::FindNothing, Ok(0)) => None,
        (Action::Wait | Action::CarrySecret, Ok(_)) => None,
        (action, result) => panic!("{action:?} must not end so: {result:?}"),
    }
}
