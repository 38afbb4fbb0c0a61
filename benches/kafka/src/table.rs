//! Runs the rows and prints what they take.

use std::process::Command;

use crate::Error;
use crate::allocator::Allocations;
use crate::rows::Row;

/// How many messages there are: what the second number takes more than the first is what counts.
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;

/// Has the C library copy by vectors, whatever the length; see the main program of the benchmarks.
const TUNABLES: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_movsb_threshold=1073741824",
);

/// Measures all rows.
pub(crate) fn print() -> Result<(), Error> {
    println!(
        "A message of 1 KiB, produced and processed      instructions    added  allocations    bytes"
    );
    let mut plain = 0;
    for row in Row::ALL {
        let instructions = (instructions(row, MANY)? - instructions(row, FEW)?) / (MANY - FEW);
        let allocations = allocations(row, MANY)? - allocations(row, FEW)?;
        if row == Row::Plain {
            plain = instructions;
        }
        println!(
            "{:<46} {instructions:>13} {:>8} {:>12.1} {:>8.0}",
            row.name(),
            i128::from(instructions) - i128::from(plain),
            each(allocations.count),
            each(allocations.bytes),
        );
    }
    Ok(())
}

fn each(total: u64) -> f64 {
    total as f64 / (MANY - FEW) as f64
}

fn allocations(row: Row, count: u64) -> Result<Allocations, Error> {
    let output = Command::new(std::env::current_exe()?)
        .args([row.name(), &count.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    String::from_utf8(output.stdout)?.parse()
}

fn instructions(row: Row, count: u64) -> Result<u64, Error> {
    let program = std::env::current_exe()?;
    let name = row.name().replace(|c: char| !c.is_alphanumeric(), "-");
    let file = program.with_file_name(format!("kafka-{name}.{count}.callgrind"));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--fair-sched=yes"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(&program)
        .args([row.name(), &count.to_string()])
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
