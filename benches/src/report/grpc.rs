//! The tables of gRPC, and what they are judged by.

use super::Results;
#[cfg(feature = "ours")]
use super::Verdict;
use crate::case::Case;
use crate::grpc::{Side, Variant};
use crate::measurement::Cost;

/// Whether ours is compared with it.
pub(super) fn is_reference(variant: Variant) -> bool {
    variant == Variant::Bare || variant == Variant::Floor || Variant::PEERS.contains(&variant)
}

/// What ours may add to a call stays below this share of what the floor adds.
#[cfg(feature = "ours")]
const FLOOR_LIMIT: f64 = 0.70;

/// What ours may add to a call stays below this share of what any peer adds.
#[cfg(feature = "ours")]
const PEER_LIMIT: f64 = 1.00;

/// The instructions that ours may add to a message of a stream.
#[cfg(feature = "ours")]
const MESSAGE_LIMIT: f64 = 400.0;

/// How many verdicts a whole run has.
#[cfg(feature = "ours")]
pub(super) const VERDICTS: usize = Side::ALL.len() * (Variant::PEERS.len() + 1) + 2;
#[cfg(not(feature = "ours"))]
pub(super) const VERDICTS: usize = 0;

impl Results {
    fn call_over_bare(&self, side: Side, variant: Variant) -> Option<Cost> {
        Some(self.of(Case::Call(side, variant))? - self.of(Case::Call(side, Variant::Bare))?)
    }

    fn message_over_bare(&self, side: Side, variant: Variant) -> Option<Cost> {
        Some(self.of(Case::Stream(side, variant))? - self.of(Case::Stream(side, Variant::Bare))?)
    }

    pub(super) fn print_calls(&self) {
        self.print_grpc(
            "gRPC, unary call (shop.Greeter/SayHello), sampled, spans and metrics (the peers: spans alone); Δ: over bare",
            |case| match case {
                Case::Call(side, variant) => Some((side, variant)),
                _ => None,
            },
            Self::call_over_bare,
        );
    }

    pub(super) fn print_streams(&self) {
        self.print_grpc(
            "gRPC, one message of a stream of 100 000 (shop.Greeter/Watch), sampled, spans and metrics; Δ: over bare",
            |case| match case {
                Case::Stream(side, variant) => Some((side, variant)),
                _ => None,
            },
            Self::message_over_bare,
        );
    }

    fn print_grpc(
        &self,
        title: &str,
        row: impl Fn(Case) -> Option<(Side, Variant)>,
        over_bare: impl Fn(&Self, Side, Variant) -> Option<Cost>,
    ) {
        let rows: Vec<_> = self
            .0
            .iter()
            .filter_map(|(case, cost)| Some((row(*case)?, cost)))
            .collect();
        if rows.is_empty() {
            return;
        }
        println!("{title}\n");
        println!(
            "| side   | variant                     |     Ir |    ΔIr | allocs | Δallocs |  bytes | Δbytes | ΔIr ÷ floor's |"
        );
        println!(
            "|--------|-----------------------------|-------:|-------:|-------:|--------:|-------:|-------:|--------------:|"
        );
        for ((side, variant), cost) in rows {
            let over = over_bare(self, side, variant).unwrap_or_default();
            let ratio = match over_bare(self, side, Variant::Floor) {
                Some(floor) if variant != Variant::Bare => {
                    format!("{:.2}", over.instructions / floor.instructions)
                }
                _ => String::new(),
            };
            println!(
                "| {:6} | {:27} | {:6.0} | {:6.0} | {:6.1} | {:7.1} | {:6.0} | {:6.0} | {ratio:>13} |",
                side.name(),
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

    /// Ours under each peer and beside the floor, and what it adds to a message.
    #[cfg(feature = "ours")]
    pub(super) fn grpc_verdicts(&self) -> Vec<Verdict> {
        let calls = Side::ALL.into_iter().flat_map(|side| {
            let peers = Variant::PEERS
                .into_iter()
                .filter_map(move |peer| self.call_verdict(side, peer, PEER_LIMIT));
            peers.chain(self.call_verdict(side, Variant::Floor, FLOOR_LIMIT))
        });
        let streams = [Side::Server, Side::Client].into_iter().filter_map(|side| {
            let added = self.message_over_bare(side, Variant::Ours)?.instructions;
            Some(Verdict {
                text: format!(
                    "grpc-stream/{}: ours adds {added:.0} to a message (limit {MESSAGE_LIMIT:.0})",
                    side.name()
                ),
                kept: added <= MESSAGE_LIMIT,
            })
        });
        calls.chain(streams).collect()
    }

    #[cfg(feature = "ours")]
    fn call_verdict(&self, side: Side, other: Variant, limit: f64) -> Option<Verdict> {
        let ours = self.call_over_bare(side, Variant::Ours)?.instructions;
        let ratio = ours / self.call_over_bare(side, other)?.instructions;
        Some(Verdict {
            text: format!(
                "grpc/{}: ours/{} = {ratio:.3} (limit below {limit:.2})",
                side.name(),
                other.name()
            ),
            kept: ratio < limit,
        })
    }
}

#[cfg(all(test, feature = "ours"))]
mod tests {
    use super::super::Results;
    use crate::case::Case;
    use crate::grpc::{Side, Variant};
    use crate::measurement::Cost;

    fn cost(instructions: f64) -> Cost {
        Cost {
            instructions,
            ..Cost::default()
        }
    }

    /// The server alone; bare costs 10 000 a call and 500 a message, the floor adds 8 000, one peer 20 000, the other 30 000.
    fn verdicts(added_to_call: f64, added_to_message: f64) -> Vec<(String, bool)> {
        let side = Side::Server;
        let results = Results(vec![
            (Case::Call(side, Variant::Bare), cost(10_000.0)),
            (Case::Call(side, Variant::Floor), cost(18_000.0)),
            (
                Case::Call(side, Variant::TonicTracingOpentelemetry),
                cost(30_000.0),
            ),
            (Case::Call(side, Variant::TowerOtel), cost(40_000.0)),
            (
                Case::Call(side, Variant::Ours),
                cost(10_000.0 + added_to_call),
            ),
            (Case::Stream(side, Variant::Bare), cost(500.0)),
            (
                Case::Stream(side, Variant::Ours),
                cost(500.0 + added_to_message),
            ),
        ]);
        results
            .grpc_verdicts()
            .into_iter()
            .map(|verdict| (verdict.text, verdict.kept))
            .collect()
    }

    #[test]
    fn ours_stays_below_floor_and_peers_and_within_the_limit_of_a_message() {
        assert_eq!(
            verdicts(5_200.0, 400.0),
            [
                (
                    "grpc/server: ours/tonic-tracing-opentelemetry = 0.260 (limit below 1.00)"
                        .to_owned(),
                    true
                ),
                (
                    "grpc/server: ours/tower-otel = 0.173 (limit below 1.00)".to_owned(),
                    true
                ),
                (
                    "grpc/server: ours/floor = 0.650 (limit below 0.70)".to_owned(),
                    true
                ),
                (
                    "grpc-stream/server: ours adds 400 to a message (limit 400)".to_owned(),
                    true
                ),
            ]
        );
    }

    #[test]
    fn as_dear_as_a_peer_is_too_dear() {
        let kept: Vec<bool> = verdicts(20_000.0, 401.0)
            .into_iter()
            .map(|(_, kept)| kept)
            .collect();
        assert_eq!(kept, [false, true, false, false]);
    }
}
