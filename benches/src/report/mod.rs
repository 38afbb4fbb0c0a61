//! The tables and the verdicts.

mod grpc;
mod over;
mod redis;
mod sql;

use std::process::ExitCode;

use crate::Error;
use crate::case::{self, Case};
use crate::measurement::{self, Cost};
use crate::programs;
use crate::propagation::{Operation, Propagators};
use crate::telemetry::CONFIGURATIONS;
use crate::variants::Variant;

/// The most that ours may cost of what the peer costs, both over zero: configuration, variant, share of instructions.
///
/// A sampler that is always off is set up by `otelware::init`, which makes attributes late by itself.
#[cfg(feature = "ours")]
const INSTRUCTION_LIMITS: [(&str, Variant, f64); 3] = [
    ("both", Variant::Ours, 0.45),
    ("unsampled", Variant::Ours, 0.31),
    ("offmet", Variant::Late, 0.31),
];
#[cfg(not(feature = "ours"))]
const INSTRUCTION_LIMITS: [(&str, Variant, f64); 0] = [];

/// Measures, prints and, if asked to, checks.
pub(crate) fn run(text: Option<&str>, check: bool) -> Result<ExitCode, Error> {
    let cases: Vec<Case> = case::all()
        .into_iter()
        .filter(|case| is_wanted(*case, text))
        .collect();
    if cases.is_empty() {
        return Err("no case has that in its name".into());
    }
    let cases = crate::redis::reachable(crate::sql::reachable(cases));
    programs::build(&cases)?;
    let results = Results(measurement::measure(&cases)?);
    results.print_requests();
    results.print_calls();
    results.print_streams();
    results.print_queries();
    #[cfg(feature = "ours")]
    results.print_analyses();
    results.print_commands();
    results.print_propagations();
    let verdicts = results.verdicts();
    for verdict in &verdicts {
        println!(
            "{}{}",
            verdict.text,
            if verdict.kept { "" } else { "  BROKEN" }
        );
    }
    if !check {
        return Ok(ExitCode::SUCCESS);
    }
    // Nothing to judge is no pass.
    let kept = verdicts.len()
        == INSTRUCTION_LIMITS.len() + 1 + grpc::VERDICTS + sql::VERDICTS + redis::VERDICTS
        && verdicts.iter().all(|verdict| verdict.kept);
    Ok(if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A request case needs the zero and the peer of its configuration beside it, a call, a query or a command all that is not ours.
fn is_wanted(case: Case, text: Option<&str>) -> bool {
    let Some(text) = text else { return true };
    match case {
        Case::Request(index, Variant::Zero | Variant::Peer) => Variant::ALL
            .iter()
            .any(|variant| Case::Request(index, *variant).name().contains(text)),
        Case::Call(side, variant) if grpc::is_reference(variant) => crate::grpc::Variant::ALL
            .iter()
            .any(|variant| Case::Call(side, *variant).name().contains(text)),
        Case::Stream(side, variant) if grpc::is_reference(variant) => {
            crate::grpc::Variant::STREAMED
                .iter()
                .any(|variant| Case::Stream(side, *variant).name().contains(text))
        }
        Case::Query(fetch, database, variant) if sql::is_reference(variant) => {
            crate::sql::Variant::ALL
                .iter()
                .any(|variant| Case::Query(fetch, database, *variant).name().contains(text))
        }
        Case::Redis(way, size, variant) if redis::is_reference(variant) => way
            .variants()
            .iter()
            .any(|variant| Case::Redis(way, size, *variant).name().contains(text)),
        _ => case.name().contains(text),
    }
}

struct Results(Vec<(Case, Cost)>);

struct Verdict {
    text: String,
    kept: bool,
}

impl Results {
    fn of(&self, wanted: Case) -> Option<Cost> {
        self.0
            .iter()
            .find(|(case, _)| *case == wanted)
            .map(|(_, cost)| *cost)
    }

    /// The cost of a variant over that of the empty layer.
    fn over_zero(&self, index: usize, variant: Variant) -> Option<Cost> {
        Some(
            self.of(Case::Request(index, variant))?
                - self.of(Case::Request(index, Variant::Zero))?,
        )
    }

    fn print_requests(&self) {
        if !self
            .0
            .iter()
            .any(|(case, _)| matches!(case, Case::Request(..)))
        {
            return;
        }
        println!("One request (GET /users/42); Δ: over zero\n");
        println!(
            "| config      | variant |     Ir |    ΔIr | allocs | Δallocs |  bytes | Δbytes | ΔIr ÷ peer's |"
        );
        println!(
            "|-------------|---------|-------:|-------:|-------:|--------:|-------:|-------:|-------------:|"
        );
        for (case, cost) in &self.0 {
            let Case::Request(index, variant) = *case else {
                continue;
            };
            let Some(configuration) = CONFIGURATIONS.get(index) else {
                continue;
            };
            let over = self.over_zero(index, variant).unwrap_or_default();
            let ratio = match self.over_zero(index, Variant::Peer) {
                Some(peer) if variant.is_instrumented() => {
                    format!("{:.2}", over.instructions / peer.instructions)
                }
                _ => String::new(),
            };
            println!(
                "| {:11} | {:7} | {:6.0} | {:6.0} | {:6.1} | {:7.1} | {:6.0} | {:6.0} | {ratio:>12} |",
                configuration.name,
                variant.name(),
                cost.instructions,
                over.instructions,
                cost.allocations,
                over.allocations,
                cost.bytes,
                over.bytes,
            );
        }
        println!();
    }

    fn print_propagations(&self) {
        if !self
            .0
            .iter()
            .any(|(case, _)| matches!(case, Case::Propagation(..)))
        {
            return;
        }
        println!("One propagation\n");
        println!(
            "| operation                              | propagators |     Ir | allocs |  bytes | Ir ÷ sdk's |"
        );
        println!(
            "|----------------------------------------|-------------|-------:|-------:|-------:|-----------:|"
        );
        for (case, cost) in &self.0 {
            let Case::Propagation(operation, propagators) = *case else {
                continue;
            };
            let ratio = self
                .ratio_to_sdk(operation, *cost)
                .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            println!(
                "| {:38} | {:11} | {:6.0} | {:6.1} | {:6.0} | {ratio:>10} |",
                operation.name(),
                propagators.name(),
                cost.instructions,
                cost.allocations,
                cost.bytes,
            );
        }
        println!();
    }

    fn ratio_to_sdk(&self, operation: Operation, cost: Cost) -> Option<f64> {
        let sdk = self.of(Case::Propagation(operation, Propagators::Sdk))?;
        Some(cost.instructions / sdk.instructions)
    }

    #[cfg(not(feature = "ours"))]
    fn verdicts(&self) -> Vec<Verdict> {
        println!("built without the feature `ours`: nothing to judge");
        Vec::new()
    }

    #[cfg(feature = "ours")]
    fn verdicts(&self) -> Vec<Verdict> {
        let instructions = INSTRUCTION_LIMITS
            .iter()
            .filter_map(|(name, variant, limit)| {
                let (ours, peer) = self.ours_and_peer(name, *variant)?;
                let ratio = ours.instructions / peer.instructions;
                let variant = variant.name();
                Some(Verdict {
                    text: format!("{name}: {variant}/peer = {ratio:.3} (limit {limit:.2})"),
                    kept: ratio <= *limit,
                })
            });
        let allocations = self
            .ours_and_peer("both", Variant::Ours)
            .map(|(ours, peer)| {
                let limit = peer.allocations / 2.0;
                Verdict {
                    text: format!(
                        "allocations: ours {:.1}, limit peer/2 = {limit:.1}",
                        ours.allocations
                    ),
                    kept: ours.allocations <= limit,
                }
            });
        instructions
            .chain(allocations)
            .chain(self.grpc_verdicts())
            .chain(self.sql_verdicts())
            .chain(self.redis_verdicts())
            .collect()
    }

    /// Both over zero.
    #[cfg(feature = "ours")]
    fn ours_and_peer(&self, name: &str, ours: Variant) -> Option<(Cost, Cost)> {
        let index = CONFIGURATIONS
            .iter()
            .position(|configuration| configuration.name == name)?;
        Some((
            self.over_zero(index, ours)?,
            self.over_zero(index, Variant::Peer)?,
        ))
    }
}

#[cfg(all(test, feature = "ours"))]
mod tests {
    use super::Results;
    use crate::case::Case;
    use crate::measurement::Cost;
    use crate::variants::Variant;

    /// Zero costs 10 000 instructions and 20 allocations, the peer twice that.
    fn verdicts(ours: Cost) -> Vec<(String, bool)> {
        let cost = |instructions, allocations| Cost {
            instructions,
            allocations,
            bytes: 0.0,
        };
        let results = (0..3).flat_map(|index| {
            [
                (Case::Request(index, Variant::Zero), cost(10_000.0, 20.0)),
                (Case::Request(index, Variant::Peer), cost(20_000.0, 40.0)),
                (Case::Request(index, Variant::Ours), ours),
                (Case::Request(index, Variant::Late), ours),
            ]
        });
        let verdicts = Results(results.collect()).verdicts();
        verdicts
            .into_iter()
            .map(|verdict| (verdict.text, verdict.kept))
            .collect()
    }

    #[test]
    fn limits_hold_over_zero_and_inclusive() {
        let at_the_limit = Cost {
            instructions: 13_100.0,
            allocations: 30.0,
            bytes: 0.0,
        };
        assert_eq!(
            verdicts(at_the_limit),
            [
                ("both: ours/peer = 0.310 (limit 0.45)".to_owned(), true),
                ("unsampled: ours/peer = 0.310 (limit 0.31)".to_owned(), true),
                ("offmet: late/peer = 0.310 (limit 0.31)".to_owned(), true),
                (
                    "allocations: ours 10.0, limit peer/2 = 10.0".to_owned(),
                    true
                ),
            ]
        );
        let above = Cost {
            instructions: 14_600.0,
            allocations: 31.0,
            bytes: 0.0,
        };
        assert_eq!(
            verdicts(above),
            [
                ("both: ours/peer = 0.460 (limit 0.45)".to_owned(), false),
                (
                    "unsampled: ours/peer = 0.460 (limit 0.31)".to_owned(),
                    false
                ),
                ("offmet: late/peer = 0.460 (limit 0.31)".to_owned(), false),
                (
                    "allocations: ours 11.0, limit peer/2 = 10.0".to_owned(),
                    false
                ),
            ]
        );
    }
}
