//! Serving HTTP.

use super::{Failure, environment::listen};
use axum::Router;
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use std::fmt::Display;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// Serves these routes, to the end of the requests that are under way when it is to stop.
pub(crate) async fn serve(
    routes: Router,
    default_address: &str,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let listener = listen(default_address).await?;
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

/// What is answered where something is away that the answer needs.
pub(crate) fn unavailable(error: &impl Display) -> Response {
    tracing::warn!(%error, "unavailable");
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response()
}
