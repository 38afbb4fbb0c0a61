//! Starts the whole shop: what its services need and nobody has named, the services one by one, and a customer. When
//! all is over it shows what the telemetry says.

mod arguments;
mod collector;
mod console;
mod customer;
mod parts;
mod processes;
mod report;
mod signals;
mod stand_ins;

use crate::Service;
use crate::service::Failure;
use crate::service::account::Account;
use arguments::{Arguments, Role};
use collector::Collector;
use console::Console;
use customer::{Customer, Load, Tally};
use otelware::telemetry::{Environment, Telemetry};
use parts::Parts;
use processes::Services;
use report::Report;
use signals::Signals;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long it may take, when nothing more is ordered, until each customer is notified.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same where nobody here can see whether they are.
const UNSEEN: Duration = Duration::from_secs(5);

/// How long it may take besides until an event goes out that had to wait for Kafka.
const DELAYED: Duration = Duration::from_secs(10);

/// How often it is looked whether something has come about.
const GLANCE: Duration = Duration::from_millis(100);

/// Starts the shop, or one of its services, as the command line says.
pub fn main() -> ExitCode {
    match Role::from_command_line() {
        Role::Service(service) => crate::run(service),
        Role::Shop(arguments) => match shop(&arguments) {
            Ok(code) => code,
            Err(error) => {
                eprintln!("shop: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

/// Opens the shop, has a customer come in, and closes it again. Each signal hurries up what is under way.
#[tokio::main]
async fn shop(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new()?;
    let load = Load::new(arguments);
    let console = Console::new(load.orders());

    let collector = match parts::telemetry_goes_elsewhere() {
        true => None,
        false => Some(Arc::new(Collector::start().await?)),
    };
    let parts = Parts::start(collector.as_deref()).await?;
    console.print(&parts.to_string());
    let services = tokio::select! {
        services = Services::start(parts.environment(), &console) => services?,
        () = signals.next() => return Err("stopped before it was open".into()),
    };
    let gateway = services.address(Service::Gateway);
    let gateway = gateway.ok_or("the gateway does not say where it is")?;
    console.print(&format!("\nThe shop is open at http://{gateway}/orders"));

    let telemetry = Telemetry::builder(report::CUSTOMER)
        .with_environment(Environment::from_iter(parts.environment()))
        .install()?;
    let customer = Customer::new(gateway, collector.clone())?;
    let mut early = Vec::new();
    let at_quarter = || early = services.memory();
    let tally = customer
        .shop(load, arguments.rate, &console, signals.next(), at_quarter)
        .await;

    let notified = tokio::select! {
        notified = all_are_notified(collector.as_deref(), &tally) => notified,
        () = signals.next() => Notified::Unknown,
    };
    let memory = [early, services.memory()];
    let ended = tokio::select! {
        ended = services.stop() => ended,
        () = signals.next() => return Err("stopped before all was over".into()),
    };
    // What could not be delivered is in the account.
    let _ = telemetry.shutdown().await;

    let report = Report {
        collector,
        tally,
        notified,
        memory,
        ended,
        customer: Account::from(&telemetry.health()),
    };
    Ok(report.print(&console, arguments.rate).await)
}

/// Whether each order that was placed has had its notification.
enum Notified {
    All,
    /// So many are missing.
    Missing(u64),
    Unknown,
}

/// Waits until the customers whose orders were placed are notified, or cannot be.
async fn all_are_notified(collector: Option<&Collector>, tally: &Tally) -> Notified {
    let Some(collector) = collector else {
        let delay = if tally.are_any_delayed() {
            DELAYED
        } else {
            Duration::ZERO
        };
        sleep(UNSEEN + delay).await;
        return Notified::Unknown;
    };
    let orders = tally.placed();
    let missing = || {
        let count = |outcome| collector.sum("shop.notifications", Some((OUTCOME, outcome)));
        orders.saturating_sub(count("sent") + count("undeliverable"))
    };
    match until(PATIENCE, || missing() == 0).await {
        true => Notified::All,
        false => Notified::Missing(missing()),
    }
}

const OUTCOME: &str = "shop.notification.outcome";

/// Looks again and again; whether it came about in time.
async fn until(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let looking = async {
        while !is_so() {
            sleep(GLANCE).await;
        }
    };
    timeout(patience, looking).await.is_ok()
}
