//! What there is: the inventory service, over gRPC.

use super::refusal::Refusal;
use crate::messages;
use crate::service::Failure;
use crate::service::environment::variable;
use crate::services::inventory::v1::inventory_client::InventoryClient;
use crate::services::inventory::v1::{GetProductRequest, Line, ReleaseRequest};
use otelware_tonic::{Channel, GrpcClientLayer};
use std::time::Duration;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Endpoint;

/// How long a call may take, to its end.
const LIMIT: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Stock {
    client: InventoryClient<Channel>,
}

impl Stock {
    pub(super) fn from_environment() -> Result<Self, Failure> {
        let url = variable("INVENTORY_URL", "http://127.0.0.1:8083");
        let endpoint = Endpoint::from_shared(url)?
            .connect_timeout(LIMIT)
            .timeout(LIMIT);
        // Connects with the first call, and again whenever the connection is lost.
        let channel = GrpcClientLayer::new().connect_lazy(&endpoint);
        Ok(Self {
            client: InventoryClient::new(channel),
        })
    }

    /// The price of a product.
    pub(super) async fn price(&self, product: &str) -> Result<i64, Refusal> {
        let request = GetProductRequest {
            name: product.to_owned(),
        };
        let product = self.client.clone().get_product(request).await?;
        Ok(product.into_inner().price)
    }

    /// Reserves line by line; all of them, or none.
    pub(super) async fn reserve(&self, order: &[messages::Line]) -> Result<(), Refusal> {
        let lines = tokio_stream::iter(lines(order));
        let mut client = self.client.clone();
        let reserving = async {
            let mut reserved = client.reserve(lines).await?.into_inner();
            while reserved.message().await?.is_some() {}
            Ok(())
        };
        // The endpoint's time limit is over when the stream begins.
        let reserved = timeout(LIMIT, reserving).await;
        Ok(reserved.unwrap_or_else(|_| Err(Status::deadline_exceeded("not reserved in time")))?)
    }

    /// Gives back what was reserved.
    pub(super) async fn release(&self, order: &[messages::Line]) {
        let lines = lines(order);
        let released = self.client.clone().release(ReleaseRequest { lines }).await;
        if let Err(error) = released {
            tracing::error!(%error, "stays reserved");
        }
    }
}

fn lines(order: &[messages::Line]) -> Vec<Line> {
    let lines = order.iter().map(|line| Line {
        product: line.product.clone(),
        quantity: line.quantity,
    });
    lines.collect()
}
