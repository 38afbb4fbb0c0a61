//! What the programs of the peers have in common: they run one case, as the main program does of its own.

use crate::Error;
use crate::queries::{Database, Fetch, WARM_UP};
use crate::work::{self, Repetitions, Work};

/// Reads `case GROUP/DATABASE/VARIANT N` off the command line, runs it and prints what it allocated.
pub(crate) fn run(
    prepare: impl FnOnce(Fetch, Database, &str) -> Result<Box<dyn Work>, Error>,
) -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["case", name, counted] = arguments.as_slice() else {
        return Err("usage: case NAME N".into());
    };
    let (fetch, database, variant) = read(name)?;
    let repetitions = Repetitions {
        warm_up: WARM_UP,
        counted: counted.parse()?,
    };
    let allocations = work::run(prepare(fetch, database, variant)?.as_mut(), repetitions)?;
    println!("{allocations}");
    Ok(())
}

fn read(name: &str) -> Result<(Fetch, Database, &str), Error> {
    let mut parts = name.splitn(3, '/');
    let (group, database, variant) = (parts.next(), parts.next(), parts.next());
    let fetch = Fetch::ALL
        .into_iter()
        .find(|fetch| Some(fetch.group()) == group);
    let database = Database::ALL
        .into_iter()
        .find(|known| Some(known.name()) == database);
    match (fetch, database, variant) {
        (Some(fetch), Some(database), Some(variant)) => Ok((fetch, database, variant)),
        _ => Err(format!("no case is called {name:?}").into()),
    }
}
