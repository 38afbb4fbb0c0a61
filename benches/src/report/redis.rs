//! The table of commands, and what it is judged by.

use super::Results;
#[cfg(feature = "ours")]
use super::Verdict;
use super::over::{self, Line};
use crate::case::Case;
use crate::commands::Size;
use crate::measurement::Cost;
use crate::redis::{Variant, Way};

/// Whether ours is compared with it.
pub(super) fn is_reference(variant: Variant) -> bool {
    #[cfg(feature = "ours")]
    if variant == Variant::Engine {
        return true;
    }
    variant == Variant::Floor || variant == Variant::PEER || variant.is_bare()
}

/// How many verdicts a whole run has: of a command and of a pipeline each the peer, by instructions and allocations, and
/// the engine.
#[cfg(feature = "ours")]
pub(super) const VERDICTS: usize = 3 + 3;
#[cfg(not(feature = "ours"))]
pub(super) const VERDICTS: usize = 0;

/// What ours may add to a pipeline, as a share of the engine's. The names and the text of its commands are read out of their
/// arguments; the engine's row puts the same text together knowing that they are ten `SET`.
#[cfg(feature = "ours")]
const PIPELINE_LIMIT: f64 = 1.6;

impl Results {
    fn command_over_bare(&self, way: Way, size: Size, variant: Variant) -> Option<Cost> {
        let cost = |variant| self.of(Case::Redis(way, size, variant));
        Some(cost(variant)? - cost(variant.bare())?)
    }

    #[cfg(feature = "ours")]
    fn command_by_engine(&self, way: Way, size: Size) -> Option<Cost> {
        self.command_over_bare(way, size, Variant::Engine)
    }

    #[cfg(not(feature = "ours"))]
    fn command_by_engine(&self, _: Way, _: Size) -> Option<Cost> {
        None
    }

    pub(super) fn print_commands(&self) {
        let line = |(case, cost): &(Case, Cost)| match *case {
            Case::Redis(way, size, variant) => Some(Line {
                place: way.group(size),
                variant: variant.name(),
                cost: *cost,
                over: self
                    .command_over_bare(way, size, variant)
                    .unwrap_or_default(),
                engine: self
                    .command_by_engine(way, size)
                    .filter(|_| !variant.is_bare()),
            }),
            _ => None,
        };
        let lines: Vec<Line> = self.0.iter().filter_map(line).collect();
        over::print(
            "Redis, one GET or a pipeline of ten SET, through a connection that answers at once (redis-server: through \
             redis-rs's own), sampled, spans and metrics (otel-instrumentation-redis: spans alone); Δ: over redis-rs alone, \
             in the same program",
            "group",
            &lines,
        );
    }

    /// Ours under the peer and beside the engine. Connections that block and that to a server are for information.
    #[cfg(feature = "ours")]
    pub(super) fn redis_verdicts(&self) -> Vec<Verdict> {
        Size::ALL
            .into_iter()
            .flat_map(|size| self.command_verdicts(Way::Async, size))
            .collect()
    }

    #[cfg(feature = "ours")]
    fn command_verdicts(&self, way: Way, size: Size) -> Vec<Verdict> {
        let over = |variant| self.command_over_bare(way, size, variant);
        let Some(ours) = over(Variant::Ours) else {
            return Vec::new();
        };
        let (place, peer) = (way.group(size), Variant::PEER);
        let below_peer =
            over(peer).map(|theirs| over::below_peer(place, peer.name(), ours, theirs));
        let limit = match size {
            Size::Command => over::ENGINE_LIMIT,
            Size::Pipeline => PIPELINE_LIMIT,
        };
        let near_engine =
            over(Variant::Engine).map(|engine| over::near_engine(place, ours, engine, limit));
        (below_peer.into_iter().flatten())
            .chain(near_engine)
            .collect()
    }
}

#[cfg(all(test, feature = "ours"))]
mod tests {
    use super::super::Results;
    use crate::case::Case;
    use crate::commands::Size;
    use crate::measurement::Cost;
    use crate::redis::{Variant, Way};

    fn cost(instructions: f64, allocations: f64) -> Cost {
        Cost {
            instructions,
            allocations,
            bytes: 0.0,
        }
    }

    /// redis-rs alone costs 2 000 in each program, the engine adds 4 000, the peer 10 000 and 10 allocations.
    fn verdicts(ours: Cost) -> Vec<(String, bool)> {
        let case = |variant| Case::Redis(Way::Async, Size::Command, variant);
        let over = |instructions, allocations| cost(2_000.0 + instructions, 5.0 + allocations);
        let results = vec![
            (case(Variant::Bare), over(0.0, 0.0)),
            (case(Variant::Engine), over(4_000.0, 4.0)),
            (case(Variant::PEER.bare()), over(0.0, 0.0)),
            (case(Variant::PEER), over(10_000.0, 10.0)),
            (
                case(Variant::Ours),
                over(ours.instructions, ours.allocations),
            ),
        ];
        Results(results)
            .redis_verdicts()
            .into_iter()
            .map(|verdict| (verdict.text, verdict.kept))
            .collect()
    }

    #[test]
    fn ours_stays_below_its_peer_and_near_the_engine() {
        let expected = [
            "redis: instructions, ours/otel-instrumentation-redis = 0.600 (limit below 1.00)",
            "redis: allocations, ours/otel-instrumentation-redis = 0.500 (limit below 1.00)",
            "redis: ours/engine = 1.500 (limit 1.50)",
        ];
        assert_eq!(
            verdicts(cost(6_000.0, 5.0)),
            expected.map(|text| (text.to_owned(), true))
        );
    }

    #[test]
    fn as_dear_as_the_peer_is_too_dear() {
        let kept: Vec<bool> = verdicts(cost(10_000.0, 10.0))
            .into_iter()
            .map(|(_, kept)| kept)
            .collect();
        assert_eq!(kept, [false; 3]);
    }
}
