//! A shop over RabbitMQ, instrumented: `cargo run -p rabbitmq` sells a few things and prints the trace
//! of each, from the order to the parcel.

mod orders;
mod shipping;
mod topology;

use futures_util::future::try_join_all;
use otelware::console::ConsoleMetricExporter;
use otelware::opentelemetry_sdk::metrics::PeriodicReader;
use otelware::{FutureExt, Telemetry};
use otelware_lapin::{Connection, ConnectionProperties};
use std::env;
use std::error::Error;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use topology::Topology;

/// What is sold. The van is full for a while, and there are no unicorns.
const ORDERS: [&str; 3] = ["teapot", "samovar", "unicorn"];

/// How many orders are taken at once.
const WORKERS: usize = 2;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Everything on the terminal, the metrics at the end, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("shop")
        .console()
        .with_metric_reader(PeriodicReader::builder(ConsoleMetricExporter::new()).build())
        .install()?;
    let result = run().await;
    telemetry.shutdown().await?;
    result
}

async fn run() -> Result<(), Box<dyn Error>> {
    let name = env::var("SHOP_NAME").unwrap_or_else(|_| "shop".to_owned());
    let connection = connect().await?;
    let topology = Topology::declare(&connection.create_channel().await?, &name).await?;

    // Each has a channel of its own. They end with the connection.
    let (done, mut finished) = mpsc::channel(ORDERS.len());
    let mut tasks = Vec::new();
    for _ in 0..WORKERS {
        let channel = connection.create_channel().await?;
        tasks.push(tokio::spawn(orders::work(channel, topology.clone())));
    }
    let channel = connection.create_channel().await?;
    let billing = orders::bill(channel, topology.clone(), done.clone());
    tasks.push(tokio::spawn(billing));
    let channel = connection.create_channel().await?;
    tasks.push(tokio::spawn(shipping::ship(
        channel,
        topology.clone(),
        done,
    )));

    let channel = connection.create_channel().await?;
    for order in ORDERS {
        let placing = orders::place(&channel, &topology, order);
        placing.try_traced("place order").await?;
    }
    // Each order is billed, and shipped or given up.
    timeout(PATIENCE, async {
        for _ in 0..2 * ORDERS.len() {
            finished.recv().await;
        }
    })
    .await?;
    connection.close(200, "closing time".into()).await?;
    for ended in try_join_all(tasks).await? {
        ended?;
    }
    Ok(())
}

/// `otelware_lapin::Connection` in the place of lapin's own is all that is done for the spans of what
/// is published and settled, and for the metrics.
async fn connect() -> Result<Connection, String> {
    let loopback = || "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned();
    let url = env::var("AMQP_URL").unwrap_or_else(|_| loopback());
    let connecting = Connection::connect(&url, ConnectionProperties::default());
    connecting.await.map_err(|error| {
        format!(
            "no RabbitMQ ({error}). Start one with `scripts/services rabbitmq`, or with `docker compose up \
             --detach --wait rabbitmq`, or say where it is by AMQP_URL"
        )
    })
}
