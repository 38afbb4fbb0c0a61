//! What became of the telemetry, service by service, and how much memory each took.

use super::Balance;
use super::table::Table;
use crate::launcher::processes::Memory;
use crate::service::account::Account;

/// Spans of all services, with their sum; the memory early and at the end.
pub(super) fn table(balances: &[Balance], memory: &[Memory; 2]) -> Table {
    let titles = [
        "service",
        "spans exported",
        "received",
        "failed",
        "dropped",
        "logs exported",
        "lost",
        "memory early",
        "at the end",
    ];
    let mut table = Table::new(1, &titles);
    let mut sums = [0; 6];
    for balance in balances {
        let Account { spans, logs, .. } = balance.account.unwrap_or_default();
        let figures = [
            spans.exported,
            balance.received.map_or(0, |received| received.spans),
            spans.failed,
            spans.dropped,
            logs.exported,
            logs.lost(),
        ];
        let received = balance.received.is_some();
        let memory = memory
            .each_ref()
            .map(|memory| bytes(memory, balance.service));
        table.push(row(balance.service, figures, received, memory));
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum += figure;
        }
    }
    let received = balances.iter().any(|balance| balance.received.is_some());
    table.push(row("all", sums, received, Default::default()));
    table
}

fn row(service: &str, figures: [u64; 6], received: bool, memory: [String; 2]) -> Vec<String> {
    let mut cells = vec![service.to_owned()];
    cells.extend(figures.map(|figure| figure.to_string()));
    if !received && let Some(cell) = cells.get_mut(2) {
        *cell = "–".to_owned();
    }
    cells.extend(memory);
    cells
}

fn bytes(memory: &Memory, name: &str) -> String {
    let bytes = memory.iter().find(|(service, _)| service.name() == name);
    bytes.map_or(String::new(), |(_, bytes)| {
        format!("{:.1} MB", *bytes as f64 / 1e6)
    })
}

/// What of a service's telemetry is missing.
pub(super) fn problems(balance: &Balance) -> Vec<String> {
    let service = balance.service;
    let Some(account) = balance.account else {
        return vec![format!("{service} said nothing of its telemetry")];
    };
    let lost: Vec<String> = [
        ("spans", account.spans.lost()),
        ("log records", account.logs.lost()),
        ("collections of metrics", account.metrics.lost()),
    ]
    .into_iter()
    .filter(|(_, lost)| *lost > 0)
    .map(|(what, lost)| format!("{lost} {what}"))
    .collect();
    let mut problems = Vec::new();
    if !lost.is_empty() {
        problems.push(format!("{service} lost {}", lost.join(", ")));
    }
    if let Some(received) = balance.received {
        for (what, exported, received) in [
            ("spans", account.spans.exported, received.spans),
            ("log records", account.logs.exported, received.logs),
            (
                "collections of metrics",
                account.metrics.exported,
                received.metrics,
            ),
        ] {
            let missing = exported.saturating_sub(received);
            if missing > 0 {
                problems.push(format!(
                    "{service} exported {missing} {what} that were not received"
                ));
            }
        }
    }
    problems
}
