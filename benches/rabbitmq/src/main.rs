//! Instructions and allocations that `otelware-lapin` adds to a message of 1 KiB that is published, confirmed, processed and
//! acknowledged, beside plain lapin, on the RabbitMQ at `AMQP_URL` (`amqp://guest:guest@127.0.0.1:5672/%2f` by default).
//!
//! Counted is the calling side: one thread that publishes, takes the confirm, receives, processes and acknowledges, with
//! all tasks that lapin has on that thread's runtime. lapin's own thread, which moves bytes between its queues and the socket,
//! does not count: it waits and wakes as the network has it. What many messages take more than few is what counts, and of
//! several runs the one in the middle: how often the calling thread is woken is chance, too.
//!
//! ```text
//! otelware-benches-rabbitmq                    measure and print
//! otelware-benches-rabbitmq CONFIRMS ROW N     send N messages and print the allocations (what callgrind runs)
//! ```

#[allow(dead_code, reason = "other programs count all threads, too")]
#[path = "../../src/allocator.rs"]
mod allocator;
#[path = "../../src/providers.rs"]
mod providers;
mod rows;
mod table;

use rows::{Confirms, Row};

/// What can go wrong while measuring: a message for a person.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => table::print(),
        [confirms, row, count] => {
            let confirms = Confirms::named(confirms).ok_or("nothing is so confirmed")?;
            let row = Row::named(row).ok_or_else(|| format!("no row is named {row}"))?;
            println!("{}", rows::run(confirms, row, count.parse()?)?);
            Ok(())
        }
        _ => Err("usage: otelware-benches-rabbitmq [CONFIRMS ROW N]".into()),
    }
}
