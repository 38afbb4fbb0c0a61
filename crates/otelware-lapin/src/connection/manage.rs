//! Spans of what is done to a connection.

use crate::core::Core;
use crate::error;
use lapin::Result;
use otelware::messaging::{Call, Verb};
use otelware::operation::Outcome;

/// Runs a future that does something to a connection, within a span where that is wanted.
pub(crate) async fn observe<T>(
    core: &Core,
    verb: Verb,
    future: impl Future<Output = Result<T>>,
) -> Result<T> {
    if !core.settings.connection_spans {
        return future.await;
    }
    let mut operation = core.client.manage(verb, |_| {});
    let result = operation.within(future).await;
    match &result {
        Ok(_) => operation.finish(&Outcome::Success),
        Err(error) => Call::fail(operation, error::class(error), error),
    }
    result
}
