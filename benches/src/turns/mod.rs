//! Who goes when, where an operation is carried out by several threads.
//!
//! Whether an answer is there before the asking thread looks for it decides which ways that thread goes, by hundreds of
//! instructions. So that it is the same each time, the whole process is put on one processor, where the answering threads
//! are of the idle class: they begin when the asking thread sleeps.

mod relay;

use std::fs;
use std::process::{Command, Stdio};

use crate::Error;

pub(crate) use relay::relay;

/// How the threads that answer are called, as far as the system shows it: those of the driver of SQLite, and the relay's.
const ANSWERING: [&str; 2] = ["sqlx-sqlite", relay::NAME];

pub(crate) fn take_turns() -> Result<(), Error> {
    let process = std::process::id().to_string();
    let processor = processor()?.to_string();
    let on_one = ["--all-tasks", "--pid", "--cpu-list", &processor, &process];
    run("taskset", &on_one)?;
    let mut answering = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        let name = fs::read_to_string(task.path().join("comm"))?;
        if ANSWERING
            .iter()
            .any(|answering| name.starts_with(answering))
        {
            let task = task.file_name();
            let task = task.to_str().ok_or("a thread has no number")?;
            run("chrt", &["--idle", "--pid", "0", task])?;
            answering += 1;
        }
    }
    match answering {
        0 => Err(format!("no thread is called {ANSWERING:?}").into()),
        _ => Ok(()),
    }
}

/// The processor that this thread was last on.
fn processor() -> Result<u32, Error> {
    let stat = fs::read_to_string("/proc/thread-self/stat")?;
    // The fields behind the name, which may have spaces and parentheses in it.
    let processor = stat
        .rsplit_once(')')
        .and_then(|(_, fields)| fields.split_whitespace().nth(36))
        .ok_or("/proc/thread-self/stat tells no processor")?;
    Ok(processor.parse()?)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Error> {
    let output = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("{program} (of util-linux) does not run: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
