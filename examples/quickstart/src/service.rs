//! The service: orders whose stock another service knows, here its own `/stock`.

use axum::Router;
use axum::extract::connect_info::{ConnectInfo, IntoMakeServiceWithConnectInfo};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use otelware::{FutureExt, Message};
use otelware_reqwest::reqwest_middleware::ClientWithMiddleware;
use otelware_reqwest::{ClientExt, UrlTemplate};
use otelware_tower::HttpServerLayer;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::mpsc;
use tower_http::catch_panic::CatchPanicLayer;

#[derive(Clone)]
struct Shop {
    client: ClientWithMiddleware,
    stock: String,
    receipts: mpsc::Sender<Message<u32>>,
}

/// The service's routes; `stock` is the URL of the service that knows it.
pub(crate) fn router(stock: String) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    let (receipts, orders) = mpsc::channel(16);
    tokio::spawn(print_receipts(orders));
    let shop = Shop {
        client: reqwest::Client::new().instrumented(),
        stock,
        receipts,
    };
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/pay", post(pay))
        .route("/stock/{id}", get(in_stock))
        .route("/report", get(report))
        .route("/bug", get(bug))
        .layer(CatchPanicLayer::new())
        .layer(HttpServerLayer::new())
        .with_state(shop)
        .into_make_service_with_connect_info::<SocketAddr>()
}

/// An order, with an outbound call for its stock.
async fn order(State(shop): State<Shop>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    let in_stock = shop
        .client
        .get(format!("{}/{id}", shop.stock))
        .with_extension(UrlTemplate::new("/stock/{id}"))
        .send()
        .await
        .and_then(|response| Ok(response.error_for_status()?))
        .map_err(|_| StatusCode::BAD_GATEWAY)?
        .text()
        .await
        .map_err(|_| StatusCode::BAD_GATEWAY)?;
    tracing::info!(id, in_stock, "order shown");
    Ok(format!("order {id}: {in_stock} in stock\n"))
}

/// A payment: work of one's own, traced by name, and a receipt in the background.
async fn pay(State(shop): State<Shop>, Path(id): Path<u32>) -> Result<&'static str, StatusCode> {
    otelware::operation("charge card")
        .attribute("shop.order", i64::from(id))
        .try_run(charge(id))
        .await
        .map_err(|_| StatusCode::PAYMENT_REQUIRED)?;
    shop.receipts
        .send(Message::new(id))
        .await
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok("paid\n")
}

#[derive(Debug)]
struct CardDeclined;

async fn charge(id: u32) -> Result<(), CardDeclined> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    if id == 13 { Err(CardDeclined) } else { Ok(()) }
}

/// What the stock service knows; it has lost one order, and fails on it.
async fn in_stock(
    Path(id): Path<u32>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Result<String, StatusCode> {
    tracing::debug!(%peer, "stock asked for");
    match id {
        404 => Err(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Ok((id % 5).to_string()),
    }
}

/// A slow path: two steps of which one takes its time.
async fn report() -> &'static str {
    tokio::time::sleep(Duration::from_millis(5))
        .traced("collect orders")
        .await;
    tokio::time::sleep(Duration::from_millis(40))
        .traced("sum up")
        .await;
    "all is well\n"
}

/// A bug: the panic becomes a 500, and the span says so.
async fn bug() -> &'static str {
    let orders: Vec<&str> = Vec::new();
    #[expect(clippy::indexing_slicing, reason = "this is the bug")]
    orders[0]
}

/// Background work: each receipt goes on in the trace of the order that it is for.
async fn print_receipts(mut orders: mpsc::Receiver<Message<u32>>) {
    while let Some(message) = orders.recv().await {
        let (id, operation) = message.receive("print receipt");
        operation
            .attribute("shop.order", i64::from(id))
            .run(async {
                tokio::time::sleep(Duration::from_millis(2)).await;
                tracing::info!(id, "receipt printed");
            })
            .await;
    }
}
