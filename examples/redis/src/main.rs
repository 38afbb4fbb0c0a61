//! A service with a cache, instrumented: `cargo run -p cache` sends itself a handful of requests and
//! prints the trace of each.

mod cache;
mod service;

use cache::{Cache, Store};
use otelware::Telemetry;
use otelware::console::ConsoleMetricExporter;
use otelware::opentelemetry_sdk::metrics::PeriodicReader;
use otelware_redis::Client;
use otelware_redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};
use std::env;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long what is cached lives.
const LIVES: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Everything on the terminal, the metrics at the end, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("shop")
        .console()
        .with_metric_reader(PeriodicReader::builder(ConsoleMetricExporter::new()).build())
        .install()?;
    let prefix = env::var("CACHE_PREFIX").unwrap_or_else(|_| "shop:product:".to_owned());
    let cache = Cache::new(store().await, prefix, LIVES);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(
        axum::serve(listener, service::router(cache))
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
            .into_future(),
    );
    send_requests(&format!("http://{address}")).await?;
    stop.send(()).ok();
    server.await??;
    telemetry.shutdown().await?;
    Ok(())
}

/// Redis, or this process where that is not to be had.
async fn store() -> Store {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    match connect(&url).await {
        Ok(connection) => Store::Redis(connection),
        Err(error) => {
            tracing::warn!(%error, "no Redis: what is cached stays in this process");
            let memory = moka::future::Cache::builder();
            Store::Memory(memory.max_capacity(1_000).time_to_live(LIVES).build())
        }
    }
}

/// `otelware_redis::Client` in the place of redis-rs' own is all that is done for the cache's spans
/// and metrics.
async fn connect(url: &str) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(Some(Duration::from_secs(1)));
    let client = Client::open(url)?;
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// What the service is asked, one after the other.
async fn send_requests(service: &str) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::new();
    for name in ["teapot", "teapot", "samovar", "unicorn", "teapot"] {
        let answer = client
            .get(format!("{service}/products/{name}"))
            .send()
            .await?;
        tracing::info!(status = answer.status().as_u16(), "answered");
    }
    Ok(())
}
