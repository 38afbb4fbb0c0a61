//! Instructions and allocations that `otelware-rdkafka` adds to a message of 1 KiB that is produced and processed, beside
//! plain rdkafka and a floor written by hand, on librdkafka's own mock of a broker.
//!
//! Instructions are those of all threads, librdkafka's among them, as a header that a message has costs something there too:
//! what the many messages take more than the few, for each message. Allocations are Rust's own.
//!
//! ```text
//! otelware-benches-kafka           measure and print
//! otelware-benches-kafka ROW N     produce and process N messages and print the allocations (what callgrind runs)
//! ```

#[path = "../../src/allocator.rs"]
#[allow(dead_code, reason = "the main program counts by threads")]
mod allocator;
mod floor;
#[path = "../../src/providers.rs"]
mod providers;
mod rows;
mod table;

use rows::Row;

/// What can go wrong while measuring: a message for a person.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => table::print(),
        [row, count] => {
            let row = Row::named(row).ok_or_else(|| format!("no row is named {row}"))?;
            println!("{}", rows::run(row, count.parse()?)?);
            Ok(())
        }
        _ => Err("usage: otelware-benches-kafka [ROW N]".into()),
    }
}
