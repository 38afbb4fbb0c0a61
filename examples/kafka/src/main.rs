//! A producer and its consumers, instrumented: `cargo run -p kafka` places three orders and prints the
//! trace of each.

mod billing;
mod brokers;
mod dead_letters;
mod mailing;
mod orders;

use brokers::Brokers;
use otelware::Telemetry;
use otelware::console::ConsoleMetricExporter;
use otelware::opentelemetry_sdk::metrics::PeriodicReader;
use std::error::Error;

/// What goes wrong, whatever it is.
type Failure = Box<dyn Error + Send + Sync>;

/// The orders that are placed: so many pens each.
const ORDERS: [u32; 3] = [3, 0, 12];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // Everything on the terminal, the metrics at the end, unless `OTEL_*` says otherwise.
    let telemetry = Telemetry::builder("shop")
        .console()
        .with_metric_reader(PeriodicReader::builder(ConsoleMetricExporter::new()).build())
        .install()?;
    let brokers = Brokers::from_environment().await?;

    // An order of no pens cannot be billed, so that it has no invoice.
    let bad = ORDERS.iter().filter(|&&pens| pens == 0).count();
    let consumers = [
        tokio::spawn(billing::run(brokers.clients(), ORDERS.len())),
        tokio::spawn(mailing::run(brokers.clients(), ORDERS.len() - bad)),
        tokio::spawn(dead_letters::run(brokers.clients(), bad)),
    ];
    orders::place(&brokers.clients(), &ORDERS).await?;
    for consumer in consumers {
        consumer.await??;
    }
    telemetry.shutdown().await?;
    Ok(())
}
