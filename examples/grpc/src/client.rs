//! A customer of the orders service, instrumented: `cargo run -p grpc --bin orders-client`.

use grpc::shop::v1::orders_client::OrdersClient;
use grpc::shop::v1::{PlaceOrderRequest, WatchOrderRequest};
use otelware::Telemetry;
use otelware_tonic::{Channel, GrpcClientLayer};
use std::error::Error;
use tonic::Status;
use tonic::transport::Endpoint;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Everything on the terminal, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("customer").console().install()?;
    let url = std::env::var("ORDERS_URL").unwrap_or_else(|_| "http://127.0.0.1:50051".to_owned());
    let endpoint = Endpoint::from_shared(url)?;
    let channel = GrpcClientLayer::new().connect(&endpoint).await?;
    let shopped = otelware::operation("go shopping")
        .try_run(go_shopping(OrdersClient::new(channel)))
        .await;
    telemetry.shutdown().await?;
    Ok(shopped?)
}

async fn go_shopping(mut orders: OrdersClient<Channel>) -> Result<(), Status> {
    let order = orders.place_order(request("teapot", 2)).await?.into_inner();

    // The call lasts until the stream has ended.
    let watched = WatchOrderRequest { id: order.id };
    let mut updates = orders.watch_order(watched).await?.into_inner();
    while let Some(update) = updates.message().await? {
        tracing::info!(id = order.id, step = update.step, "order moves on");
    }

    // An error here: every code but OK is one to a client. The server did nothing wrong.
    if let Err(status) = orders.place_order(request("samovar", 1)).await {
        tracing::warn!(code = ?status.code(), reason = status.message(), "order refused");
    }
    Ok(())
}

fn request(item: &str, quantity: u32) -> PlaceOrderRequest {
    PlaceOrderRequest {
        item: item.to_owned(),
        quantity,
    }
}
