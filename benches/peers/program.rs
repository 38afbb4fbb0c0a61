//! What the programs of the peers have in common: they run one case, as the main program does of its own.

use crate::Error;
use crate::work::{self, Repetitions, WARM_UP, Work};

/// Reads `case NAME N` off the command line, runs it and prints what it allocated.
pub(crate) fn run(prepare: impl FnOnce(&str) -> Result<Box<dyn Work>, Error>) -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["case", name, counted] = arguments.as_slice() else {
        return Err("usage: case NAME N".into());
    };
    let repetitions = Repetitions {
        warm_up: WARM_UP,
        counted: counted.parse()?,
    };
    let allocations = work::run(prepare(name)?.as_mut(), repetitions)?;
    println!("{allocations}");
    Ok(())
}
