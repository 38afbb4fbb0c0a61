//! Events that could not be sent when their orders were placed, and are sent later: at least once.
//!
//! An event is kept with its order in one transaction, and with the context of the request, so that
//! what is sent later is in the trace of the order all the same.

use super::database::Database;
use super::events::Events;
use crate::messages::OrderPlaced;
use crate::service::Failure;
use futures_util::future::join_all;
use otelware::opentelemetry::Context;
use otelware::propagation::{restore, store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_secs(1);

/// Whoever placed the order has given up by then to send the event.
const AGE: Duration = Duration::from_secs(5);

/// An event in the outbox.
#[derive(sqlx::FromRow)]
pub(super) struct Waiting {
    order_id: String,
    event: String,
    context: String,
}

/// Sends what has been waiting, until it is told to stop.
pub(super) async fn relay(database: Database, events: Events, stop: CancellationToken) {
    let pause = || stop.run_until_cancelled(tokio::time::sleep(INTERVAL));
    while pause().await.is_some() {
        if let Err(error) = relay_all(&database, &events, &stop).await {
            tracing::warn!(error, "the outbox has to wait");
        }
    }
}

async fn relay_all(
    database: &Database,
    events: &Events,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    while !stop.is_cancelled() {
        let waiting = database.waiting(AGE).await?;
        if waiting.is_empty() {
            break;
        }
        let relaying = waiting.iter().map(|waiting| {
            otelware::operation("relay event")
                .parent(context_of_text(&waiting.context))
                .try_run(relay_one(waiting, database, events))
        });
        join_all(relaying)
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
    }
    Ok(())
}

async fn relay_one(waiting: &Waiting, database: &Database, events: &Events) -> Result<(), Failure> {
    let event: OrderPlaced = serde_json::from_str(&waiting.event)?;
    events.send(&event).await?;
    Ok(database.sent(&waiting.order_id).await?)
}

/// The current context, for the row of an event.
pub(super) fn context_as_text() -> String {
    serde_json::json!(store(&Context::current())).to_string()
}

fn context_of_text(text: &str) -> Context {
    restore(&serde_json::from_str(text).unwrap_or_default())
}
