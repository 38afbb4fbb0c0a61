//! An orders service, instrumented: run it and read its traces.
//!
//! `cargo run -p quickstart` sends itself a handful of requests and prints what it saw of them.
//! `cargo run -p quickstart -- --serve` stays up and exports wherever the `OTEL_*` variables say.

mod demo;
mod service;

use otelware::Telemetry;
use otelware::console::ConsoleMetricExporter;
use otelware::opentelemetry_sdk::metrics::PeriodicReader;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--serve") {
        serve().await
    } else {
        demonstrate().await
    }
}

/// Serves until it is told to stop, and exports wherever `OTEL_*` says.
async fn serve() -> Result<(), Box<dyn Error>> {
    let telemetry = otelware::init("orders")?;
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let stock = std::env::var("STOCK_URL").unwrap_or_else(|_| format!("http://{address}/stock"));
    tracing::info!(%address, "listening; try: curl -i http://{address}/orders/7");
    axum::serve(listener, service::router(stock))
        .with_graceful_shutdown(stop_signal())
        .await?;
    let stopped = telemetry.shutdown().await;
    tracing::info!(spans = ?telemetry.health().spans, "stopped");
    Ok(stopped?)
}

/// Serves a handful of requests and shows their traces, logs and metrics on the console.
async fn demonstrate() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::builder("orders")
        .console()
        .with_metric_reader(PeriodicReader::builder(ConsoleMetricExporter::new()).build())
        .install()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(
        axum::serve(listener, service::router(format!("http://{address}/stock")))
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
            .into_future(),
    );
    demo::send_requests(address).await?;
    stop.send(()).ok();
    server.await??;
    telemetry.shutdown().await?;
    Ok(())
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
