//! The service's routes.

use crate::orders::{self, Failure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use otelware_sqlx::SqlitePool;
use otelware_tower::HttpServerLayer;

/// The routes, over this database.
pub(crate) fn router(pool: SqlitePool) -> Router {
    Router::new()
        .route(
            "/customers/{customer}/orders/{item}/{quantity}",
            post(place_order),
        )
        .route("/orders/{id}", get(order))
        .route("/items/{name}", post(add_item))
        .layer(HttpServerLayer::new())
        .with_state(pool)
}

/// A query, a transaction and a stream, all of which belong to the request.
async fn place_order(
    State(pool): State<SqlitePool>,
    Path((customer, item, quantity)): Path<(String, String, u32)>,
) -> Result<String, StatusCode> {
    let stock = orders::stock(&pool, &item).await.map_err(status)?;
    let id = orders::place(&pool, &customer, &item, quantity)
        .await
        .map_err(status)?;
    let ordered = orders::pieces_ordered(&pool, &customer)
        .await
        .map_err(status)?;
    tracing::info!(id, stock, ordered, "order placed");
    Ok(format!("order {id}: {ordered} pieces ordered so far\n"))
}

async fn order(State(pool): State<SqlitePool>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let (item, quantity) = orders::order(&pool, id).await.map_err(status)?;
    Ok(format!("{quantity} of {item}\n"))
}

/// An item that the shop has already is refused by the database itself.
async fn add_item(
    State(pool): State<SqlitePool>,
    Path(name): Path<String>,
) -> Result<&'static str, StatusCode> {
    orders::add_item(&pool, &name).await.map_err(status)?;
    Ok("added\n")
}

fn status(failure: Failure) -> StatusCode {
    match failure {
        Failure::SoldOut => StatusCode::CONFLICT,
        Failure::Database(sqlx::Error::RowNotFound) => StatusCode::NOT_FOUND,
        Failure::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            StatusCode::CONFLICT
        }
        Failure::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
