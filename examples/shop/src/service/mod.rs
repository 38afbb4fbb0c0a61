//! What every service does: telemetry from the environment, a word when it works, a graceful end, and
//! the account of what was exported.

pub(crate) mod account;
pub(crate) mod environment;
pub(crate) mod http;
pub(crate) mod retry;
mod stop;

use crate::services::{fulfilment, gateway, inventory, notifier, orders, payments};
use account::Account;
use clap::ValueEnum;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// What goes wrong, whatever it is.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The services, in the order in which they are started: each after those that it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Knows what there is, and reserves it: gRPC.
    Inventory,
    /// Charges cards: HTTP.
    Payments,
    /// Notifies customers: from RabbitMQ.
    Notifier,
    /// Fulfils orders: from Kafka, to RabbitMQ.
    Fulfilment,
    /// Takes orders: HTTP, over the others, a database, Redis and Kafka.
    Orders,
    /// What customers talk to: HTTP.
    Gateway,
}

impl Service {
    /// Its `service.name`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Payments => "payments",
            Self::Notifier => "notifier",
            Self::Fulfilment => "fulfilment",
            Self::Orders => "orders",
            Self::Gateway => "gateway",
        }
    }
}

/// Runs a service until it is told to stop.
pub fn run(service: Service) -> ExitCode {
    match try_run(service) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", service.name());
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn try_run(service: Service) -> Result<(), Failure> {
    // All that is done for spans, metrics and logs: `OTEL_*` says where they go.
    let telemetry = otelware::init(service.name())?;
    let stop = stop::token();
    let overdue = stop::overdue(stop.clone());
    let service_ends = async {
        match service {
            Service::Inventory => inventory::run(stop).await,
            Service::Payments => payments::run(stop).await,
            Service::Notifier => notifier::run(stop).await,
            Service::Fulfilment => fulfilment::run(stop).await,
            Service::Orders => orders::run(stop).await,
            Service::Gateway => gateway::run(stop).await,
        }
    };
    let ended = tokio::select! {
        ended = service_ends => ended,
        () = overdue => Err("the end was overdue".into()),
    };
    // Telemetry that could not be delivered is no failure of the service. The account has it.
    if let Err(error) = telemetry.shutdown().await {
        eprintln!("{}: {error}", service.name());
    }
    say(&Account::from(&telemetry.health()).line());
    ended
}

/// Says something to whoever started the service. Nobody needs to listen.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}
