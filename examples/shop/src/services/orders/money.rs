//! What is paid: the payments service, over HTTP. It fails now and then, and is asked again.

use super::refusal::Refusal;
use crate::messages::{Charge, Order};
use crate::service::Failure;
use crate::service::environment::variable;
use axum::http::StatusCode;
use otelware_reqwest::{HttpClientMiddleware, UrlTemplate};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use std::time::Duration;

/// How long an attempt may take.
const LIMIT: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Money {
    client: ClientWithMiddleware,
    url: String,
}

impl Money {
    pub(super) fn from_environment() -> Result<Self, Failure> {
        let retries = ExponentialBackoff::builder()
            .retry_bounds(Duration::from_millis(10), Duration::from_millis(100))
            .build_with_max_retries(2);
        let client = reqwest::Client::builder().timeout(LIMIT).build()?;
        // Beneath what retries, each attempt is a span, and says how many came before it.
        let client = ClientBuilder::new(client)
            .with(RetryTransientMiddleware::new_with_policy(retries))
            .with(HttpClientMiddleware::new())
            .build();
        Ok(Self {
            client,
            url: variable("PAYMENTS_URL", "http://127.0.0.1:8082"),
        })
    }

    pub(super) async fn charge(&self, order: &Order) -> Result<(), Refusal> {
        let charge = Charge {
            order: order.order.clone(),
            customer: order.customer.clone(),
            amount: order.total,
        };
        let request = self.client.post(format!("{}/charges", self.url));
        let answer = request.json(&charge).send().await?;
        match answer.status() {
            StatusCode::CREATED => Ok(()),
            StatusCode::PAYMENT_REQUIRED => Err(Refusal::Declined),
            status => Err(Refusal::Unavailable(
                format!("not charged: {status}").into(),
            )),
        }
    }

    /// Gives back what was charged, if anything was.
    pub(super) async fn refund(&self, order: &Order) {
        let request = self
            .client
            .delete(format!("{}/charges/{}", self.url, order.order));
        let template = UrlTemplate::new("/charges/{order}");
        let answer = request.with_extension(template).send().await;
        if let Err(error) = answer.and_then(|answer| Ok(answer.error_for_status()?)) {
            tracing::error!(%error, "not refunded");
        }
    }
}
