//! The web site.

use super::pens::Shelf;
use super::{Shop, orders, pens, visits};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use otelware_redis::otelware::opentelemetry::Context;
use otelware_redis::otelware::opentelemetry::trace::FutureExt;
use redis::{AsyncCommands, RedisError};

pub(crate) fn router(shop: Shop) -> Router {
    Router::new()
        .route("/pens", get(all))
        .route("/pens/{id}", get(one))
        .route("/pens/{id}/stock", put(stock))
        .route("/orders", post(order))
        .route("/visits", get(visited))
        .route("/wrong", get(wrong))
        .route_layer(from_fn_with_state(shop.clone(), counted))
        .with_state(shop)
}

struct Failed(RedisError);

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let code = self.0.code().unwrap_or("no code").to_owned();
        (StatusCode::INTERNAL_SERVER_ERROR, code).into_response()
    }
}

/// Counts visits on a thread of its own.
async fn counted(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    let context = Context::current();
    tokio::task::spawn_blocking(move || {
        let _attached = context.attach();
        visits::count(&mut shop.blocking().unwrap()).unwrap();
    })
    .await
    .unwrap();
    next.run(request).await
}

async fn one(State(mut shop): State<Shop>, Path(id): Path<u32>) -> Result<String, Failed> {
    let pen = pens::pen(&mut shop.connection, id).await?;
    shop.connection.note(id).await?;
    Ok(pen)
}

async fn stock(State(shop): State<Shop>, Path(id): Path<u32>) -> Result<String, Failed> {
    let counting = pens::count(shop.connection.clone(), id);
    let counting = counting.with_context(Context::current());
    let stock = tokio::spawn(counting).await.unwrap()?;
    Ok(format!("{stock} in stock"))
}

async fn all(State(shop): State<Shop>) -> Result<String, Failed> {
    let mut connection = shop.multiplexed().await?;
    Ok(pens::keys(&mut connection).await?.join(","))
}

async fn order(State(shop): State<Shop>) -> Result<String, Failed> {
    Ok(orders::order(shop.multiplexed().await?, 2).await?)
}

async fn visited(State(shop): State<Shop>) -> Result<String, Failed> {
    let context = Context::current();
    let (visits, stocks) = tokio::task::spawn_blocking(move || {
        let _attached = context.attach();
        let mut connection = shop.blocking()?;
        let visits = visits::visits(&mut connection)?;
        Ok::<_, RedisError>((visits, visits::stocks(&mut connection, &[1, 2, 3])?))
    })
    .await
    .unwrap()?;
    Ok(format!(
        "{visits} visits, {} in the background",
        stocks.len()
    ))
}

async fn wrong(State(mut shop): State<Shop>) -> Result<String, Failed> {
    let _: () = shop.connection.set("text", "a").await?;
    let _: () = shop.connection.lpush("text", "b").await?;
    Ok("it should have failed".to_owned())
}
