//! The routes, and what they answer.

use super::Shop;
use super::place::{Accepted, place};
use super::refusal::Refusal;
use crate::messages::NewOrder;
use crate::service::http::unavailable;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use otelware_tower::HttpServerLayer;

pub(super) fn routes(shop: Shop) -> Router {
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .layer(HttpServerLayer::new().with_active_requests())
        .with_state(shop)
}

async fn place_order(State(shop): State<Shop>, Json(order): Json<NewOrder>) -> Response {
    if !is_sound(&order) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    // A task of its own: where the customer goes away, the order is not left half done, nor where the service stops. (As
    // `tokio::spawn`, and the task is in the trace of the request.)
    let placing = shop.placing.clone();
    match otelware::spawn(placing.track_future(place(shop, order))).await {
        Ok(Ok(Accepted::Placed(placed))) => (StatusCode::CREATED, Json(placed)).into_response(),
        Ok(Ok(Accepted::Delayed(placed))) => (StatusCode::ACCEPTED, Json(placed)).into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(panic) => unavailable(&panic),
    }
}

/// Whether an order is one that can be kept: neither empty nor without end.
fn is_sound(order: &NewOrder) -> bool {
    let is_name = |name: &str| (1..=64).contains(&name.chars().count());
    is_name(&order.customer)
        && (1..=20).contains(&order.lines.len())
        && (order.lines.iter()).all(|line| is_name(&line.product) && line.quantity > 0)
}

async fn show_order(State(shop): State<Shop>, Path(id): Path<String>) -> Response {
    match shop.database.find(&id).await {
        Ok(Some(order)) => Json(order).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => unavailable(&error),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Declined => StatusCode::PAYMENT_REQUIRED.into_response(),
            Self::UnknownProduct => StatusCode::NOT_FOUND.into_response(),
            Self::OutOfStock => StatusCode::CONFLICT.into_response(),
            Self::Unavailable(error) => unavailable(&error),
        }
    }
}
