//! Runs the rows and prints what they take.

use std::process::Command;

use crate::Error;
use crate::allocator::Allocations;
use crate::rows::{Confirms, Row};

/// How many messages there are: what the second number takes more than the first is what counts.
const FEW: u64 = 300;
const MANY: u64 = 1_300;

/// Matches `rows::measured_section`. Callgrind keeps the toggle per thread, so that lapin's own thread does not count.
const TOGGLE: &str = "--toggle-collect=*otelware_benches_rabbitmq*measured_section*";

/// Has the C library copy by vectors, whatever the length; see the main program of the benchmarks.
const TUNABLES: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_movsb_threshold=1073741824",
);

/// How often instructions are counted.
const RUNS: usize = 3;

/// Measures all rows.
pub(crate) fn print() -> Result<(), Error> {
    for confirms in Confirms::ALL {
        println!(
            "{:<36} instructions  spread    added  allocations    added    bytes",
            confirms.name()
        );
        let mut plain = None;
        for row in Row::ALL {
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                let (many, few) = (
                    instructions(confirms, row, MANY)?,
                    instructions(confirms, row, FEW)?,
                );
                runs.push(each(many.saturating_sub(few)));
            }
            runs.sort_by(f64::total_cmp);
            let (middle, spread) = (runs[RUNS / 2], runs[RUNS - 1] - runs[0]);
            let allocations = allocations(confirms, row, MANY)? - allocations(confirms, row, FEW)?;
            let (count, bytes) = (each(allocations.count), each(allocations.bytes));
            let (of_plain, count_of_plain) = *plain.get_or_insert((middle, count));
            println!(
                "{:<36} {middle:>12.0} {spread:>7.0} {:>8.0} {count:>12.1} {:>8.1} {bytes:>8.0}",
                row.name(),
                middle - of_plain,
                count - count_of_plain,
            );
        }
    }
    Ok(())
}

fn each(total: u64) -> f64 {
    total as f64 / (MANY - FEW) as f64
}

fn allocations(confirms: Confirms, row: Row, count: u64) -> Result<Allocations, Error> {
    let output = Command::new(std::env::current_exe()?)
        .args([confirms.name(), row.name(), &count.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    String::from_utf8(output.stdout)?.parse()
}

fn instructions(confirms: Confirms, row: Row, count: u64) -> Result<u64, Error> {
    let program = std::env::current_exe()?;
    let name =
        format!("{} {}", row.name(), confirms.name()).replace(|c: char| !c.is_alphanumeric(), "-");
    let file = program.with_file_name(format!("rabbitmq-{name}.{count}.callgrind"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--fair-sched=yes", TOGGLE])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(&program)
        .args([confirms.name(), row.name(), &count.to_string()])
        .env(TUNABLES.0, TUNABLES.1)
        .output()
        .map_err(|error| format!("valgrind does not run ({error}); is it installed?"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = std::fs::read_to_string(&file)?;
    let total = (text.lines()).find_map(|line| line.strip_prefix("totals:"));
    Ok(total.ok_or("callgrind collected nothing")?.trim().parse()?)
}
