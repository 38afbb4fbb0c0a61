//! Measures cases, each in processes of its own.

use std::process::Command;
use std::sync::Mutex;
use std::thread;

use crate::Error;
use crate::allocator::Allocations;
use crate::callgrind;
use crate::case::Case;

/// Two counts: their difference holds no cost of entering the section or of a first time. Both stay below the batch
/// processor's batch size, so that it sleeps while requests are measured.
const FEW: u64 = 100;
const MANY: u64 = 400;

/// The cost of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
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
        costs.push((index, case, cost(&case.name())?));
    }
}

fn cost(case: &str) -> Result<Cost, Error> {
    let instructions = callgrind::instructions(case, MANY)? - callgrind::instructions(case, FEW)?;
    let allocations = allocations(case, MANY)? - allocations(case, FEW)?;
    let per_operation = |total: u64| total as f64 / (MANY - FEW) as f64;
    Ok(Cost {
        instructions: per_operation(instructions),
        allocations: per_operation(allocations.count),
        bytes: per_operation(allocations.bytes),
    })
}

fn allocations(case: &str, iterations: u64) -> Result<Allocations, Error> {
    let output = Command::new(std::env::current_exe()?)
        .args(["case", case, &iterations.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(format!("{case}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    String::from_utf8(output.stdout)?.parse()
}
