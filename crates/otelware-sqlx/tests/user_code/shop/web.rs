//! The handlers of the shop's web site.

use super::db::{PgPool, PoolConnection, Postgres};
use super::model::{Customer, Line, Order};
use super::{customers, orders};
use axum::extract::{FromRef, FromRequestParts, Path, State};
use axum::http::{StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

#[derive(Clone)]
struct Shop {
    pool: PgPool,
}

impl FromRef<Shop> for PgPool {
    fn from_ref(shop: &Shop) -> Self {
        shop.pool.clone()
    }
}

struct Failure(sqlx::Error);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            sqlx::Error::RowNotFound => StatusCode::NOT_FOUND,
            sqlx::Error::Database(error) if error.is_check_violation() => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
        .into_response()
    }
}

/// A connection for the length of a request.
struct Database(PoolConnection<Postgres>);

impl FromRequestParts<Shop> for Database {
    type Rejection = Failure;

    async fn from_request_parts(_: &mut Parts, shop: &Shop) -> Result<Self, Failure> {
        Ok(Self(shop.pool.acquire().await?))
    }
}

#[derive(Deserialize)]
struct NewOrder {
    customer: i64,
    lines: Vec<Line>,
    gift: Option<i64>,
}

async fn place(
    State(pool): State<PgPool>,
    Json(order): Json<NewOrder>,
) -> Result<Json<Order>, Failure> {
    let id = orders::place(&pool, order.customer, &order.lines, order.gift).await?;
    Ok(Json(orders::find(&pool, id).await?))
}

async fn order(State(pool): State<PgPool>, Path(id): Path<i64>) -> Result<Json<Order>, Failure> {
    Ok(Json(orders::find(&pool, id).await?))
}

async fn customer(
    Database(mut connection): Database,
    Path(id): Path<i64>,
) -> Result<Json<Customer>, Failure> {
    let customer = customers::find(&mut *connection, id).await?;
    Ok(Json(customer.ok_or(sqlx::Error::RowNotFound)?))
}

pub(crate) fn router(pool: PgPool) -> Router {
    Router::new()
        .route("/orders", post(place))
        .route("/orders/{id}", get(order))
        .route("/customers/{id}", get(customer))
        .with_state(Shop { pool })
}
