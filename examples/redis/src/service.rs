//! The service's routes.

use crate::cache::Cache;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use otelware::FutureExt;
use otelware_tower::HttpServerLayer;
use std::convert::Infallible;

/// The routes, with this cache.
pub(crate) fn router(cache: Cache) -> Router {
    Router::new()
        .route("/products/{name}", get(product))
        .layer(HttpServerLayer::new())
        .with_state(cache)
}

async fn product(
    State(cache): State<Cache>,
    Path(name): Path<String>,
) -> Result<String, StatusCode> {
    let load = load(&name).try_traced("load product");
    match cache.get_or_load(&name, load).await {
        Ok(Some(description)) => Ok(description),
        Ok(None) => Err(StatusCode::NOT_FOUND),
        Err(never) => match never {},
    }
}

/// Stands for a database, or another service.
async fn load(name: &str) -> Result<Option<String>, Infallible> {
    tracing::info!(name, "asking where it takes long");
    Ok(match name {
        "samovar" => Some("a samovar of brass\n".to_owned()),
        "teapot" => Some("a teapot, short and stout\n".to_owned()),
        _ => None,
    })
}
