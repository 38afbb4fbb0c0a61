//! The names of queries, for the programs of the peers that make them.

use crate::Error;
use crate::queries::{Database, Fetch};

/// Reads `GROUP/DATABASE/VARIANT`.
pub(crate) fn read(name: &str) -> Result<(Fetch, Database, &str), Error> {
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
