//! What customers talk to. It passes their requests on to where orders are taken.
//!
//! Shows a server's layer, [`HttpServerLayer`], and a client in one line, `.instrumented()`.

use crate::messages::NewOrder;
use crate::service::Failure;
use crate::service::environment::variable;
use crate::service::http::{serve, unavailable};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http;
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use otelware_reqwest::{ClientExt, UrlTemplate};
use otelware_tower::HttpServerLayer;
use reqwest_middleware::{ClientWithMiddleware, RequestBuilder};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an order may take; more than all that it waits for may take together.
const LIMIT: Duration = Duration::from_secs(12);

#[derive(Clone)]
struct Orders {
    client: ClientWithMiddleware,
    url: String,
}

pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    let client = reqwest::Client::builder().timeout(LIMIT).build()?;
    let orders = Orders {
        client: client.instrumented(),
        url: variable("ORDERS_URL", "http://127.0.0.1:8081"),
    };
    // The shop's own customers decide about traces; of strangers say `.with_trust(Trust::Public)`.
    let routes = Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .layer(HttpServerLayer::new().with_active_requests())
        .with_state(orders);
    serve(routes, "127.0.0.1:8080", stop).await
}

async fn place_order(State(orders): State<Orders>, Json(order): Json<NewOrder>) -> Response {
    let request = orders.client.post(format!("{}/orders", orders.url));
    pass_on(request.json(&order)).await
}

async fn show_order(State(orders): State<Orders>, Path(id): Path<String>) -> Response {
    let request = orders.client.get(format!("{}/orders/{id}", orders.url));
    pass_on(request.with_extension(UrlTemplate::new("/orders/{id}"))).await
}

/// The answer as it comes, body and all.
async fn pass_on(request: RequestBuilder) -> Response {
    match request.send().await {
        Ok(answer) => {
            let mut answer = http::Response::from(answer).map(Body::new);
            // These are of one connection, and not of the next.
            answer.headers_mut().remove(CONNECTION);
            answer.headers_mut().remove(TRANSFER_ENCODING);
            answer
        }
        Err(error) => unavailable(&error),
    }
}
