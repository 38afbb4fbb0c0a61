//! Measures cases, each in processes of its own.

use std::ops::Sub;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::Error;
use crate::allocator::Allocations;
use crate::callgrind;
use crate::case::{Case, Runs};

/// How often instructions are counted.
const RUNS: usize = 3;

/// The cost of one operation, or of one part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            instructions: self.instructions - other.instructions,
            allocations: self.allocations - other.allocations,
            bytes: self.bytes - other.bytes,
        }
    }
}

/// Measures all of `cases`, as many at a time as there are processors.
pub(crate) fn measure(cases: &[Case]) -> Result<Vec<(Case, Cost)>, Error> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let waiting = Mutex::new(cases.iter().copied().enumerate());
    let mut costs = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| work_off(&waiting)))
            .collect();
        let mut costs = Vec::new();
        for worker in workers {
            costs.extend(worker.join().map_err(|_| "a measuring thread panicked")??);
        }
        Ok::<_, Error>(costs)
    })?;
    costs.sort_by_key(|(index, ..)| *index);
    Ok(costs
        .into_iter()
        .map(|(_, case, cost)| (case, cost))
        .collect())
}

fn work_off(
    waiting: &Mutex<impl Iterator<Item = (usize, Case)>>,
) -> Result<Vec<(usize, Case, Cost)>, Error> {
    let mut costs = Vec::new();
    loop {
        let next = waiting
            .lock()
            .map_err(|_| "a measuring thread panicked")?
            .next();
        let Some((index, case)) = next else {
            return Ok(costs);
        };
        costs.push((index, case, cost(case)?));
    }
}

fn cost(case: Case) -> Result<Cost, Error> {
    let Runs { few, many, parts } = case.runs();
    let instructions = instructions(case, many)? - instructions(case, few)?;
    let allocations = allocations(case, many)? - allocations(case, few)?;
    let per_part = |total: u64| total as f64 / ((many - few) * parts) as f64;
    Ok(Cost {
        instructions: per_part(instructions),
        allocations: per_part(allocations.count),
        bytes: per_part(allocations.bytes),
    })
}

/// The least of several runs: when the threads of processors and readers start, and when they free what they were
/// given, decides in what state the heap is, and in some states the allocator takes longer ways.
fn instructions(case: Case, iterations: u64) -> Result<u64, Error> {
    let mut least = u64::MAX;
    for _ in 0..RUNS {
        least = least.min(callgrind::instructions(case, iterations)?);
    }
    Ok(least)
}

/// What `iterations` operations of a case allocate; an error if they cannot be run.
pub(crate) fn allocations(case: Case, iterations: u64) -> Result<Allocations, Error> {
    let name = case.name();
    let output = Command::new(case.program()?)
        .args(["case", &name, &iterations.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    String::from_utf8(output.stdout)?.parse()
}
