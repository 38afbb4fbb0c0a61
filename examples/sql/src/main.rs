//! An orders service over a database, instrumented: `cargo run -p sql` sends itself a handful of
//! requests and prints the trace of each.

mod orders;
mod service;

use otelware::Telemetry;
use otelware::console::ConsoleMetricExporter;
use otelware::opentelemetry_sdk::metrics::PeriodicReader;
use otelware_sqlx::{Instrument, SqlitePool};
use sqlx::sqlite::SqlitePoolOptions;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Everything on the terminal, the metrics at the end, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("orders")
        .console()
        .with_metric_reader(PeriodicReader::builder(ConsoleMetricExporter::new()).build())
        .install()?;
    let pool = open().await?;
    pool.migrate(&sqlx::migrate!()).await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(
        axum::serve(listener, service::router(pool))
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
            .into_future(),
    );
    send_requests(&format!("http://{address}")).await?;
    stop.send(()).ok();
    server.await??;
    telemetry.shutdown().await?;
    Ok(())
}

/// A database in memory. Each of its connections would have one of its own, so there is one only,
/// which stays.
async fn open() -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    // `instrument` is all that is done for its spans and metrics.
    Ok(pool.connect("sqlite::memory:").await?.instrument())
}

/// What the service is asked, one after the other.
async fn send_requests(service: &str) -> Result<(), reqwest::Error> {
    let client = reqwest::Client::new();
    for request in [
        client.post(format!("{service}/customers/ada/orders/teapot/2")),
        client.post(format!("{service}/customers/ada/orders/samovar/5")),
        client.get(format!("{service}/orders/1")),
        client.get(format!("{service}/orders/404")),
        client.post(format!("{service}/items/teapot")),
    ] {
        let answer = request.send().await?;
        tracing::info!(status = answer.status().as_u16(), "answered");
    }
    Ok(())
}
