//! Knows what there is and what it costs, and reserves it.
//!
//! Shows a server of tonic: a layer, [`GrpcServerLayer`], for unary calls and streams alike.

mod reservation;
mod stock;

use crate::service::Failure;
use crate::service::environment::listen;
use otelware_tonic::GrpcServerLayer;
use reservation::Reservation;
use stock::Stock;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use v1::inventory_server::{Inventory, InventoryServer};
use v1::{GetProductRequest, Line, Product, ReleaseRequest, ReleaseResponse};

/// What `proto/shop/v1/inventory.proto` says, in Rust.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "generated; the comments are in the `.proto` file"
)]
pub(crate) mod v1 {
    tonic::include_proto!("shop.v1");
}

/// The descriptors of the `.proto` file.
const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("inventory_descriptor");

pub(crate) async fn run(stop: CancellationToken) -> Result<(), Failure> {
    // Methods that the `.proto` file does not have are `_OTHER`, whatever callers make up.
    let layer = GrpcServerLayer::new()
        .with_active_calls()
        .with_file_descriptor_set(FILE_DESCRIPTOR_SET)?;
    let listener = listen("127.0.0.1:8083").await?;
    // Without `nodelay` small messages of a stream wait for one another.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .layer(layer)
        .add_service(InventoryServer::new(Stock::default()))
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await?;
    Ok(())
}

#[tonic::async_trait]
impl Inventory for Stock {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        let name = request.into_inner().name;
        let price = self.price(&name)?;
        Ok(Response::new(Product { name, price }))
    }

    type ReserveStream = Reservation;

    /// The call, and so its span, lasts until the last line was answered.
    async fn reserve(
        &self,
        request: Request<Streaming<Line>>,
    ) -> Result<Response<Reservation>, Status> {
        let reservation = Reservation::new(self.clone(), request.into_inner());
        Ok(Response::new(reservation))
    }

    async fn release(
        &self,
        request: Request<ReleaseRequest>,
    ) -> Result<Response<ReleaseResponse>, Status> {
        for line in &request.into_inner().lines {
            self.give_back(line);
        }
        Ok(Response::new(ReleaseResponse {}))
    }
}
