//! Instructions and heap allocations of one request through an instrumented axum router, of one gRPC call, of one message
//! of a gRPC stream, of one query through a pool, of one command or pipeline through a connection to Redis, and of one
//! propagation, side by side.
//!
//! Wall time says little on a shared machine; instructions and allocations say the same thing on every run. Each cell of
//! the tables is measured in two processes of its own, so that no cell sees another's global providers: once bare, where
//! [`allocator`] counts, and once under callgrind, which collects only inside [`work::measured_section`].
//!
//! ```text
//! otelware-benches [--check] [TEXT]   measure and print; with --check, fail if a limit is broken;
//!                                     with TEXT, only the cases whose name contains it (and what they are compared with)
//! otelware-benches case NAME N        run one case N times and print its allocations (what callgrind runs)
//! ```

mod allocator;
#[cfg(feature = "ours")]
mod analysis;
mod around;
mod callgrind;
mod case;
mod commands;
#[cfg(feature = "ours")]
mod engine;
mod grpc;
mod measurement;
mod programs;
mod propagation;
mod queries;
mod redis;
mod report;
mod request;
mod sql;
mod telemetry;
mod turns;
mod variants;
mod work;

use std::process::ExitCode;

/// What can go wrong while measuring: a message for a person.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["case", name, iterations] => run_case(name, iterations),
        [] => report::run(None, false),
        ["--check"] => report::run(None, true),
        [text] => report::run(Some(text), false),
        _ => Err("usage: otelware-benches [--check | TEXT]".into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_case(name: &str, iterations: &str) -> Result<ExitCode, Error> {
    let case = case::find(name)?;
    let repetitions = case.repetitions(iterations.parse()?);
    let allocations = work::run(case.prepare()?.as_mut(), repetitions)?;
    println!("{allocations}");
    Ok(ExitCode::SUCCESS)
}
