//! What things cost: out of the cache, or else from where it is known. A cache that is away makes
//! orders slower, and no more.

use super::refusal::Refusal;
use super::stock::Stock;
use crate::messages::Line;
use crate::service::environment::variable;
use futures_util::future::try_join_all;
use otelware_redis::Instrument;
use otelware_redis::aio::ConnectionManager;
use redis::aio::ConnectionManagerConfig;
use redis::{AsyncCommands, RedisResult, SetExpiry, SetOptions};
use std::time::Duration;

/// How long a connection, or an answer, may take.
const LIMIT: Duration = Duration::from_millis(250);

/// How many seconds a price is kept.
const KEPT: u64 = 60;

#[derive(Clone)]
pub(super) struct Prices {
    cache: ConnectionManager,
    stock: Stock,
}

impl Prices {
    pub(super) fn from_environment(stock: Stock) -> RedisResult<Self> {
        let client = redis::Client::open(variable("REDIS_URL", "redis://127.0.0.1:6379"))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT))
            // The next command tries again.
            .set_number_of_retries(0);
        Ok(Self {
            cache: client.instrument().get_connection_manager_lazy(config)?,
            stock,
        })
    }

    /// What these lines cost together, in cents.
    pub(super) async fn total(&self, lines: &[Line]) -> Result<i64, Refusal> {
        let prices = try_join_all(lines.iter().map(|line| self.price(&line.product))).await?;
        let costs = lines.iter().zip(prices);
        Ok(costs
            .map(|(line, price)| i64::from(line.quantity) * price)
            .sum())
    }

    async fn price(&self, product: &str) -> Result<i64, Refusal> {
        let key = format!("shop:price:{product}");
        let mut cache = self.cache.clone();
        // Where it fails, its span says why.
        let cached: RedisResult<Option<i64>> = cache.get(&key).await;
        if let Ok(Some(price)) = cached {
            return Ok(price);
        }
        let price = self.stock.price(product).await?;
        if cached.is_ok() {
            let options = SetOptions::default().with_expiration(SetExpiry::EX(KEPT));
            let _: RedisResult<()> = cache.set_options(&key, price, options).await;
        }
        Ok(price)
    }
}
