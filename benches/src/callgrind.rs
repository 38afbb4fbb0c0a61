//! Counts instructions by running a program under `valgrind --tool=callgrind`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::case::Case;

/// Matches [`crate::work::measured_section`] in either way of mangling names.
const TOGGLE: &str = "--toggle-collect=*otelware_benches*measured_section*";

/// Has the C library copy by vectors, whatever the length. It would copy some kilobytes by an instruction that repeats
/// itself, which callgrind counts byte by byte, or not, as the addresses have it.
const TUNABLES: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_movsb_threshold=1073741824",
);

/// Instructions that `iterations` operations of a case execute on the thread that runs them.
///
/// Callgrind keeps the toggle per thread, so the threads of processors and readers do not count.
pub(crate) fn instructions(case: Case, iterations: u64) -> Result<u64, Error> {
    let (program, name) = (case.program()?, case.name());
    let file = output_file(&program, &name, iterations)?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", TOGGLE])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(&program)
        .args(["case", &name, &iterations.to_string()])
        .env(TUNABLES.0, TUNABLES.1)
        .output()
        .map_err(|error| format!("valgrind does not run ({error}); is it installed?"))?;
    if !output.status.success() {
        return Err(format!(
            "{name} under valgrind: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    total(&std::fs::read_to_string(&file)?)
        .ok_or_else(|| format!("{}: callgrind collected nothing", file.display()).into())
}

/// `bench/<case>.<iterations>.callgrind` beside the profile's directory: `callgrind_annotate` can read it afterwards.
fn output_file(program: &Path, case: &str, iterations: u64) -> Result<PathBuf, Error> {
    let directory = program
        .ancestors()
        .nth(2)
        .ok_or("the program has no target directory")?
        .join("bench");
    std::fs::create_dir_all(&directory)?;
    let name: String = case
        .chars()
        .map(|character| {
            if character.is_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    Ok(directory.join(format!("{name}.{iterations}.callgrind")))
}

/// The event total of a callgrind file; `None` if there is none or it is zero.
fn total(file: &str) -> Option<u64> {
    let line = file.lines().find_map(|line| {
        line.strip_prefix("totals:")
            .or_else(|| line.strip_prefix("summary:"))
    })?;
    line.trim().parse().ok().filter(|total| *total > 0)
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_read_wherever_it_stands() {
        let file = "events: Ir\nfn=(1) main\n1 7\ntotals: 12919\n";
        assert_eq!(total(file), Some(12_919));
        assert_eq!(total("summary: 4\nevents: Ir\n"), Some(4));
    }

    #[test]
    fn a_run_that_collected_nothing_has_no_total() {
        assert_eq!(total("events: Ir\ntotals: 0\n"), None);
        assert_eq!(total("events: Ir\n"), None);
    }
}
