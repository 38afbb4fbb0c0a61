//! What is shown when all is over: the trace of an order of each kind, the metrics, and the accounts. What is wrong
//! comes last, and makes the exit code.

mod accounts;
mod in_flight;
mod metrics;
mod points;
mod table;
mod trees;

use super::Notified;
use super::collector::{Collector, Received};
use super::console::Console;
use super::customer::{KINDS, Tally, answers};
use super::processes::{Ended, Memory};
use crate::service::account::Account;
use std::process::ExitCode;
use std::sync::Arc;

/// The `service.name` of the customer.
pub(super) const CUSTOMER: &str = "customer";

pub(super) struct Report {
    /// None where telemetry went elsewhere.
    pub(super) collector: Option<Arc<Collector>>,
    pub(super) tally: Tally,
    pub(super) notified: Notified,
    /// Early, and at the end.
    pub(super) memory: [Memory; 2],
    pub(super) ended: Vec<Ended>,
    pub(super) customer: Account,
}

/// What the telemetry of one service came to.
struct Balance {
    service: &'static str,
    account: Option<Account>,
    /// None where it is not known here.
    received: Option<Received>,
}

impl Report {
    /// Prints it; whether all was well.
    pub(super) async fn print(&self, console: &Console, rate: f64) -> ExitCode {
        let balances = self.balances();
        let mut in_flight = Vec::new();
        match &self.collector {
            Some(collector) => {
                self.draw_traces(console, collector).await;
                let metrics = collector.metrics();
                in_flight = in_flight::left(&metrics);
                console.print(&format!("\nMetrics\n{}", metrics::table(&metrics)));
            }
            None => console
                .print("\nTraces, metrics and logs are where OTEL_EXPORTER_OTLP_ENDPOINT says."),
        }
        console.print(&format!(
            "\nTelemetry\n{}",
            accounts::table(&balances, &self.memory)
        ));
        console.print(&format!("\n{}", self.orders(rate)));

        let problems = self.problems(&balances, &in_flight);
        if problems.is_empty() {
            let collected = match self.collector {
                Some(_) => ", all telemetry has arrived, and nothing is left in flight",
                None => ", and all telemetry was accepted",
            };
            console.print(&format!(
                "All orders were answered as they should be{collected}."
            ));
            return ExitCode::SUCCESS;
        }
        for problem in problems {
            console.print(&format!("✗ {problem}"));
        }
        ExitCode::FAILURE
    }

    async fn draw_traces(&self, console: &Console, collector: &Collector) {
        let mut drawn = Vec::new();
        for (kind, (trace, status)) in &self.tally.shown {
            let title = KINDS.get(*kind).map(|kind| kind.title).unwrap_or_default();
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            console.print(&format!("\n{}. {title} ({status})\n", kind + 1));
            trees::draw(collector.spans(*trace)).await;
            for linked in collector.linked(*trace) {
                if !drawn.contains(&linked) {
                    drawn.push(linked);
                    console.print("\n   and what has a link to it:\n");
                    trees::draw(collector.spans(linked)).await;
                }
            }
        }
    }

    fn balances(&self) -> Vec<Balance> {
        let received = |service| Some(self.collector.as_ref()?.received(service));
        let customer = Balance {
            service: CUSTOMER,
            account: Some(self.customer),
            received: received(CUSTOMER),
        };
        let services = self.ended.iter().map(|ended| Balance {
            service: ended.service.name(),
            account: ended.account,
            received: received(ended.service.name()),
        });
        std::iter::once(customer).chain(services).collect()
    }

    /// What the customer saw.
    fn orders(&self, rate: f64) -> String {
        let tally = &self.tally;
        let orders = tally.orders();
        let mut text = match orders {
            0 => return "No order was answered.".to_owned(),
            1 => "1 order".to_owned(),
            orders => format!("{orders} orders, {:.1} per second", tally.rate),
        };
        if tally.rate < rate * 0.95 {
            text += &format!(" (not {rate}: the answers came too slowly)");
        }
        text += &format!(": {}", answers(&tally.by_status()));
        let quantiles = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].map(|(name, quantile)| {
            let value = tally.quantile(quantile).unwrap_or_default();
            format!("{name} {}", metrics::milliseconds(value))
        });
        text += &format!("; answered after {}", quantiles.join(", "));
        text
    }

    fn problems(&self, balances: &[Balance], in_flight: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for (title, status, count) in self.tally.unexpected() {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            problems.push(format!("{count} × {status} to “{title}”"));
        }
        if let Notified::Missing(count) = self.notified {
            problems.push(format!("{count} orders without their notification"));
        }
        for ended in &self.ended {
            if let Some(problem) = &ended.problem {
                problems.push(format!("{} {problem}", ended.service.name()));
            }
        }
        problems.extend(balances.iter().flat_map(accounts::problems));
        problems.extend(
            in_flight
                .iter()
                .map(|left| format!("left in flight: {left}")),
        );
        problems
    }
}
