//! The tables of queries and of statements, and what they are judged by.

use super::Results;
#[cfg(feature = "ours")]
use super::Verdict;
use super::over::{self, Line};
#[cfg(feature = "ours")]
use crate::analysis::Analysis;
use crate::case::Case;
use crate::measurement::Cost;
use crate::queries::{Database, Fetch};
use crate::sql::Variant;

/// Whether ours is compared with it.
pub(super) fn is_reference(variant: Variant) -> bool {
    #[cfg(feature = "ours")]
    if variant == Variant::Engine {
        return true;
    }
    variant == Variant::Floor || variant.is_bare() || Variant::PEERS.contains(&variant)
}

/// The nanoseconds that a look at a statement may take, and how many instructions stand for one. An idle server of 2025
/// executes 6.6 of them in a nanosecond of a lookup, which waits for the hash, and 24 in one of an analysis, which runs
/// ahead in a table; a slower one is allowed for.
#[cfg(feature = "ours")]
const ANALYSIS_LIMITS: [(Analysis, f64, f64); 2] = [
    (Analysis::Cached, 150.0, 6.0),
    (Analysis::Uncached, 3_000.0, 15.0),
];

/// How many verdicts a whole run has.
#[cfg(feature = "ours")]
pub(super) const VERDICTS: usize =
    Fetch::ALL.len() * Database::ALL.len() * (2 * Variant::PEERS.len() + 1) + ANALYSIS_LIMITS.len();
#[cfg(not(feature = "ours"))]
pub(super) const VERDICTS: usize = 0;

impl Results {
    fn query_over_bare(&self, fetch: Fetch, database: Database, variant: Variant) -> Option<Cost> {
        let cost = |variant| self.of(Case::Query(fetch, database, variant));
        Some(cost(variant)? - cost(variant.bare())?)
    }

    pub(super) fn print_queries(&self) {
        for fetch in Fetch::ALL {
            self.print_fetches(fetch);
        }
    }

    fn print_fetches(&self, fetch: Fetch) {
        let line = |(case, cost): &(Case, Cost)| match *case {
            Case::Query(of, database, variant) if of == fetch => Some(Line {
                place: database.name(),
                variant: variant.name(),
                cost: *cost,
                over: self
                    .query_over_bare(fetch, database, variant)
                    .unwrap_or_default(),
                engine: self
                    .query_by_engine(fetch, database)
                    .filter(|_| !variant.is_bare()),
            }),
            _ => None,
        };
        let lines: Vec<Line> = self.0.iter().filter_map(line).collect();
        let what = match fetch {
            Fetch::Optional => "one row, `fetch_optional`",
            Fetch::All => "ten rows, `fetch_all`",
        };
        let title = format!(
            "SQL, one bound query through a pool ({what}), sampled, spans and metrics (sqlx-tracing: spans alone); Δ: over \
             sqlx alone, in the same program"
        );
        over::print(&title, "database", &lines);
    }

    #[cfg(feature = "ours")]
    fn query_by_engine(&self, fetch: Fetch, database: Database) -> Option<Cost> {
        self.query_over_bare(fetch, database, Variant::Engine)
    }

    #[cfg(not(feature = "ours"))]
    fn query_by_engine(&self, _: Fetch, _: Database) -> Option<Cost> {
        None
    }

    /// With the time that one takes here, which is for information: it is the instructions that are judged.
    #[cfg(feature = "ours")]
    pub(super) fn print_analyses(&self) {
        let rows: Vec<_> = Analysis::ALL
            .into_iter()
            .filter_map(|analysis| Some((analysis, self.of(Case::Analysis(analysis))?)))
            .collect();
        if rows.is_empty() {
            return;
        }
        println!("SQL, one look at a statement of 300 bytes; ns: the least of 200 rounds\n");
        println!("| statement |     Ir | allocs |  bytes |     ns |");
        println!("|-----------|-------:|-------:|-------:|-------:|");
        for (analysis, cost) in rows {
            println!(
                "| {:9} | {:6.0} | {:6.1} | {:6.0} | {:6.0} |",
                analysis.name(),
                cost.instructions,
                cost.allocations,
                cost.bytes,
                crate::analysis::nanoseconds(analysis.prepare().as_mut()),
            );
        }
        println!();
    }

