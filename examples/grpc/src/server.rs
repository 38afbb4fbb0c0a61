//! An orders service of tonic, instrumented: `cargo run -p grpc --bin orders-server`.

use grpc::shop::v1::orders_server::{Orders, OrdersServer};
use grpc::shop::v1::{Order, OrderUpdate, PlaceOrderRequest, WatchOrderRequest};
use otelware::Telemetry;
use otelware_tonic::GrpcServerLayer;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tonic::codegen::BoxStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Everything on the terminal, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("orders").console().install()?;
    // Methods that the `.proto` file does not have are `_OTHER`, and health checks leave no trace.
    let layer = GrpcServerLayer::new()
        .with_file_descriptor_set(grpc::FILE_DESCRIPTOR_SET)?
        .with_filter(|call| !call.is_health_check());
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<OrdersServer<Shop>>().await;

    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    // Without `nodelay` small messages of a stream wait for one another.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .layer(layer)
        .add_service(health_service)
        .add_service(OrdersServer::new(Shop::default()))
        .serve_with_incoming_shutdown(incoming, stop_signal())
        .await?;
    telemetry.shutdown().await?;
    Ok(())
}

#[derive(Default)]
struct Shop {
    last_order: AtomicU64,
}

#[tonic::async_trait]
impl Orders for Shop {
    async fn place_order(
        &self,
        request: Request<PlaceOrderRequest>,
    ) -> Result<Response<Order>, Status> {
        let PlaceOrderRequest { item, quantity } = request.into_inner();
        otelware::operation("reserve stock")
            .attribute("shop.item", item.clone())
            .attribute("shop.quantity", i64::from(quantity))
            .try_run(reserve(&item))
            .await
            .map_err(|UnknownItem| Status::not_found(format!("the shop has no {item}")))?;
        let id = self.last_order.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::info!(id, item, quantity, "order placed");
        Ok(Response::new(Order { id }))
    }

    type WatchOrderStream = BoxStream<OrderUpdate>;

    /// The call lasts until its stream has ended, and each step happens within the call.
    async fn watch_order(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        let id = request.into_inner().id;
        let updates = tokio_stream::iter(["packed", "shipped", "delivered"])
            .throttle(Duration::from_millis(5))
            .map(move |step| {
                tracing::info!(id, step, "order moves on");
                Ok(OrderUpdate {
                    step: step.to_owned(),
                })
            });
        Ok(Response::new(Box::pin(updates)))
    }
}

#[derive(Debug)]
struct UnknownItem;

async fn reserve(item: &str) -> Result<(), UnknownItem> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    if item == "teapot" {
        Ok(())
    } else {
        Err(UnknownItem)
    }
}

/// Completes with the first of Ctrl-C and SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    tokio::signal::ctrl_c().await.ok();
}
