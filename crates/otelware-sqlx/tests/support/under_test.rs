//! A pool of sqlx for the suite of databases.

use super::Database;
use otelware_sqlx::SqlOptions;
use otelware_sqlx::otelware::operation;
use otelware_testing::suites::database::{Cancellation, Options, Setup, Signals};
use sqlx::pool::PoolOptions;

/// A pool as the suite wants it.
pub(crate) fn pool_options<DB: sqlx::Database>(setup: &Setup) -> PoolOptions<DB> {
    let options = PoolOptions::new().max_connections(setup.connections);
    match setup.acquire_timeout {
        Some(timeout) => options.acquire_timeout(timeout),
        None => options,
    }
}

/// The options that the suite wants.
pub(crate) fn sql_options(setup: &Setup) -> SqlOptions {
    let mut options = told(setup.options.clone());
    if let Some(telemetry) = &setup.telemetry {
        options = options
            .with_tracer_provider(telemetry.tracer_provider())
            .with_meter_provider(telemetry.meter_provider());
        if setup.exceptions {
            options = options.with_logger_provider(telemetry.logger_provider());
        }
    }
    options
}

fn told(told: Options) -> SqlOptions {
    let mut options = SqlOptions::new();
    if let Some(filter) = told.filter {
        options = options.with_filter(move |query| {
            match filter.signals(query.summary.unwrap_or_default()) {
                Signals::None => operation::Signals::NONE,
                Signals::Traces => operation::Signals::TRACES,
                Signals::Metrics => operation::Signals::METRICS,
                Signals::All => operation::Signals::ALL,
            }
        });
    }
    if let Some(cancellation) = told.cancellation {
        options = options.with_cancellation(match cancellation {
            Cancellation::Ignore => operation::Cancellation::Ignore,
            Cancellation::Mark => operation::Cancellation::Mark,
            Cancellation::Error => operation::Cancellation::Error,
        });
    }
    if told.parent_only {
        options = options.with_parent_only();
    }
    if let Some(minimum) = told.minimum_duration {
        options = options.with_minimum_duration(minimum);
    }
    if told.error_messages {
        options = options.with_error_messages();
    }
    if told.late_attributes {
        options = options.with_late_attributes();
    }
    if let Some(name) = told.pool_name {
        options = options.with_pool_name(name);
    }
    if !told.span_attributes.is_empty() {
        options = options.with_span_attributes(move |_| told.span_attributes.clone());
    }
    if !told.metric_attributes.is_empty() {
        options = options.with_metric_attributes(move |_| told.metric_attributes.clone());
    }
    options
}

/// What is told of a database whose pool may have been given a name.
pub(crate) fn named(database: Database, setup: &Setup) -> Database {
    match &setup.options.pool_name {
        Some(name) => Database {
            pool: name.clone(),
            ..database
        },
        None => database,
    }
}