    /// Ours under each peer and beside the engine, and what statements cost.
    #[cfg(feature = "ours")]
    pub(super) fn sql_verdicts(&self) -> Vec<Verdict> {
        let queries = Fetch::ALL.into_iter().flat_map(|fetch| {
            Database::ALL.into_iter().flat_map(move |database| {
                let peers = Variant::PEERS
                    .into_iter()
                    .flat_map(move |peer| self.peer_verdicts(fetch, database, peer));
                peers.chain(self.engine_verdict(fetch, database))
            })
        });
        let analyses = ANALYSIS_LIMITS
            .into_iter()
            .filter_map(|(analysis, nanoseconds, density)| {
                let limit = nanoseconds * density;
                let instructions = self.of(Case::Analysis(analysis))?.instructions;
                Some(Verdict {
                    text: format!(
                        "{}: {instructions:.0} instructions (limit {limit:.0}, for {nanoseconds:.0} ns)",
                        Case::Analysis(analysis).name()
                    ),
                    kept: instructions <= limit,
                })
            });
        queries.chain(analyses).collect()
    }

    #[cfg(feature = "ours")]
    fn peer_verdicts(&self, fetch: Fetch, database: Database, peer: Variant) -> Vec<Verdict> {
        let over = |variant| self.query_over_bare(fetch, database, variant);
        let (Some(ours), Some(theirs)) = (over(Variant::Ours), over(peer)) else {
            return Vec::new();
        };
        let place = Self::place(fetch, database);
        over::below_peer(&place, peer.name(), ours, theirs).into()
    }

    #[cfg(feature = "ours")]
    fn place(fetch: Fetch, database: Database) -> String {
        format!("{}/{}", fetch.group(), database.name())
    }

    #[cfg(feature = "ours")]
    fn engine_verdict(&self, fetch: Fetch, database: Database) -> Option<Verdict> {
        let over = |variant| self.query_over_bare(fetch, database, variant);
        let (ours, engine) = (over(Variant::Ours)?, over(Variant::Engine)?);
        Some(over::near_engine(
            &Self::place(fetch, database),
            ours,
            engine,
            over::ENGINE_LIMIT,
        ))
    }
}

#[cfg(all(test, feature = "ours"))]
mod tests {
    use super::super::Results;
    use crate::analysis::Analysis;
    use crate::case::Case;
    use crate::measurement::Cost;
    use crate::queries::{Database, Fetch};
    use crate::sql::Variant;

    /// One row out of SQLite: sqlx alone costs 20 000 in each program, the engine adds 4 000, each peer 10 000 and 10
    /// allocations.
    fn verdicts(ours: Cost, cached: f64) -> Vec<(String, bool)> {
        let case = |variant| Case::Query(Fetch::Optional, Database::Sqlite, variant);
        let over = |cost: Cost| Cost {
            instructions: 20_000.0 + cost.instructions,
            allocations: 11.0 + cost.allocations,
            bytes: 0.0,
        };
        let added = |instructions, allocations| Cost {
            instructions,
            allocations,
            bytes: 0.0,
        };
        let mut results = vec![
            (case(Variant::Bare), over(added(0.0, 0.0))),
            (case(Variant::Engine), over(added(4_000.0, 4.0))),
            (case(Variant::Ours), over(ours)),
            (Case::Analysis(Analysis::Cached), added(cached, 0.0)),
        ];
        for peer in Variant::PEERS {
            results.push((case(peer.bare()), over(added(0.0, 0.0))));
            results.push((case(peer), over(added(10_000.0, 10.0))));
        }
        Results(results)
            .sql_verdicts()
            .into_iter()
            .map(|verdict| (verdict.text, verdict.kept))
            .collect()
    }

    #[test]
    fn ours_stays_below_its_peers_and_near_the_engine() {
        let ours = Cost {
            instructions: 6_000.0,
            allocations: 5.0,
            bytes: 0.0,
        };
        assert_eq!(
            verdicts(ours, 900.0),
            [
                (
                    "sql/sqlite: instructions, ours/sqlx-otel = 0.600 (limit below 1.00)"
                        .to_owned(),
                    true
                ),
                (
                    "sql/sqlite: allocations, ours/sqlx-otel = 0.500 (limit below 1.00)".to_owned(),
                    true
                ),
                (
                    "sql/sqlite: instructions, ours/sqlx-tracing = 0.600 (limit below 1.00)"
                        .to_owned(),
                    true
                ),
                (
                    "sql/sqlite: allocations, ours/sqlx-tracing = 0.500 (limit below 1.00)"
                        .to_owned(),
                    true
                ),
                (
                    "sql/sqlite: ours/engine = 1.500 (limit 1.50)".to_owned(),
                    true
                ),
                (
                    "sql-analysis/cached: 900 instructions (limit 900, for 150 ns)".to_owned(),
                    true
                ),
            ]
        );
    }

    #[test]
    fn as_dear_as_a_peer_is_too_dear() {
        let ours = Cost {
            instructions: 10_000.0,
            allocations: 10.0,
            bytes: 0.0,
        };
        let kept: Vec<bool> = verdicts(ours, 901.0)
            .into_iter()
            .map(|(_, kept)| kept)
            .collect();
        assert_eq!(kept, [false; 6]);
    }
}
