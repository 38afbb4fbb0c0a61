//! Charges cards. Some banks are slow to answer, and some cards are declined.
//!
//! Shows a server that fails and is asked again: its spans have the error, and are in the same trace.

use crate::messages::Charge;
use crate::service::Failure;
use crate::service::http::{serve, unavailable};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use axum::{Json, Router};
use otelware_tower::HttpServerLayer;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// The most charges that are remembered as asked for in vain.
const MOST: usize = 1_000;

/// The orders whose first charge was asked for in vain.
type InVain = Arc<Mutex<HashSet<String>>>;

pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    let routes = Router::new()
        .route("/charges", post(charge))
        .route("/charges/{order}", delete(refund))
        .layer(HttpServerLayer::new().with_active_requests())
        .with_state(InVain::default());
    serve(routes, "127.0.0.1:8082", stop).await
}

/// Bob's bank answers when it is asked again; Eve's card is declined; all others pay.
async fn charge(State(in_vain): State<InVain>, Json(charge): Json<Charge>) -> Response {
    if charge.customer.starts_with("eve") {
        return StatusCode::PAYMENT_REQUIRED.into_response();
    }
    if charge.customer.starts_with("bob") && is_first(&in_vain, charge.order).await {
        return unavailable(&"the bank does not answer");
    }
    tracing::info!(charge.amount, "charged");
    StatusCode::CREATED.into_response()
}

async fn is_first(in_vain: &InVain, order: String) -> bool {
    let mut in_vain = in_vain.lock().await;
    if in_vain.remove(&order) {
        return false;
    }
    if in_vain.len() == MOST {
        in_vain.clear();
    }
    in_vain.insert(order)
}

/// Gives the money back, also where there was no charge.
async fn refund() -> StatusCode {
    StatusCode::NO_CONTENT
}
