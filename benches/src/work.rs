//! One repeatable operation, and the function inside which callgrind collects.

use crate::Error;
use crate::allocator::{self, Allocations};

/// Operations before anything is counted: caches, interned routes and lazily built instruments are then in place.
const WARM_UP: u64 = 300;

/// An operation that can be repeated.
pub(crate) trait Work {
    /// Runs the operation once and says whether its result was right.
    fn once(&mut self) -> bool;

    /// Waits until nothing is left to do in the background.
    fn settle(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Checks that `operations` operations have left behind the telemetry they should have.
    fn verify(&self, _operations: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// Warms up, runs `iterations` operations, checks them and returns what the iterations allocated.
pub(crate) fn run(work: &mut dyn Work, iterations: u64) -> Result<Allocations, Error> {
    let warm = (0..WARM_UP).filter(|_| work.once()).count() as u64;
    work.settle()?;

    let before = allocator::of_this_thread();
    let right = measured_section(work, iterations);
    let allocations = allocator::of_this_thread() - before;

    if (warm, right) != (WARM_UP, iterations) {
        return Err(format!(
            "{warm} of {WARM_UP} and {right} of {iterations} operations came out right"
        )
        .into());
    }
    work.settle()?;
    work.verify(WARM_UP + iterations)?;
    Ok(allocations)
}

/// What callgrind collects: it is told this function's name, so it must stay a function of its own.
#[inline(never)]
pub(crate) fn measured_section(work: &mut dyn Work, iterations: u64) -> u64 {
    let mut right = 0;
    for _ in 0..iterations {
        right += u64::from(work.once());
    }
    right
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::case;
    use crate::work::{Work, run};

    /// Globals are per process, so only the variants that need none run here.
    #[test]
    fn a_router_without_telemetry_is_measured() {
        for name in ["request/both/bare", "request/met/zero"] {
            let mut work = case::find(name).unwrap().prepare().unwrap();
            assert!(run(work.as_mut(), 10).unwrap().count > 0, "{name}");
        }
    }

    #[test]
    fn every_propagation_comes_out_right() {
        for case in case::all()
            .into_iter()
            .filter(|case| case.name().starts_with("propagation/"))
        {
            assert!(
                run(case.prepare().unwrap().as_mut(), 10).unwrap().count > 0,
                "{}",
                case.name()
            );
        }
    }

    #[test]
    fn wrong_results_and_missing_telemetry_are_errors() {
        struct Wrong;
        impl Work for Wrong {
            fn once(&mut self) -> bool {
                false
            }
        }
        let error = run(&mut Wrong, 10).unwrap_err().to_string();
        assert_eq!(error, "0 of 300 and 0 of 10 operations came out right");

        let both = crate::telemetry::CONFIGURATIONS[0];
        let error = crate::telemetry::Telemetry::new(&both)
            .verify(3)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "(spans, durations) exported: expected (3, 3), got (0, 0)"
        );
    }
}
