//! Tables of what variants add to a library alone, and how that of ours is judged: what SQL and Redis have in common.

#[cfg(feature = "ours")]
use super::Verdict;
use crate::measurement::Cost;

/// What ours may add, as a share of what the start and the finish of the engine add.
#[cfg(feature = "ours")]
pub(super) const ENGINE_LIMIT: f64 = 1.50;

/// A line of a table.
pub(super) struct Line {
    /// Where it was measured.
    pub(super) place: &'static str,
    pub(super) variant: &'static str,
    pub(super) cost: Cost,
    /// What the variant adds to the library alone.
    pub(super) over: Cost,
    /// The instructions that the engine adds, where that is of interest.
    pub(super) engine: Option<Cost>,
}

/// Prints a table, unless it is empty. `places` is what the places are.
pub(super) fn print(title: &str, places: &str, lines: &[Line]) {
    let width = |text: fn(&Line) -> &'static str| lines.iter().map(|line| text(line).len()).max();
    let (Some(place), Some(variant)) = (width(|line| line.place), width(|line| line.variant))
    else {
        return;
    };
    let place = place.max(places.len());
    println!("{title}\n");
    println!(
        "| {places:place$} | {:variant$} |     Ir |    ΔIr | allocs | Δallocs |  bytes | Δbytes | ΔIr ÷ engine's |",
        "variant"
    );
    println!(
        "|-{:-<place$}-|-{:-<variant$}-|-------:|-------:|-------:|--------:|-------:|-------:|---------------:|",
        "", ""
    );
    for line in lines {
        let ratio = line.engine.map_or_else(String::new, |engine| {
            format!("{:.2}", line.over.instructions / engine.instructions)
        });
        println!(
            "| {:place$} | {:variant$} | {:6.0} | {:6.0} | {:6.1} | {:7.1} | {:6.0} | {:6.0} | {ratio:>14} |",
            line.place,
            line.variant,
            line.cost.instructions,
            line.over.instructions,
            line.cost.allocations,
            line.over.allocations,
            line.cost.bytes,
            line.over.bytes,
        );
    }
    println!();
}

/// Ours is to add less than a peer, by instructions and by allocations.
#[cfg(feature = "ours")]
pub(super) fn below_peer(place: &str, peer: &str, ours: Cost, theirs: Cost) -> [Verdict; 2] {
    [
        ("instructions", ours.instructions, theirs.instructions),
        ("allocations", ours.allocations, theirs.allocations),
    ]
    .map(|(what, ours, theirs)| {
        let ratio = ours / theirs;
        Verdict {
            text: format!("{place}: {what}, ours/{peer} = {ratio:.3} (limit below 1.00)"),
            kept: ratio < 1.0,
        }
    })
}

/// Ours is to add no more instructions than this share of the engine's.
#[cfg(feature = "ours")]
pub(super) fn near_engine(place: &str, ours: Cost, engine: Cost, limit: f64) -> Verdict {
    let ratio = ours.instructions / engine.instructions;
    Verdict {
        text: format!("{place}: ours/engine = {ratio:.3} (limit {limit:.2})"),
        kept: ratio <= limit,
    }
}
