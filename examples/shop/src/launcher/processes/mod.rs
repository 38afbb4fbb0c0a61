//! The services as processes of their own, each with its own telemetry.

mod memory;
mod process;

use super::console::Console;
use crate::Service;
use crate::service::Failure;
use crate::service::account::Account;
use clap::ValueEnum;
use process::Process;
use std::net::SocketAddr;

/// The services that run. Dropped, they are killed.
#[derive(Default)]
pub(super) struct Services(Vec<Process>);

/// The bytes of memory that services take.
pub(super) type Memory = Vec<(Service, u64)>;

/// How a service ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) service: Service,
    /// What it said of its telemetry.
    pub(super) account: Option<Account>,
    /// What was wrong with its end.
    pub(super) problem: Option<String>,
}

/// Those that take orders first, then those that work them off; the called after their callers.
const STOP_ORDER: [Service; 6] = [
    Service::Gateway,
    Service::Orders,
    Service::Fulfilment,
    Service::Notifier,
    Service::Payments,
    Service::Inventory,
];

impl Services {
    /// Starts them one after the other, each when those that it calls are ready.
    pub(super) async fn start(
        mut environment: Vec<(String, String)>,
        console: &Console,
    ) -> Result<Self, Failure> {
        let mut services = Self::default();
        for service in Service::value_variants() {
            let process = Process::start(*service, &environment, console).await?;
            if let Some(address) = process.address() {
                let name = format!("{}_URL", service.name().to_uppercase());
                environment.push((name, format!("http://{address}")));
            }
            services.0.push(process);
        }
        Ok(services)
    }

    /// Where a service listens.
    pub(super) fn address(&self, service: Service) -> Option<SocketAddr> {
        let mut processes = self.0.iter();
        processes
            .find(|process| process.service() == service)?
            .address()
    }

    /// How much memory each takes, where the system tells.
    pub(super) fn memory(&self) -> Memory {
        self.0
            .iter()
            .filter_map(|process| Some((process.service(), memory::resident(process.id()?)?)))
            .collect()
    }

    /// Stops them one after the other.
    pub(super) async fn stop(mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for service in STOP_ORDER {
            let mut processes = self.0.iter();
            if let Some(index) = processes.position(|process| process.service() == service) {
                ended.push(self.0.remove(index).stop().await);
            }
        }
        ended
    }
}
