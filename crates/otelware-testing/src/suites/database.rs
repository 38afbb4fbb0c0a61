//! What every instrumentation of a database's client must do, whatever it is asked in.
//!
//! An instrumentation implements [`DatabaseUnderTest`] for its client and calls
//! [`database_suite!`](crate::database_suite!), in a module of its own: each case becomes a test of
//! its name. One that observes a pool implements [`PooledDatabaseUnderTest`] besides, and says so:
//!
//! ```ignore
//! otelware_testing::database_suite!(MyDatabase);
//! otelware_testing::database_suite!(MyPool, pooled);
//! ```
//!
//! A client that blocks its thread says `blocking` before that.
//!
//! What the cases compare with ([`Database`], [`ExpectedOperation`], [`assert_spans`],
//! [`assert_operations`], [`assert_all`]) serves for an instrumentation's further tests as well.

mod assertions;
mod case;
mod cases;
mod expected;
mod pool;
mod setup;

use std::fmt::{Debug, Display};
use std::future::Future;

pub use assertions::{assert_all, assert_operations, assert_spans};
pub use cases::*;
pub use expected::{Database, ExpectedOperation, Failure};
pub use pool::{PoolState, Uses, taken};
pub use setup::{Action, Cancellation, Filter, MINIMUM_DURATION, Options, SECRET, Setup, Signals};

/// An instrumented client of a database, and what its operations must leave behind.
pub trait DatabaseUnderTest: Send + Sync + 'static {
    /// The error of an operation.
    type Error: Debug + Display + Send;

    /// How an operation fails where there is no server.
    const UNREACHABLE: Failure;

    /// A client as `setup` has it, of a database in which each [`Action`] does what it says, and
    /// which no other test sees. What prepares it leaves no telemetry.
    fn connect(setup: &Setup) -> impl Future<Output = Self> + Send;

    /// As [`connect`](Self::connect), but its server is not there, or no longer.
    fn unreachable(setup: &Setup) -> impl Future<Output = Self> + Send;

    /// What all spans and metrics say of the database.
    fn database(&self) -> Database;

    /// What an operation must leave behind that is left to come to its end, under the defaults.
    fn expected(&self, action: Action) -> ExpectedOperation;

    /// Runs one operation; tells how much data came back: rows, values, members.
    ///
    /// A client with a pool takes a connection for it and gives it back.
    fn run(&self, action: Action) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// The pool, if there is one whose metrics are told.
    fn pool(&self) -> Option<PoolState> {
        None
    }

    /// The text of an error, which spans and events show if they may.
    fn message(error: &Self::Error) -> String {
        error.to_string()
    }
}

/// An instrumented client with a pool of connections, which is observed.
pub trait PooledDatabaseUnderTest: DatabaseUnderTest {
    /// A connection that was taken out of the pool, and goes back when it is dropped.
    type Connection: Send;

    /// `error.type` of an operation that has waited in vain for a connection.
    const EXHAUSTED: &'static str;

    /// Takes a connection out of the pool.
    fn acquire(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;

    /// As [`run`](DatabaseUnderTest::run), on a connection that was taken before.
    fn run_on(
        connection: &mut Self::Connection,
        action: Action,
    ) -> impl Future<Output = Result<u64, Self::Error>> + Send;
}

/// Makes a test of each case of the suite for a type that implements
/// [`DatabaseUnderTest`](crate::suites::database::DatabaseUnderTest); with `pooled`, of those for
/// [`PooledDatabaseUnderTest`](crate::suites::database::PooledDatabaseUnderTest), too; with
/// `blocking`, of none that drops what it has begun. The crate needs `tokio` with the features
/// `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! database_suite {
    ($database:ty) => {
        $crate::database_suite! { $database, blocking }
        $crate::database_suite! { $database: a_dropped_operation }
    };
    ($database:ty, pooled) => {
        $crate::database_suite! { $database }
        $crate::database_suite! { @pooled $database }
        $crate::database_suite! { $database:
            a_dropped_wait_for_a_connection,
            a_dropped_operation_on_a_connection
        }
    };
    ($database:ty, blocking, pooled) => {
        $crate::database_suite! { $database, blocking }
        $crate::database_suite! { @pooled $database }
    };
    ($database:ty, blocking) => {
        $crate::database_suite! { $database:
            an_operation_succeeds,
            data_is_found,
            nothing_is_found,
            an_operation_fails,
            the_server_is_not_there,
            errors_are_events_where_a_logger_provider_is_given,
            messages_of_errors_are_shown_if_asked_for,
            an_operation_without_a_parent_is_a_root,
            an_operation_is_a_child_of_the_current_span,
            an_operation_in_a_spawned_task_has_the_parent_it_carries,
            concurrent_operations_keep_their_parents,
            a_remote_parent,
            an_unsampled_parent_is_measured,
            a_filter_decides_by_signal,
            spans_only_within_others,
            spans_of_what_takes_some_time_or_fails,
            hooks_add_attributes_and_replace_none_of_the_reserved,
            samplers_see_all_but_the_end,
            late_attributes_are_not_for_samplers,
            the_global_providers_are_the_default,
            no_secret_is_told
        }
    };
    (@pooled $database:ty) => {
        $crate::database_suite! { $database:
            operations_on_a_connection,
            connections_are_counted,
            the_pool_has_the_name_it_is_given,
            a_pool_that_is_dropped_is_observed_no_more,
            a_connection_that_is_waited_for_in_vain,
            concurrent_operations_share_the_pool
        }
    };
    ($database:ty: $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suites::database::$case::<$database>().await;
            }
        )*
    };
}
